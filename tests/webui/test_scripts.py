"""Every script that comes with the WebUI makes one video for each of its pictures, or is refused by name at once."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.webui.server import REPOSITORY, WEBUI, Result, Server, as_base64
from tests.webui.test_video import lsb
from vcd_ext import media
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.loras import lora_files
from vcd_ext.settings import GenerateSettings, VideoSettings

MOTION = {"motion_module": "mm_v2", "frames": 3, "formats": ["gif"]}
CHEAP: dict[str, Any] = {"steps": 1, "cfg_scale": 1.0}
PICTURE = as_base64(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
IMG2IMG: dict[str, Any] = {"path": "img2img", "init_images": [PICTURE], "denoising_strength": 0.6}


def defaults(server: Server, title: str, is_img2img: bool) -> list[Any]:
    """Return the values of a script's controls as the page shows them at first."""
    found = (each for each in server.get("/sdapi/v1/script-info") if each["name"] == title.lower())
    script = next((each for each in found if each["is_img2img"] == is_img2img), {"args": []})
    return [arg.get("value") for arg in script["args"]]


def run(server: Server, title: str, changed: dict[int, Any], vcd: dict, **request: Any) -> Result:
    args = defaults(server, title, request.get("path") == "img2img")
    for place, value in changed.items():
        args[place] = value
    return server.generate(vcd, script_name=title, script_args=args, **CHEAP | request)


def prompts(result: Result) -> list[str]:
    """Of the videos that page and API are told of."""
    return [media.read(path).metadata["parameters"].splitlines()[0] for path in result.videos]


def test_prompt_matrix_makes_a_video_of_each_combination(server: Server) -> None:
    result = run(server, "Prompt matrix", {}, MOTION, prompt="a cat|asleep|outside")
    assert prompts(result) == ["a cat", "a cat, asleep", "a cat, outside", "a cat, asleep, outside"]
    assert len(result.frames_of_any_size) == 1 + 4, "the grid, and a picture of each"
    alone = server.generate({**MOTION, "formats": ["png"]}, prompt="a cat, outside", **CHEAP)
    assert lsb(result.frames_of_any_size[1 + 2][None], alone.frames[:1]) <= 1
    assert [info.splitlines()[0] for info in result.info["infotexts"][1:]] == prompts(result)


def test_prompt_matrix_with_different_seeds_gives_each_video_its_own(server: Server) -> None:
    result = run(server, "Prompt matrix", {1: True, 2: "negative"}, MOTION, negative_prompt="blurry|dark")
    assert [int(path.stem.split("-")[1]) for path in result.videos] == [7, 8]
    assert "Negative prompt: blurry, dark" in media.read(result.videos[1]).metadata["parameters"]


def test_prompts_from_file_makes_a_video_of_each_line(server: Server) -> None:
    lines = 'a cat\na dog\n--prompt "a fish" --steps 2 --n_iter 2'
    result = run(server, "Prompts from file or textbox", {3: lines}, MOTION, prompt="")
    assert prompts(result) == ["a cat", "a dog", "a fish", "a fish"]
    assert len(set(result.videos)) == 4
    assert result.frames.shape[0] == 4 * 3


@pytest.mark.parametrize("values", ["0, 0.4"])
def test_xyz_plot_tells_of_all_videos(server: Server, values: str) -> None:
    args = defaults(server, "X/Y/Z plot", False)
    axes = next(s for s in server.get("/sdapi/v1/script-info") if s["name"] == "x/y/z plot")["args"][0]["choices"]
    changed = {0: axes.index("[VCD] Gamma"), 1: values, 3: axes.index("Seed"), 4: "5, 9", 6: 0}
    assert len(args) > 6
    result = run(server, "X/Y/Z plot", changed, MOTION)
    assert len(set(result.videos)) == 4
    infotexts = [media.read(path).metadata["parameters"] for path in result.videos]
    assert [("VCD gamma: 0.4" in text, "Seed: 9" in text) for text in infotexts] == [
        (False, False),
        (True, False),
        (False, True),
        (True, True),
    ]
    assert not any("VCD videos" in text for text in [*infotexts, *result.info["infotexts"]])


