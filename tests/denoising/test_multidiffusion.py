"""One call of the UNet as many: the same sum from every host's UNet, for any rows, and nothing left behind."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests import tiny
from tests.unets import diffusers, ldm, two_videos
from vcd_ext.denoising.multidiffusion import Parts, RegionalPrompt, multidiffusion
from vcd_ext.denoising.partition import tiles
from vcd_ext.motion import attached, load, windows

FRAMES, LENGTH, OVERLAP = 7, 4, 2  # three windows: 0 to 4, 2 to 6, 3 to 7
HEIGHT, WIDTH = 16, 8


class Recorder(nn.Module):
    """In a UNet's place: notes what it was called with, and returns its latents."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Identity()
        self.calls: list[dict[str, Any]] = []

    def forward(self, x: Tensor, timesteps: Any = None, context: Any = None, **more: Any) -> Tensor:
        result = self.inner(x)
        self.calls.append({"x": x, "timesteps": timesteps, "context": context, **more})
        return result


@pytest.fixture
def unet() -> Recorder:
    return Recorder()


@pytest.fixture(scope="module")
def inputs() -> dict[str, Tensor]:
    return two_videos(FRAMES, HEIGHT, WIDTH)


def in_windows(unet: nn.Module, tiles: Any = None, **more: Any) -> Any:
    return multidiffusion(unet, Parts(FRAMES, windows(FRAMES, LENGTH, OVERLAP), tiles), **more)


def numbered(videos: int = 2) -> Tensor:
    """Latents whose values are the number of their row."""
    return torch.arange(float(videos * FRAMES))[:, None, None, None].expand(-1, 4, HEIGHT, WIDTH)


@pytest.mark.parametrize("videos", [1, 3])
@pytest.mark.parametrize("size", [None, 8, 16])
def test_a_unet_that_returns_its_input_returns_it_still(unet: Recorder, videos: int, size: int | None) -> None:
    x = torch.randn(videos * FRAMES, 4, HEIGHT, WIDTH)
    with in_windows(unet, tiles=size and tiles(HEIGHT, WIDTH, size, 4)):
        torch.testing.assert_close(unet(x), x, rtol=1e-6, atol=1e-6)
    assert len(unet.calls) == 3 * {None: 1, 8: 3 * videos, 16: videos}[size]
    together = LENGTH if size else videos * LENGTH
    assert {call["x"].shape for call in unet.calls} == {(together, 4, size or 16, 8)}, "never more than a part"


def test_a_window_s_rows_of_all_videos_are_computed_together_in_their_order(unet: Recorder) -> None:
    with in_windows(unet):
        unet(numbered())
    assert [call["x"][:, 0, 0, 0].tolist() for call in unet.calls] == [
        [0, 1, 2, 3, 7, 8, 9, 10],
        [2, 3, 4, 5, 9, 10, 11, 12],
        [3, 4, 5, 6, 10, 11, 12, 13],
    ]


def test_a_tile_s_videos_are_computed_one_after_the_other(unet: Recorder) -> None:
    with in_windows(unet, tiles=tiles(HEIGHT, WIDTH, 16, 0)):
        unet(numbered())
    assert [call["x"][:, 0, 0, 0].tolist() for call in unet.calls[:2]] == [[0, 1, 2, 3], [7, 8, 9, 10]]


def test_whatever_has_a_row_for_each_picture_is_divided_and_the_rest_passes(unet: Recorder) -> None:
    rows, one = torch.arange(2 * FRAMES), torch.zeros(1, 77, 64)
    more = {"y": rows, "control": {"hints": [rows, one], "scale": 0.5}, "residuals": (rows,), "none": None}
    with in_windows(unet):
        unet(numbered(), torch.tensor(500), rows, **more)
    call, expected = unet.calls[1], [2, 3, 4, 5, 9, 10, 11, 12]
    for given in (call["context"], call["y"], call["control"]["hints"][0], call["residuals"][0]):
        assert given.tolist() == expected
    assert call["control"]["hints"][1] is one
    assert (call["timesteps"], call["control"]["scale"], call["none"]) == (500, 0.5, None)


def test_pictures_beside_the_latents_are_divided_into_the_same_tiles(unet: Recorder) -> None:
    across = torch.arange(2.0 * WIDTH).repeat(FRAMES, 3, 2 * HEIGHT, 1)
    with in_windows(unet, tiles=tiles(HEIGHT, WIDTH, 6, 4)):
        unet(numbered(1), picture=across)
    assert {call["picture"].shape for call in unet.calls} == {(LENGTH, 3, 12, 12)}
    assert [call["picture"][0, 0, 0, 0].item() for call in unet.calls[:2]] == [0, 4]
    with in_windows(unet, tiles=tiles(HEIGHT, WIDTH, 6, 4)), pytest.raises(ValueError, match="4x8 beside latents of"):
        unet(numbered(1), residual=torch.zeros(FRAMES, 320, 8, 4))


