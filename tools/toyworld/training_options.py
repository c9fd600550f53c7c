"""The options that every training here has."""

import argparse


def add_training_options(parser: argparse.ArgumentParser, save_every: int) -> None:
    """Add where and how long a training runs, and how often it saves its state. save_every: steps, unless chosen."""
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="processes that draw")
    parser.add_argument("--save-every", type=int, default=save_every)
    parser.add_argument("--export", action="store_true", help="write the file also if this is not the last step")
    parser.add_argument("--stop-at", type=int, default=None, help="stop after this step, to go on later")
