"""Attaching a motion module of true size to a UNet of true size, and the file's reading.

    python -m benchmarks.motion [--keep FOLDER]

About a minute and 6 GiB on a CPU, without running the UNet. Expected: attaching and detaching together below 50 ms
once the module is loaded and in the UNet's precision.
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

from tests import tiny
from vcd_ext.motion import attached, load

UNET = {
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="folder to make the module in and keep")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        path = (options.keep or Path(temporary)) / "mm_v2.safetensors"
        if not path.exists():
            tiny.full_size_motion_module(path.parent)
        start = time.perf_counter()
        module = load(path)
        reading = time.perf_counter() - start
        unet = UNet2DConditionModel(**UNET).to(torch.float16)
        times = []
        for _ in range(20):
            start = time.perf_counter()
            with attached(unet, module, 16):
                pass
            times.append(time.perf_counter() - start)
        print(f"read the file: {reading:.2f} s; attach and detach: {1000 * max(times):.1f} ms at worst of {len(times)}")
        print(f"reading again for each video would cost {reading / max(times):.0f} times as much")


if __name__ == "__main__":
    main()
