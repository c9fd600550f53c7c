"""The real WebUI v1.10.1, started on a free port; skipped with a reason where it is not installed."""