def test_a_text_with_one_row_for_each_video_is_that_of_all_its_frames(unet: Recorder) -> None:
    texts = torch.stack([torch.full((5, 3), 1.0), torch.full((5, 3), 2.0)])
    with in_windows(unet, tiles=tiles(HEIGHT, WIDTH, 8, 4)) as rows:
        assert rows == 1
        unet(numbered(), None, texts)
    seen = {(tuple(call["context"][:, 0, 0].tolist()), call["context"].shape) for call in unet.calls}
    assert seen == {((text,) * LENGTH, (LENGTH, 5, 3)) for text in (1, 2)}


def test_a_video_of_one_part_needs_a_text_for_each_frame(unet: Recorder) -> None:
    with multidiffusion(unet, Parts(FRAMES, windows(FRAMES, FRAMES, 0))) as rows:
        assert rows == FRAMES


def test_the_sum_is_made_in_float32_and_has_the_unets_type(unet: Recorder) -> None:
    x = torch.randn(FRAMES, 4, HEIGHT, WIDTH).bfloat16()
    with in_windows(unet, tiles=tiles(HEIGHT, WIDTH, 8, 4)):
        assert torch.equal(unet(x), x), "added up in bfloat16, some values would be rounded away"


@torch.no_grad()
def by_hand(unet: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
    """Return what windows and tiles should give: each part by itself, added up."""
    total = torch.zeros_like(inputs["latents"])
    for window in windows(FRAMES, LENGTH, OVERLAP):
        for tile in tiles(HEIGHT, WIDTH, 8, 0):
            down = slice(tile.top, tile.top + tile.height)
            for video in range(2):
                rows = [video * FRAMES + frame for frame in window.frames]
                result = unet(inputs["latents"][rows][:, :, down], inputs["times"][rows], inputs["context"][rows])
                total[rows, :, down] += result * window.weights[:, None, None, None] * tile.weights
    return total


def test_ldm_and_diffusers_unets_with_a_motion_module_agree_with_the_sum_by_hand(
    ldm_unet: nn.Module,
    diffusers_unet: nn.Module,
    inputs: dict[str, Tensor],
    tmp_path: Path,
) -> None:
    module, parts = load(tiny.motion_module(tmp_path)), tiles(HEIGHT, WIDTH, 8, 0)
    with attached(ldm_unet, module, LENGTH):
        expected = by_hand(ldm_unet, inputs)
        with in_windows(ldm_unet, tiles=parts):
            ours = ldm(ldm_unet, inputs)
    with attached(diffusers_unet, module, LENGTH), in_windows(diffusers_unet, tiles=parts):
        theirs = diffusers(diffusers_unet, inputs)
        with torch.no_grad():
            as_tuple = diffusers_unet(inputs["latents"], 500, inputs["context"], return_dict=False)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)
    assert (ours - theirs).norm() / ours.norm() < 1e-4
    assert torch.equal(as_tuple[0], theirs)
    assert isinstance(as_tuple, tuple)


@pytest.mark.parametrize("canvas", [None, 16])
def test_where_nothing_is_divided_the_unet_is_left_alone(unet: Recorder, canvas: int | None) -> None:
    whole = canvas and tiles(HEIGHT, WIDTH, canvas, 4)
    with multidiffusion(unet, Parts(FRAMES, windows(FRAMES, FRAMES, 0), whole)):
        x = numbered()
        assert unet(x) is x
        assert "forward" not in vars(unet)


def test_a_function_that_others_have_hung_there_computes_the_parts_and_is_there_again(unet: Recorder) -> None:
    def controlled(x: Tensor, *_: Any) -> Tensor:
        return x + len(x)

    unet.forward = controlled  # type: ignore[method-assign]
    with in_windows(unet):
        assert torch.allclose(unet(numbered(1)), numbered(1) + LENGTH)
    assert vars(unet)["forward"] is controlled


@pytest.mark.parametrize("call", [0, 2])
def test_nothing_stays_when_the_unet_raises(unet: Recorder, call: int) -> None:
    def fail(*_: Any) -> None:
        if len(unet.calls) == call:
            raise RuntimeError("out of memory")

    before, handle = dict(vars(unet)), unet.inner.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"), in_windows(unet):
        unet(numbered())
    handle.remove()
    assert vars(unet) == before


def test_before_each_part_the_caller_may_stop_it(unet: Recorder) -> None:
    def stop() -> None:
        if len(unet.calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), in_windows(unet, before_part=stop):
        unet(numbered())
    assert len(unet.calls) == 2
    assert "forward" not in vars(unet)


def test_what_others_hang_there_meanwhile_and_forget_is_gone_as_well(unet: Recorder) -> None:
    with in_windows(unet):
        unet.forward = lambda x: x  # type: ignore[method-assign]
    assert "forward" not in vars(unet)


