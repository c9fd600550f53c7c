"""Requests to the whole API of VCD in a real WebUI, drawn from its own description, most of them wrong somewhere.

    python -m benchmarks.fuzz [--requests 1000] [--seed 1] [--out FILE]

It needs the WebUI that tests/webui uses and makes its own tiny checkpoint; about 15 minutes on 2 CPU cores. Expected:
no answer of 500 and above, no new file outside the folders that are written to, nothing left on the model, and memory
that does not grow after the first quarter.
"""
