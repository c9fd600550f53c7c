"""Benchmarks, each with its command in its first lines; run them with python -m benchmarks.NAME."""