class TestRegionalPrompt:
    """Conditions that are exchanged where the subject is not."""

    KNOWN, INSTEAD, OTHER = (torch.full((5, 3), float(i)) for i in (1, 2, 3))

    def texts(self) -> Tensor:
        """Return an uncond video, a video of the known text, one of another."""
        return torch.stack([self.OTHER, self.KNOWN, self.OTHER]).repeat_interleave(FRAMES, 0)

    def seen(self, unet: Recorder, absent: np.ndarray, size: int | None = None) -> list[list[list[float]]]:
        """Return the text of each row [call][video][frame]."""
        regional = RegionalPrompt(self.KNOWN, self.INSTEAD, absent)
        with in_windows(unet, regional=regional, tiles=size and tiles(HEIGHT, WIDTH, size, 0)):
            unet(numbered(3), None, context=self.texts())
        return [call["context"][:, 0, 0].unflatten(0, (-1, LENGTH)).tolist() for call in unet.calls]

    def test_known_rows_of_absent_frames_get_the_other_text(self, unet: Recorder) -> None:
        absent = np.zeros((FRAMES, 1), bool)
        absent[[0, 3]] = True
        for call, known in zip(self.seen(unet, absent), [[2, 1, 1, 2], [1, 2, 1, 1], [2, 1, 1, 1]], strict=True):
            assert call == [[3] * LENGTH, known, [3] * LENGTH]

    def test_tile_by_tile(self, unet: Recorder) -> None:
        absent = np.zeros((FRAMES, 2), bool)
        absent[:, 1] = True
        seen = self.seen(unet, absent, 8)  # of each tile the videos, one after the other
        assert seen == [[[text] * LENGTH] for text in (3, 1, 3, 3, 2, 3)] * 3

    def test_in_one_window_as_well(self, unet: Recorder) -> None:
        regional = RegionalPrompt(self.KNOWN, self.INSTEAD, np.ones((FRAMES, 1), bool))
        with multidiffusion(unet, Parts(FRAMES, windows(FRAMES, FRAMES, 0)), regional=regional):
            unet(numbered(3), None, self.texts())
        assert unet.calls[0]["context"][:, 0, 0].unique_consecutive().tolist() == [3, 2, 3]

    def test_where_a_video_has_one_row_for_its_text(self, unet: Recorder) -> None:
        absent = np.zeros((FRAMES, 1), bool)
        absent[[0, 3]] = True
        with in_windows(unet, regional=RegionalPrompt(self.KNOWN, self.INSTEAD, absent)):
            unet(numbered(2), None, torch.stack([self.OTHER, self.KNOWN]))
        assert unet.calls[0]["context"][:, 0, 0].tolist() == [3, 3, 3, 3, 2, 1, 1, 2]

    def test_each_frame_may_have_texts_of_its_own(self, unet: Recorder) -> None:
        frames = torch.arange(FRAMES)[:, None, None].expand(FRAMES, 5, 3).float()
        absent = np.zeros((FRAMES, 1), bool)
        absent[[0, 3, 6]] = True
        for instead in (self.INSTEAD, 10 * frames):
            unet.calls.clear()
            with in_windows(unet, regional=RegionalPrompt(frames + 1, instead, absent)):
                unet(numbered(2), None, torch.cat([self.OTHER.expand(FRAMES, -1, -1), frames + 1]))
            other = [2.0] * 3 if instead is self.INSTEAD else [0.0, 30.0, 60.0]
            expected = [[other[0], 2, 3, other[1]], [3, other[1], 5, 6], [other[1], 5, 6, other[2]]]
            assert [call["context"][LENGTH:, 0, 0].tolist() for call in unet.calls] == expected
            assert all((call["context"][:LENGTH, 0, 0] == 3).all() for call in unet.calls)

    def test_texts_of_another_length_stay(self, unet: Recorder) -> None:
        long, absent = torch.ones(FRAMES, 10, 3), np.ones((FRAMES, 1), bool)
        with in_windows(unet, regional=RegionalPrompt(self.KNOWN, self.INSTEAD, absent)):
            unet(numbered(1), None, long)
        assert all((call["context"] == 1).all() for call in unet.calls)

    def test_one_that_does_not_fit_the_video_is_refused(self, unet: Recorder) -> None:
        for absent, instead in ((np.ones((3, 1), bool), self.INSTEAD), (np.ones((FRAMES, 1), bool), torch.ones(4, 3))):
            with (
                pytest.raises(ValueError, match="were given for"),
                in_windows(unet, regional=RegionalPrompt(self.KNOWN, instead, absent)),
            ):
                pass


@pytest.mark.parametrize("rows", [3, 8, 15])
def test_rows_that_are_no_whole_videos_are_refused(unet: Recorder, rows: int) -> None:
    with in_windows(unet), pytest.raises(ValueError, match=f"{rows} pictures.*not whole videos of 7 frames"):
        unet(torch.zeros(rows, 4, HEIGHT, WIDTH))
    assert unet.calls == []


def test_a_canvas_that_the_tiles_do_not_cover_is_refused(unet: Recorder) -> None:
    with in_windows(unet, tiles=tiles(32, 32, 8, 0)), pytest.raises(ValueError, match="latents of 8x16; the tiles"):
        unet(numbered())


def test_windows_of_another_video_are_refused(unet: Recorder) -> None:
    for wrong in (windows(6, LENGTH, 0), []):
        with pytest.raises(ValueError, match="do not cover the 7 frames"), multidiffusion(unet, Parts(FRAMES, wrong)):
            pass
