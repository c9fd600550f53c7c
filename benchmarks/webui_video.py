"""What VCD costs in the real WebUI, on SD1.5's true sizes, beside a plain batch and a peer in the same process.

    python -m benchmarks.webui_video [--peer PATH_OF_SD_WEBUI_ANIMATEDIFF] [--keep FOLDER] [--rounds 5]

About 10 minutes on 2 CPU cores and 12 GiB of memory; needs the WebUI that tests/webui uses. Weights are random:
they cost the same time. One run is 8 frames of 128x128, 2 Euler steps, CFG 7.5. Expected on 2 cores: time inside the
UNet at most 1.25 times the plain batch's, the whole run at most 0.93 of the peer's; memory of the module's weights.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from tests import tiny
from tests.webui.server import REPOSITORY as ROOT
from tests.webui.server import Server

GIB = 2**30
FRAMES = 8
REQUEST: dict[str, Any] = {"width": 128, "height": 128, "steps": 2, "cfg_scale": 7.5, "sampler_name": "Euler"}


def data_folder(folder: Path, peer: Path | None) -> Path:
    """Full-size models and the extensions; made once in `folder`."""
    models = folder / "models"
    if not (models / "Stable-diffusion").is_dir():
        tiny.full_size_checkpoint(models / "Stable-diffusion")
        tiny.full_size_motion_module(models / "AnimateDiff")
    extensions = {"vcd-webui": ROOT, "probe": ROOT / "tests/webui/probe"}
    if peer is not None:
        extensions["sd-webui-animatediff"] = peer
    (folder / "extensions").mkdir(exist_ok=True)
    for name, target in extensions.items():
        if not (folder / "extensions" / name).exists():
            (folder / "extensions" / name).symlink_to(target.resolve())
    return folder


class Bench:
    """One WebUI and the ways to run the same batch in it."""

    def __init__(self, server: Server, module: str, peer: bool):
        self.server = server
        length = {"video_length": FRAMES, "batch_size": FRAMES}
        off = {"AnimateDiff": {"args": [{"enable": False}]}} if peer else {}  # what it has of itself it cannot read
        self.scripts: dict[str, dict[str, Any]] = {
            "plain": off,
            "VCD": off
            | {"VCD": {"args": [{"enabled": True, "motion_module": module, "frames": FRAMES, "formats": ["gif"]}]}},
            "peer": {"AnimateDiff": {"args": [{"enable": True, "model": module, **length, "format": ["GIF"]}]}},
        }

    def run(self, kind: str) -> dict[str, float]:
        """Seconds of one run, seconds inside the UNet, and GiB resident after it."""
        self.server.get("/probe/unet")
        batch = {"batch_size": FRAMES} if kind == "plain" else {}
        start = time.perf_counter()
        answer = self.server.post(
            "/sdapi/v1/txt2img", prompt="a cat", seed=1, alwayson_scripts=self.scripts[kind], **REQUEST, **batch
        )
        total = time.perf_counter() - start
        answer.raise_for_status()
        assert len(answer.json()["images"]) >= 1
        unet = self.server.get("/probe/unet")
        assert unet["calls"] == REQUEST["steps"], unet
        return {"total": total, "unet": unet["seconds"], "resident": self.server.get("/probe/memory") / GIB}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, help="a clone of sd-webui-animatediff, to run beside VCD")
    parser.add_argument("--keep", type=Path, help="folder to make the models in and keep")
    parser.add_argument("--rounds", type=int, default=5, help="warm runs of each kind, of which the best counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = data_folder(options.keep or Path(temporary), options.peer)
        weights = sum(path.stat().st_size for path in (folder / "models/AnimateDiff").iterdir()) * 2 / GIB
        if options.peer is not None:
            link = options.peer / "model" / "mm_v2.safetensors"
            if not link.exists():
                link.symlink_to((folder / "models/AnimateDiff/mm_v2.safetensors").resolve())
        server = Server(folder)
        try:
            peer = options.peer is not None
            report(Bench(server, "mm_v2.safetensors", peer), options.rounds, peer, weights)
        finally:
            server.stop()


def report(bench: Bench, rounds: int, with_peer: bool, weights: float) -> None:
    """Run everything in turn and print the table."""
    bench.run("plain")  # the WebUI's own first run
    kinds = ["plain", "VCD", *(["peer"] if with_peer else [])]
    first = {kind: bench.run(kind) for kind in kinds}
    warm: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            warm[kind].append(bench.run(kind))
    # The best of the rounds: what else the machine does only ever adds time.
    best = {kind: {what: min(run[what] for run in runs) for what in ("total", "unet")} for kind, runs in warm.items()}
    print("| | plain | VCD | ratio |" + (" peer | ratio | VCD / peer |" if with_peer else ""))
    print("|---|---|---|---|" + ("---|---|---|" if with_peer else ""))
    for title, rows, what in (
        ("UNet, warm (s)", best, "unet"),
        ("whole run, warm (s)", best, "total"),
        ("whole run, first (s)", first, "total"),
    ):
        plain, vcd = rows["plain"][what], rows["VCD"][what]
        line = f"| {title} | {plain:.2f} | {vcd:.2f} | {vcd / plain:.2f} |"
        if with_peer:
            peer = rows["peer"][what]
            line += f" {peer:.2f} | {peer / plain:.2f} | {vcd / peer:.2f} |"
        print(line)
    extra = first["VCD"]["resident"] - first["plain"]["resident"]
    print(
        f"| memory added (GiB) | | {extra:.2f} | {extra / weights:.2f} of the weights |"
        + (" | | |" if with_peer else "")
    )


if __name__ == "__main__":
    main()
