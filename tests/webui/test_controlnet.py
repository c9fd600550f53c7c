"""ControlNet over time with the real sd-webui-controlnet: each frame has a hint of its own, in windows and in hires.

VCD_PEERS names the folder that the extension lies in, at its commit 56cec5b; without it these tests are skipped.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from tests.webui.conftest import start
from tests.webui.server import REPOSITORY, WEBUI, Result, Server, as_base64
from tests.webui.test_video import lsb
from vcd_ext import media
from vcd_ext.hosts.diffusers.guides import Guide, load_guides
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.media import Clip
from vcd_ext.settings import GenerateSettings, VideoSettings

PEER = Path(os.environ.get("VCD_PEERS", "~/peers")).expanduser() / "sd-webui-controlnet"
LEFT_OUT = ("install.py", "models", ".git")  # it would install and download; its models are those below
MOVING = {"motion_module": "mm_v2", "frames": 6, "context": 4, "overlap": 2}
UNIT = {"enabled": True, "module": "none", "model": "control_sd15_tiny"}
WINDOWS = [[0, 1, 2, 3], [2, 3, 4, 5]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data folder with the extension, two ControlNets and a T2I-Adapter of the small checkpoint's size."""
    if not (WEBUI / "venv/bin/python").is_file():
        pytest.skip(f"there is no WebUI at {WEBUI} (set VCD_WEBUI to test against one)")
    if not (PEER / "scripts/controlnet.py").is_file():
        pytest.skip(f"there is no sd-webui-controlnet at {PEER} (set VCD_PEERS to test against it)")
    folder = tmp_path_factory.mktemp("webui")
    tiny.checkpoint(folder / "models/Stable-diffusion")
    tiny.motion_module(folder / "models/AnimateDiff")
    for seed, name in enumerate(("control_sd15_tiny", "control_sd15_other")):
        tiny.controlnet(folder / "models/ControlNet", name, seed=seed)
    tiny.t2i_adapter(folder / "models/ControlNet")
    extension = folder / "extensions/sd-webui-controlnet"
    extension.mkdir(parents=True)
    for path in PEER.iterdir():
        if path.name not in LEFT_OUT:
            (extension / path.name).symlink_to(path)
    (extension / "models").mkdir()
    # A package that it imports at its start, for a preprocessor that is not used here.
    (extension / "controlnet_aux").mkdir()
    stand_in = {"__init__": "SamDetector", "segment_anything": "sam_model_registry = SamAutomaticMaskGenerator"}
    for file, names in stand_in.items():
        (extension / "controlnet_aux" / f"{file}.py").write_text(f"{names} = object\n")
    (folder / "extensions/vcd-webui").symlink_to(REPOSITORY)
    (folder / "extensions/probe").symlink_to(Path(__file__).with_name("probe"))
    return folder


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    running = start(data, "--nowebui")  # a page takes long to be built, and nobody looks at it here
    running.post("/probe/controlnet/small", width=32).raise_for_status()
    yield running
    running.stop()


def levels(count: int, height: int = 64, width: int = 64) -> np.ndarray:
    """Return frames of which each is one level of grey: 10 times its number, and 10."""
    grey = 10 * np.arange(1, count + 1, dtype=np.uint8)
    return np.ascontiguousarray(np.broadcast_to(grey[:, None, None, None], (count, height, width, 3)))


@pytest.fixture(scope="module")
def hints(data: Path) -> Path:
    return media.write(data / "videos/hints", Clip(levels(7), 8))


def generate(server: Server, vcd: dict | None, *units: dict, path: str = "txt2img", **request: Any) -> Result:
    answer = ask(server, vcd, *units, path=path, **request)
    assert answer.status_code == 200, answer.text[:2000]
    return Result(answer.json())


def ask(server: Server, vcd: dict | None, *units: dict, path: str = "txt2img", **request: Any) -> Any:
    section = {"ControlNet": {"args": list(units)}} if units else {}
    if vcd is not None:
        section["VCD"] = {"args": [{"enabled": True, **vcd}]}
    return server.ask(None, path, alwayson_scripts=section, **request)


def seen(server: Server) -> list[dict]:
    return list(server.get("/probe/controlnet/calls"))


def shown(frames: list[int], videos: int = 2) -> list[int]:
    """Return the levels of the rows that hold so many videos of these frames."""
    return [10 * (frame + 1) for frame in frames] * videos


@pytest.fixture
def watched(server: Server) -> Server:
    server.post("/probe/controlnet/watch").raise_for_status()
    return server