def test_a_plots_cells_are_the_videos_of_the_other_host(server: Server, data: Path) -> None:
    axes = next(s for s in server.get("/sdapi/v1/script-info") if s["name"] == "x/y/z plot")["args"][0]["choices"]
    places = {
        0: axes.index("[VCD] Motion LoRA"),
        2: ["none", "v2_lora_PanLeft"],
        3: axes.index("[VCD] Closed loop"),
        5: ["False", "True"],
        6: 0,
    }
    wanted = {**MOTION, "frames": 6, "context": 4, "overlap": 2, "formats": ["webp"], "lossless": True}
    result = run(server, "X/Y/Z plot", places, wanted)
    host = Standalone.load(data / "models/Stable-diffusion/tiny.safetensors")
    host.loras = lora_files([data / "models/Lora"])
    picture = GenerateSettings("a photo of a cat", "blurry", 64, 64, seed=7, **CHEAP)
    module = data / "models/AnimateDiff/mm_v2.safetensors"
    found = {}
    for clip in map(media.read, result.videos):
        told = clip.metadata["parameters"]
        lora = "v2_lora_PanLeft" if "VCD motion lora: v2_lora_PanLeft" in told else "none"
        found[lora, "VCD closed loop: True" in told] = clip.frames
    assert len(found) == 4, "each has its own settings in its infotext, and none of an earlier cell's"
    for (lora, loop), frames in found.items():
        video = VideoSettings(frames=6, context=4, overlap=2, motion_lora=lora, loop=loop)
        assert lsb(host.generate(picture, video, module).frames, frames) <= 1, (lora, loop)
    assert all(lsb(one, two) > 1 for one, two in combinations(found.values(), 2)), "each cell is another video"


def test_what_a_cell_of_a_plot_cannot_have_is_refused_before_the_first(server: Server) -> None:
    axes = next(s for s in server.get("/sdapi/v1/script-info") if s["name"] == "x/y/z plot")["args"][0]["choices"]
    changed = {0: axes.index("[VCD] Gamma"), 1: "0.1, 7", 3: 0, 6: 0}
    args = defaults(server, "X/Y/Z plot", is_img2img=False)
    for place, value in changed.items():
        args[place] = value
    answer = server.ask(MOTION, script_name="X/Y/Z plot", script_args=args, **CHEAP)
    assert answer.json()["errors"] == "X/Y/Z plot, Gamma: gamma is 7.0; it must be from 0 to 0.5."


def test_loopback_makes_the_whole_video_again_in_each_loop(server: Server) -> None:
    server.post("/probe/company", what=[]).raise_for_status()
    result = run(server, "Loopback", {0: 2}, MOTION, **IMG2IMG)
    assert len(set(result.videos)) == 2
    first, second = (_spread(np.array(alike)) for alike in server.get("/probe/company")["alike"])
    # The first begins with one picture, but for what the WebUI's encoder draws; the second with the first's frames.
    assert second > 10 * first


def _spread(products: np.ndarray) -> float:
    """Return the mean square by which the frames' latents lie apart."""
    squares = np.diagonal(products)
    return float((squares[:, None] + squares - 2 * products).mean())


def test_loopback_takes_a_video_without_a_picture(server: Server, data: Path) -> None:
    walk = np.random.default_rng(1).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
    folder = media.write(data / "videos" / "looped", media.Clip(walk, 5))
    vcd = {**MOTION, "video": str(folder)}
    result = run(server, "Loopback", {0: 2}, vcd, path="img2img", init_images=[], denoising_strength=0.6)
    assert [media.read(path).fps for path in result.videos] == [5, 5]
    assert [len(media.read(path).frames) for path in result.videos] == [2, 2]


def test_a_script_that_runs_on_copies_has_all_its_videos_listed(server: Server) -> None:
    result = server.generate(MOTION, script_name="Probe's pairs", script_args=[], prompt="a cat", **CHEAP)
    assert prompts(result) == ["a cat, red", "a cat, blue"]


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("SD upscale", "Tiled VCD"),
        ("Outpainting mk2", "part"),
        ("Poor man's outpainting", "part"),
        ("img2img alternative test", "noise"),
        ("Probe's tiles", "pictures of its own"),
    ],
)
def test_what_cannot_make_videos_is_refused_by_name(server: Server, title: str, word: str) -> None:
    server.get("/probe/unet")
    args = defaults(server, title, True)
    answer = server.ask(MOTION, script_name=title, script_args=args, **CHEAP | IMG2IMG)
    assert answer.status_code == 422, answer.text[:500]
    sentence = answer.json()["detail"]
    assert f"'{title}'" in sentence
    assert word in sentence
    assert server.get("/probe/unet")["calls"] == 0


def test_a_script_of_tiles_still_makes_pictures(server: Server) -> None:
    result = server.generate({**MOTION, "frames": 1}, script_name="Probe's tiles", script_args=[], **CHEAP | IMG2IMG)
    assert result.frames.shape[0] == 2


def test_no_script_of_the_webui_is_forgotten() -> None:
    """Each of its files is tried above, or makes no pictures of its own."""
    tried = {"prompt_matrix", "prompts_from_file", "xyz_grid", "loopback", "sd_upscale", "outpainting_mk_2"}
    tried |= {"poor_mans_outpainting", "img2imgalt"}
    other = {"custom_code", "postprocessing_codeformer", "postprocessing_gfpgan", "postprocessing_upscale"}
    assert REPOSITORY.is_dir()
    assert {path.stem for path in (WEBUI / "scripts").glob("*.py")} == tried | other
