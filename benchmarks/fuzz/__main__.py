"""The command: see the package's docstring."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import hypothesis
import numpy as np
from PIL import Image

import benchmarks.fuzz
from benchmarks.fuzz.drawn import Asked, given, requests
from benchmarks.fuzz.judge import Judge
from benchmarks.reliability import data
from tests.webui.server import Server
from vcd_ext import media
from vcd_ext.settings import VideoSettings, json_schema

BATCH = 20  # requests of one seed: hypothesis soon draws what is like what it has drawn
EVERY = 50  # requests after which model, files and memory are looked at
MEBIBYTE = 2**20
MARKER = "canary-of-a-file-that-nobody-may-read"
NAMES = {
    "name": ["fuzzling", "fuzzling two", "fuzz-ling"],
    "class_word": ["dog", "toy car"],
    "people": ["", "1: tinyperson"],
    "face_people": ["", "1: tinyperson; 2: -"],
    "words": ["", "dog head"],
    "identity": ["none", "tinyperson"],
    "motion_module": ["none", "mm_v2"],
    "sampler": ["", "Euler"],
    "upscaler": ["", "Lanczos"],
    "tiled_upscaler": ["", "Lanczos"],
    "controlnet": ["none", "auto"],
    "tiled_controlnet": ["none", "auto"],
    "detector": ["drawn", "auto", "blazeface"],
    "face_detector": ["drawn", "blazeface"],
}


def fuzz(home: Path, count: int, seed: int) -> Judge:
    """Send requests to a WebUI whose data lie in a folder; what was found."""
    folder = data.folder(home / "webui")
    frames = np.random.default_rng(seed).integers(0, 255, (4, 64, 64, 3), np.uint8)
    films = [media.write(folder / "outputs" / f"walk{suffix}", media.Clip(frames, 8)) for suffix in (".mp4", ".gif")]
    outside = home / "private"
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(films[0].read_bytes())
    (outside / "secret.txt").write_text(MARKER)
    photos = []
    for i in range(2):
        photos.append(home / f"{i}.png")
        Image.fromarray(np.random.default_rng(i).integers(0, 255, (64, 64, 3), np.uint8)).save(photos[-1])
    server = Server(folder, "--ckpt", str(folder / "models" / "Stable-diffusion" / "tiny.safetensors"))
    try:
        known = given(NAMES, films, photos, [outside / "secret.mp4", outside, outside / "secret.txt"])
        judge = Judge(server, home, MARKER)
        _send(judge, requests(server.get("/openapi.json"), json_schema(VideoSettings), known), count, seed)
        judge.look()
        return judge
    finally:
        server.stop()


def _send(judge: Judge, drawn: "hypothesis.strategies.SearchStrategy[Asked]", count: int, seed: int) -> None:
    """Ask until so many requests have been sent, none of them twice."""
    seen: set[str] = set()

    @hypothesis.settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(drawn)
    def ask(asked: Asked) -> None:
        if repr(asked) in seen or len(seen) == count:
            return
        seen.add(repr(asked))
        judge.ask(asked)
        if len(seen) % EVERY == 0:
            judge.look()

    while len(seen) < count:
        hypothesis.seed(seed)(ask)()
        seed += 1


def table(judge: Judge, seed: int, seconds: float) -> str:
    """Return what was found, as Markdown."""
    quarters = [judge.memory[(len(judge.memory) - 1) * i // 4] // MEBIBYTE for i in range(1, 5)]
    answers = ", ".join(f"{count} of {status}" for status, count in sorted(judge.answers.items()))
    rows = {
        "requests": sum(judge.answers.values()),
        "answers": answers,
        "jobs that began, and ended before the next request": judge.begun,
        "answers of 500 and above": sum(count for status, count in judge.answers.items() if status >= "500"),
        "files where none belongs": sum("where none belongs" in line for line in judge.wrong),
        "answers that told what may not be read": sum("may not be read" in line for line in judge.wrong),
        "left on the model (to the bit)": sum("left on the model" in line for line in judge.wrong),
        "refusals without a sentence, jobs that hung or ended in a traceback": sum(
            any(words in line for words in ("no sentence", "its job")) for line in judge.wrong
        ),
        "resident memory after each quarter of them": f"{', '.join(map(str, quarters))} MiB",
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    head = f"`python -m benchmarks.fuzz --requests {rows['requests']} --seed {seed}`, {seconds / 60:.0f} minutes."
    return "\n".join([head, "", "| | |", "|---|---|", *lines, ""])


def main() -> int:
    """Send the requests and print the table; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz",
        description=benchmarks.fuzz.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where the table is written to as well")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        judge = fuzz(Path(home), arguments.requests, arguments.seed)
    written = table(judge, arguments.seed, time.monotonic() - began)
    print(written, *judge.wrong, sep="\n")
    if arguments.out:
        arguments.out.write_text(written, encoding="utf-8")
    return 1 if judge.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
