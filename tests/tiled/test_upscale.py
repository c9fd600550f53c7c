"""Tiled VCD on a toy host: what comes back, what the host is asked for, and what happens when something goes wrong."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.tiled.toy_host import ToyHost, noisy_frames
from vcd_ext.hosts.protocols import Picture, Tiling, VideoPass
from vcd_ext.settings import SettingError, TiledSettings
from vcd_ext.tiled import upscale
from vcd_ext.tiled.upscale import PAINTING

SMALL = TiledSettings(tile=64, tile_overlap=16, seed=5)
LEVEL = 1 / 255


def doubled(frames: np.ndarray) -> np.ndarray:
    return frames.repeat(2, axis=1).repeat(2, axis=2)


def shifted(levels: float) -> Callable[[Picture, int, int], Picture]:
    return lambda part, frame, tile: part + np.float32(levels * LEVEL)


class Stop:
    """Says stop from the n-th question on."""

    def __init__(self, after: int):
        self.after, self.asked = after, 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > self.after


@pytest.mark.parametrize("size", [(48, 64), (64, 48), (33, 47), (9, 7), (1, 1)], ids=str)
def test_a_denoiser_that_changes_nothing_gives_the_enlarged_video(size: tuple[int, int]) -> None:
    frames = noisy_frames(3, *size)
    result = upscale(ToyHost(), frames, SMALL)
    assert result.dtype == np.uint8
    assert result.shape == (3, 2 * size[0], 2 * size[1], 3)
    assert np.abs(result.astype(int) - doubled(frames)).max() <= 1


def test_the_host_sees_multiples_of_8_and_mirrored_edges() -> None:
    seen = []

    def look(part: Picture, frame: int, tile: int) -> Picture:
        seen.append(part)
        return part

    upscale(ToyHost(look), noisy_frames(1, 35, 51), replace(SMALL, tile=576))
    (canvas,) = seen
    assert canvas.shape == (72, 104, 3)
    assert np.array_equal(canvas[70:], canvas[68:66:-1])
    upscale(ToyHost(look), noisy_frames(1, 5, 51), replace(SMALL, tile=576))
    assert seen[-1].shape == (64, 104, 3), "the UNet halves the latents three times"


def test_values_are_rounded_once_and_not_cut() -> None:
    frames = np.full((1, 32, 32, 3), 100, np.uint8)
    for levels, expected in ((0.4, 100), (0.6, 101), (-0.6, 99), (300, 255), (-300, 0)):
        assert (upscale(ToyHost(shifted(levels)), frames, replace(SMALL, keep_colours=0)) == expected).all()


def test_colours_that_the_denoiser_shifts_come_back_and_its_detail_stays() -> None:
    frames = np.full((1, 64, 64, 3), 128, np.uint8)
    detail = np.random.default_rng(1).normal(0, 5 * LEVEL, (128, 128, 1)).astype(np.float32)
    host = ToyHost(lambda part, frame, tile: part + np.float32(20 * LEVEL) + detail)
    result = upscale(host, frames, replace(SMALL, tile=576)).astype(float)
    assert abs(result.mean() - 128) < 0.05
    assert result.std() == pytest.approx(5, rel=0.05)
    kept = upscale(host, frames, replace(SMALL, tile=576, keep_colours=0)).astype(float)
    assert kept.mean() == pytest.approx(148, abs=0.5)


def test_all_settings_reach_the_host() -> None:
    settings = TiledSettings(
        prompt="a lake", negative_prompt="fog", motion_module="mm_v2", denoise=0.3, steps=7, cfg_scale=4.0,
        sampler="Euler a", seed=9, gamma=0.1, context=8, context_overlap=2, tile=96, tile_overlap=32,
        controlnet="cn", controlnet_weight=0.5,
    )  # fmt: skip
    host = ToyHost()
    upscale(host, noisy_frames(), settings)
    work = VideoPass(
        prompt="a lake", negative_prompt="fog", denoise=0.3, steps=7, cfg_scale=4.0, sampler="Euler a", seed=9,
        gamma=0.1, motion_module="mm_v2", context=8, context_overlap=2, controlnet="cn", controlnet_weight=0.5,
    )  # fmt: skip
    assert host.runs == [(work, Tiling(96, 32, "", None))]


@pytest.mark.parametrize(("there", "used"), [([], "none"), (["one", "two"], "one")])
def test_the_controlnet_that_is_there_is_used_unless_it_is_forbidden(there: list[str], used: str) -> None:
    host = ToyHost()
    host.networks = there
    upscale(host, noisy_frames(), SMALL)
    upscale(host, noisy_frames(), replace(SMALL, controlnet="none"))
    assert [work.controlnet for work, _ in host.runs] == [used, "none"]


def test_defaults_are_those_of_the_paper_but_for_the_tiles() -> None:
    host = ToyHost()
    upscale(host, noisy_frames(), TiledSettings())
    ((work, tiling),) = host.runs
    assert (work.denoise, work.steps, work.context) == (0.2, 20, 16)
    assert tiling == Tiling(576, 128)
    assert work.seed >= 0, "the host takes no seed -1"


def test_the_papers_tiles_can_be_chosen() -> None:
    host = ToyHost()
    upscale(host, noisy_frames(), replace(SMALL, tile=512, tile_overlap=0))
    assert host.runs[0][1] == Tiling(512, 0)


def test_the_identity_is_named_where_it_is() -> None:
    host = ToyHost()
    settings = replace(SMALL, prompt="photo of a dog in a wood", identity="rexy")
    boxes = np.full((2, 1, 4), np.nan)
    boxes[0, 0] = 30, 4, 46, 20  # from 60 to 92 on the canvas; the upper tiles begin at 0, 32 and 64
    upscale(host, noisy_frames(2, 48, 64), settings, boxes=boxes)
    ((work, tiling),) = host.runs
    assert work.prompt == "photo of a dog in a wood, rexy"
    assert tiling.elsewhere == "photo of a dog in a wood"
    assert tiling.present is not None
    assert tiling.present.tolist() == [[False, True, True, False, False, False], [False] * 6]


def test_the_prompt_elsewhere_can_be_chosen() -> None:
    host = ToyHost()
    boxes = np.zeros((2, 1, 4))
    upscale(host, noisy_frames(), replace(SMALL, prompt="rexy", identity="rexy", elsewhere="a wood"), boxes=boxes)
    upscale(host, noisy_frames(), replace(SMALL, prompt="a dog in a wood", elsewhere="a wood"), boxes=boxes)
    assert [tiling.elsewhere for _, tiling in host.runs] == ["a wood", "a wood"]


@pytest.mark.parametrize("boxes", [None, np.full((2, 3, 4), np.nan), np.zeros((2, 0, 4))], ids=["none", "nan", "empty"])
def test_a_subject_that_is_not_tracked_may_be_everywhere(boxes: np.ndarray | None) -> None:
    host, notes = ToyHost(), []
    upscale(host, noisy_frames(), replace(SMALL, prompt="rexy", identity="rexy"), boxes=boxes, note=notes.append)
    assert host.runs[0][1] == Tiling(64, 16)
    assert notes == ([] if boxes is None else ["The subject was found in no frame; its name is used everywhere."])


OUT_OF_MEMORY = [
    torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:83] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
]


@pytest.mark.parametrize("fails_at", [-1, 1], ids=["while denoising", "while decoding"])
@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=["CUDA", "cuBLAS", "CPU", "Python"])
def test_out_of_memory_leads_to_smaller_windows(error: Exception, fails_at: int) -> None:
    host, notes = ToyHost(failures=[error, error], fails_at=fails_at), []
    frames = noisy_frames(3)
    long = frames[np.arange(16) % 3]
    result = upscale(host, long, replace(SMALL, seed=-1), note=notes.append)
    assert np.abs(result.astype(int) - doubled(long)).max() <= 1
    assert [(work.context, work.context_overlap) for work, _ in host.runs] == [(16, 4), (8, 2), (4, 1)]
    assert len({work.seed for work, _ in host.runs}) == 1, "a drawn seed stays"
    assert len(host.enlarged) == 16, "no frame is enlarged twice"
    assert notes == [
        "The memory was too small; it goes on with windows of 8 frames and tiles of 64.",
        "The memory was too small; it goes on with windows of 4 frames and tiles of 64.",
    ]
    assert host.attached == 0


def test_what_does_not_fit_at_all_is_said_in_a_sentence() -> None:
    host = ToyHost(failures=[MemoryError()] * 9)
    message = (
        r"^The memory is too small for 1024x16, even with windows of 4 frames and tiles of 256; close other programs, "
        r"load the checkpoint in half precision or use a smaller video\.$"
    )
    with pytest.raises(ValueError, match=message):
        upscale(host, noisy_frames(8, 8, 512), TiledSettings(context=8))
    assert [(work.context, tiling.size, tiling.overlap) for work, tiling in host.runs] == [
        (8, 576, 128),
        (4, 576, 128),
        (4, 384, 128),
        (4, 256, 128),
    ]


def test_other_errors_pass_and_the_host_is_left_in_order() -> None:
    host = ToyHost(failures=[RuntimeError("mat1 and mat2")], fails_at=1)
    with pytest.raises(RuntimeError, match="mat1"):
        upscale(host, noisy_frames(), SMALL)
    assert len(host.runs) == 1
    assert host.attached == 0


def test_the_host_is_left_in_order_when_a_frame_cannot_be_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Picture:
        raise OSError("No space left on device")

    monkeypatch.setitem(upscale.__globals__, "with_low_frequencies", fail)
    host = ToyHost()
    with pytest.raises(OSError, match="No space") as error:
        upscale(host, noisy_frames(), SMALL)
    assert host.decoded == 1
    assert error.tb is not None, "which keeps the frames' iterator alive"
    assert host.attached == 0


def test_interrupted_while_enlarging_gives_no_frame() -> None:
    host, notes = ToyHost(), []
    result = upscale(host, noisy_frames(4), SMALL, interrupted=Stop(2), note=notes.append)
    assert result.shape == (0, 96, 128, 3)
    assert len(host.enlarged) == 2
    assert host.attached == 0
    assert notes == ["Stopped: 0 of 4 frames are finished."]


def test_interrupted_while_denoising_gives_no_frame() -> None:
    host = ToyHost()
    assert len(upscale(host, noisy_frames(4), SMALL, interrupted=Stop(4))) == 0
    assert host.decoded == 0


def test_interrupted_while_decoding_keeps_what_is_finished() -> None:
    host, notes = ToyHost(), []
    frames = noisy_frames(4)
    result = upscale(host, frames, SMALL, interrupted=Stop(6), note=notes.append)
    assert np.abs(result.astype(int) - doubled(frames)[:2]).max() <= 1
    assert host.decoded == 2
    assert host.attached == 0
    assert notes == ["Stopped: 2 of 4 frames are finished."]


def test_interrupted_in_the_second_try_the_frames_of_the_first_do_not_count() -> None:
    host = ToyHost(failures=[MemoryError()], fails_at=1)
    assert len(upscale(host, noisy_frames(8), SMALL, interrupted=Stop(8 + 2))) == 0
    assert len(host.runs) == 2


def test_progress_is_the_hosts_as_a_stage() -> None:
    told = []
    upscale(ToyHost(), noisy_frames(4), SMALL, told.append)
    assert [(progress.stage, progress.step, progress.total) for progress in told] == [(PAINTING, 4, 4)]


def test_long_videos_lie_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcd_ext.storage.disk_array.IN_MEMORY", 1000)
    frames = noisy_frames(3)
    result = upscale(ToyHost(), frames, SMALL)
    assert isinstance(result, np.memmap)
    assert np.abs(result.astype(int) - doubled(frames)).max() <= 1


@pytest.mark.parametrize(
    ("settings", "key", "message"),
    [
        ({"tile": 64, "tile_overlap": 64}, "tile_overlap", "tile_overlap is 64, which is no less than .* use 16"),
        ({"tile": 512, "tile_overlap": 576}, "tile_overlap", "no less than the tiles themselves, 512; use 128"),
        ({"context": 4, "context_overlap": 4}, "context_overlap", "no less than the windows themselves, 4; use 1"),
        ({"tile": 100}, "tile", "tile is 100; it must be a multiple of 8, use 96"),
        ({"tile_overlap": 20}, "tile_overlap", "must be a multiple of 8, use 16"),
        ({"denoise": 0.0}, "denoise", "must be from 0.01 to 1"),
        ({"upscaler": "ESRGAN"}, "upscaler", "no upscaler ESRGAN; choose one of repeat, Lanczos"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(settings: dict, key: str, message: str) -> None:
    host = ToyHost()
    with pytest.raises(SettingError, match=message) as refusal:
        upscale(host, noisy_frames(), replace(SMALL, **settings))
    assert refusal.value.key == key
    assert not host.runs
    assert not host.enlarged


def test_frames_that_are_none_are_refused() -> None:
    for wrong in (
        np.zeros((2, 8, 8, 3), np.float32),
        np.zeros((0, 8, 8, 3), np.uint8),
        np.zeros((2, 8, 8, 4), np.uint8),
    ):
        with pytest.raises(ValueError, match="frames"):
            upscale(ToyHost(), wrong, SMALL)


@pytest.mark.parametrize("shape", [(2, 4), (3, 1, 4), (2, 1, 5)], ids=str)
def test_boxes_that_do_not_fit_the_video_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"boxes have the shape .* must be \[2, boxes, 4\]"):
        upscale(ToyHost(), noisy_frames(2), SMALL, boxes=np.zeros(shape))


def test_an_upscaler_that_makes_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="The upscaler repeat made 192x144 where 128x96 was asked for; choose another"):
        upscale(ToyHost(scale=3), noisy_frames(), SMALL)


def test_an_upscaler_without_memory_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: ToyHost, *_: object) -> Picture:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(ToyHost, "enlarge", fail)
    host = ToyHost()
    with pytest.raises(ValueError, match="too small for the upscaler repeat on 64x48; .* for example Lanczos"):
        upscale(host, noisy_frames(), SMALL)
    assert len(host.runs) == 1
