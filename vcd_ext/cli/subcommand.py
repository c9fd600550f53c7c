"""What is said of every subcommand, and what its `add` begins with."""

import argparse
from collections.abc import Callable
from typing import Any

Run = Callable[[argparse.Namespace], int]
GRADIO = "gradio==3.41.2"  # the WebUI's
# By name: a line for the list of them, and what its own --help begins with.
TOLD = {
    "generate": (
        "make a video from text, or from another video",
        "Make a video with a Stable Diffusion 1.5 checkpoint, without the WebUI: from text, or with "
        "--input a video again, at the strength of --denoise. With --face and --tiled its faces are painted anew and "
        "it is enlarged, right after that.",
    ),
    "face": (
        "repair the faces of a video, with an identity",
        "Find the faces of a video, follow each, paint them anew as a video with the identity, and put "
        "them back. Nothing else of the picture changes. Ctrl-C keeps the faces that are finished.",
    ),
    "tiled": (
        "make a video twice as large, with an identity",
        "Enlarge a video to twice its width and height and paint its detail anew, in tiles that nobody "
        "sees. Ctrl-C keeps the frames that are finished.",
    ),
    "train": (
        "learn an identity from photos",
        "Learn someone or something from 5 to 10 photos, as an embedding of a few kilobytes whose name "
        "stands for it in prompts. Ctrl-C saves where the training is; the same command goes on from there.",
    ),
    "batch": (
        "many identities and videos from one file",
        "Make everything that a plan in TOML lists: identities to train, videos of them. What is there "
        "and was made with the same settings is kept; Ctrl-C loses nothing that is finished, and the same command "
        "goes on from there.",
    ),
    "evaluate": (
        "compare methods as the paper does: videos, measures and a report from one file",
        "Make the videos of a protocol in TOML, measure them, and write a report that compares its "
        "methods. What is there is kept, as by `batch`.",
    ),
    "ui": (
        "the tabs as a page of their own, without the WebUI",
        "Serve the tabs Train ID, Face VCD, Tiled VCD and Compare to this machine's browsers, without the "
        "WebUI. It needs gradio: "
        f"pip install {GRADIO}",
    ),
    "demo": (
        "the whole method on the small drawn world that ships with the project",
        "Learn a drawn woman from eight pictures, make videos of her without and with the noise prior, and "
        "write them with a report. Nothing is downloaded.",
    ),
    "toyworld": (
        "copy the drawn world's checkpoint and motion module into a WebUI",
        "Copy the small checkpoint and motion module that ship with the project into a WebUI's folders, to "
        "try everything there before downloading gigabytes. Its size is 128x128; CFG scale 4.5 and 10 steps suit it.",
    ),
    "doctor": (
        "say what is installed, found and missing",
        "Say what is installed, found and missing; exit status 0 if `generate` can work.",
    ),
}


def subcommand(commands: Any, name: str, run: Run) -> argparse.ArgumentParser:
    """Add a subcommand to those of a parser and return its own parser, for its options. run: what it does."""
    line, description = TOLD[name]
    command: argparse.ArgumentParser = commands.add_parser(name, help=line, description=description)
    command.set_defaults(run=run)
    return command