def test_each_row_of_each_window_has_the_hint_of_its_frame(watched: Server, hints: Path) -> None:
    result = generate(watched, {**MOVING, "control_video": str(hints)}, UNIT)
    calls = seen(watched)
    assert [call["levels"] for call in calls] == [shown(window) for window in WINDOWS] * 2
    assert len(result.frames) == 6, "and none of the hints is among them"
    assert "VCD hints: hints" in result.infotext
    plain = generate(watched, MOVING)
    assert not np.array_equal(result.frames, plain.frames)


def test_both_hosts_make_the_same_frames(watched: Server, hints: Path, data: Path) -> None:
    asked: dict[str, Any] = {**MOVING, "control_video": str(hints), "control_frames": "1, 4", "control_reach": 3}
    theirs = generate(watched, asked, {**UNIT, "weight": 0.7})
    host = Standalone.load(data / "models/Stable-diffusion/tiny.safetensors")
    wanted = GenerateSettings("a photo of a cat", "blurry", 64, 64, steps=2, cfg_scale=7.0, seed=7)
    video = VideoSettings(**(asked | {"motion_module": "none", "control_video": ""}))
    guide = Guide("hints", data / "models/ControlNet/control_sd15_tiny.safetensors", str(hints), 0.7)
    controls = load_guides([guide], host.unet, wanted, video, None, lambda _: None)
    ours = host.generate(wanted, video, data / "models/AnimateDiff/mm_v2.safetensors", controls=controls)
    assert lsb(ours.frames, theirs.frames) <= 1


def test_one_picture_for_all_frames_is_a_video_of_it(watched: Server, hints: Path, data: Path) -> None:
    still = media.write(data / "videos/still", Clip(np.repeat(levels(3)[2:], 6, axis=0), 8))
    by_video = generate(watched, {**MOVING, "control_video": str(still)}, UNIT)
    by_picture = generate(watched, MOVING, {**UNIT, "image": as_base64(levels(3)[2]), "save_detected_map": False})
    # One row is computed for all frames there, and each row here: in another order of sums.
    assert np.abs(by_video.frames.astype(int) - by_picture.frames).max() <= 1


def test_each_unit_has_a_folder_of_its_own_in_its_tab_batch(watched: Server, hints: Path, data: Path) -> None:
    dark = media.write(data / "videos/dark.mp4", Clip(np.zeros((6, 64, 64, 3), np.uint8), 8))
    units = (
        {**UNIT, "input_mode": "batch", "batch_images": str(hints)},
        {**UNIT, "model": "control_sd15_other", "input_mode": "batch", "batch_images": str(dark)},
    )
    result = generate(watched, MOVING, *units)
    calls = seen(watched)
    assert [call["levels"] for call in calls[::2]] == [shown(window) for window in WINDOWS] * 2
    assert {level for call in calls[1::2] for level in call["levels"]} == {0}
    assert len(result.frames) == 6


def test_a_unit_for_inpainting_has_one_picture_for_all_frames_of_all_windows(watched: Server, hints: Path) -> None:
    mask = np.zeros((64, 64, 3), np.uint8)
    mask[16:48, 16:48] = 255
    painted: dict[str, Any] = {"module": "inpaint_only", "image": as_base64(levels(3)[2]), "mask": as_base64(mask)}
    result = generate(watched, MOVING, UNIT | painted | {"save_detected_map": False})
    assert len(result.frames) == 6
    assert not np.array_equal(result.frames, generate(watched, MOVING).frames)


def test_key_frames_fall_from_their_weight_and_leave_the_others_alone(watched: Server, hints: Path) -> None:
    keyed = {**MOVING, "control_video": str(hints), "control_frames": "0", "control_reach": 1}
    one = generate(watched, {**keyed, "motion_module": "none"}, UNIT, batch_size=1)
    none = generate(watched, {**MOVING, "motion_module": "none"})
    assert not np.array_equal(one.frames[0], none.frames[0])
    assert np.array_equal(one.frames[1:], none.frames[1:])
    assert "VCD controlnet key frames: 0" in one.infotext
    far = generate(watched, {**keyed, "motion_module": "none", "control_reach": 2}, UNIT)
    assert np.array_equal(far.frames[0], one.frames[0])
    changed = [not np.array_equal(a, b) for a, b in zip(far.frames, none.frames, strict=True)]
    assert changed == [True, True, False, False, False, False]


