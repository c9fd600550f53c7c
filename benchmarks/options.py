"""The options of a benchmark that keeps its rows in a folder and writes a report of them."""

import argparse
from pathlib import Path


def report_options(description: str, report: str = "write the table of what was measured") -> argparse.ArgumentParser:
    """Return a parser with the folder of the rows, and whether their report is wanted alone."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=Path("docs/effects"))
    parser.add_argument("--report", action="store_true", help=report)
    return parser