def test_hires_has_hints_of_its_own_size(watched: Server, hints: Path) -> None:
    hires: dict[str, Any] = {
        "enable_hr": True,
        "hr_scale": 2,
        "hr_upscaler": "Latent",
        "denoising_strength": 0.7,
        "steps": 1,
    }
    generate(watched, {**MOVING, "control_video": str(hints)}, UNIT, **hires)
    calls = seen(watched)
    assert {tuple(call["size"]) for call in calls} == {(64, 64), (128, 128)}
    assert [call["levels"] for call in calls] == [shown(window) for window in WINDOWS] * (len(calls) // 2)


def test_a_t2i_adapter_looks_at_each_windows_hints(watched: Server, hints: Path) -> None:
    unit = {**UNIT, "model": "t2iadapter_sd15_tiny"}
    generate(watched, {**MOVING, "control_video": str(hints)}, unit)
    assert [call["levels"] for call in seen(watched)] == [shown(window) for window in WINDOWS] * 2


def test_a_video_that_is_made_again_gives_its_own_frames(watched: Server, hints: Path) -> None:
    generate(watched, {**MOVING, "video": str(hints)}, UNIT, path="img2img", init_images=[], denoising_strength=1.0)
    calls = seen(watched)
    assert [call["levels"] for call in calls[:2]] == [shown(window) for window in WINDOWS]


@pytest.mark.parametrize("stage", ["face", "tiled"])
def test_nothing_of_it_reaches_what_follows_the_video(watched: Server, hints: Path, stage: str) -> None:
    vcd = {
        **MOVING,
        "control_video": str(hints),
        "face_size": 64,
        "face_min_face": 8,
        "tiled_controlnet": "none",
        "tiled_tile": 128,
        "tiled_tile_overlap": 32,
    }
    watched.post("/probe/face", there=True).raise_for_status()
    try:
        alone = generate(watched, vcd, UNIT)
        sampled = len(seen(watched))
        watched.post("/probe/controlnet/watch").raise_for_status()
        both = generate(watched, {**vcd, stage: True}, UNIT)
    finally:
        watched.post("/probe/face", there=False).raise_for_status()
    assert len(seen(watched)) == sampled
    assert both.extra.get("VCD errors", []) == []
    assert len(alone.frames) == len(both.frames) == 6
    assert alone.frames.shape != both.frames.shape or not np.array_equal(alone.frames, both.frames), "it did something"


def test_all_is_as_before_afterwards_and_after_an_error(watched: Server, hints: Path) -> None:
    plain, before = generate(watched, None), watched.get("/probe/fingerprint")
    generate(watched, {**MOVING, "control_video": str(hints)}, UNIT)
    assert watched.get("/probe/fingerprint") == before
    watched.post("/probe/raise", after=1).raise_for_status()
    assert ask(watched, {**MOVING, "control_video": str(hints)}, UNIT).status_code == 500
    left = watched.get("/probe/controlnet/left")
    assert left["hints"] == [[12, True]], "what the extension had made, which it keeps until its next run"
    assert np.array_equal(generate(watched, None).frames, plain.frames)
    assert watched.get("/probe/fingerprint") == before


def refused(server: Server, vcd: dict, *units: dict, **request: Any) -> str:
    answer = ask(server, {**MOVING, **vcd}, *units, **request)
    assert answer.status_code == 422, answer.text[:500]
    return str(answer.json()["detail"])


def test_what_cannot_work_is_refused_in_a_sentence(watched: Server, hints: Path, data: Path) -> None:
    (data / "videos/broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42 and no more")
    batch = {**UNIT, "input_mode": "batch"}
    said = refused(watched, {"frames": 9, "control_video": str(hints)}, UNIT)
    assert said.startswith("ControlNet unit 0: hints has 7 pictures for 9 frames; give one for each frame")
    assert "broken.mp4 is damaged" in refused(watched, {"control_video": str(data / "videos/broken.mp4")}, UNIT)
    assert "does not exist" in refused(watched, {}, {**batch, "batch_images": str(data / "videos/none")})
    assert "no unit of sd-webui-controlnet takes it" in refused(watched, {"control_video": str(hints)})
    assert "it is on and has no picture" in refused(watched, {}, UNIT)
    keys = {"control_video": str(hints), "control_frames": "3, 6"}
    assert "key frame 6 is beyond the end: the 6 frames are 0 to 5" in refused(watched, keys, UNIT)
    lines = {**batch, "batch_images": f"{hints}\nmask:{hints}"}
    assert "hints without masks" in refused(watched, {}, lines)
    for module in ("inpaint_only", "ip-adapter_clip_sd15"):
        one = refused(watched, {}, {**batch, "module": module, "batch_images": str(hints)})
        assert (
            one == f"ControlNet unit 0: its preprocessor {module} takes one picture for the whole video; give it one."
        )
        alone = refused(watched, {"control_video": str(hints)}, {**UNIT, "module": module})
        assert "no unit of sd-webui-controlnet takes it" in alone
    missing = refused(watched, {"control_video": str(hints)}, {**UNIT, "model": "control_sd15_missing"})
    assert missing.startswith("sd-webui-controlnet did not start: model not found")
    assert seen(watched) == [], "before anything was computed"
