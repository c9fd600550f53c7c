"""A video that goes on from its last frames, with the noise that goes on where it ended."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from vcd_ext.denoising.free_noise import InitialNoise, Reuse
from vcd_ext.media import Clip
from vcd_ext.noise import continued, correlate
from vcd_ext.settings import SettingError, VideoSettings
from vcd_ext.stages.continuation import Continuation, continuation
from vcd_ext.stages.noise_history import Segment, drawn, in_words, noise_of, read_history

VIDEO = VideoSettings(frames=6, fps=8, continue_frames=2, freenoise=False)
HERE = ("CPU",)


def draw(seeds: Sequence[int]) -> Tensor:
    return torch.stack([torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def told(frames: int = 5, seed: int = 7, gamma: float = 0.3, more: str = "") -> str:
    return f"a cat\nSteps: 20, Seed: {seed}, Size: 16x24, RNG: CPU, VCD frames: {frames}, VCD gamma: {gamma}{more}"


def earlier(text: str = "", frames: int = 5, fps: str = "8") -> Clip:
    pixels = np.random.default_rng(0).integers(0, 256, (frames, 24, 16, 3), np.uint8)
    return Clip(pixels, fps, {"parameters": text} if text else {})


def going_on(clip: Clip, video: VideoSettings = VIDEO) -> Continuation:
    return continuation(clip, "a.mp4", video, (16, 24), HERE)


def test_noise_goes_on_as_if_the_video_had_been_longer() -> None:
    white = draw(range(9))
    longer = correlate(white, 0.3)
    assert torch.equal(continued(longer[4], white[5:], 0.3), longer[5:])
    assert torch.equal(continued(longer[4], white[5:], 0), white[5:])


def test_with_the_videos_seed_its_noise_is_that_of_a_longer_video() -> None:
    """5 frames are there, 2 of them are known, and 4 are new: together 9."""
    video = going_on(earlier(told()))
    seed = video.seed(7)
    made = video.noise(draw(range(seed, seed + 6)), 0.3, draw, seed)
    assert torch.equal(made, correlate(draw(range(7, 16)), 0.3)[3:])


def test_with_another_seed_the_noise_begins_where_it_ended() -> None:
    video = going_on(earlier(told()))
    assert video.seed(100) == 100
    white, past = draw(range(100, 106)), correlate(draw(range(7, 12)), 0.3)
    made = video.noise(white, 0.2, draw, 100)
    assert torch.equal(made[:2], past[3:])
    assert torch.equal(made[2:], continued(past[4], white[2:], 0.2))


def test_what_was_continued_can_be_continued() -> None:
    first = going_on(earlier(told()))
    text = told(more=f', VCD noise: "{in_words(first.history_after(6, 100, 0.2))}"')
    assert read_history(text, 9, HERE) == [Segment(5, 7, 0.3), Segment(4, 102, 0.2)]
    second = going_on(earlier(text, 9))
    past = correlate(draw(range(7, 12)), 0.3)
    past = torch.cat([past, continued(past[-1], draw(range(102, 106)), 0.2)])
    assert torch.equal(second.noise(draw(range(6)), 0.2, draw, 0)[:2], past[-2:])


def test_with_one_seed_the_history_stays_one() -> None:
    video = going_on(earlier(told()))
    assert in_words(video.history_after(6, video.seed(7), 0.3)) == "9 from 7 at 0.3"
    again = going_on(earlier(told(more=", VCD noise: 9 from 7 at 0.3"), 9))
    assert again.seed(7) == 7 + 9 - 2


@pytest.mark.parametrize(("more", "off"), [("", False), (", VCD freenoise: False", True)])
def test_the_noise_of_a_long_video_is_known_whether_freenoise_was_on_or_off(more: str, off: bool) -> None:
    text = told(frames=11, gamma=0.15, more=f", VCD motion module: mm.ckpt, VCD context: 4, VCD overlap: 1{more}")
    history = read_history(text, 11, HERE)
    begun = InitialNoise(0.15, reuse=None if off else Reuse(4, 1, 7)).of(draw(range(7, 18)))
    assert torch.allclose(noise_of(history, draw), begun, atol=2e-3)
    assert (in_words(history) == "11 from 7 at 0.15") == off


FREE = replace(VIDEO, frames=8, context=5, freenoise=True)


def test_with_freenoise_new_frames_draw_from_the_seeds_of_the_last_window() -> None:
    """5 frames are there, 2 of them known; behind them blocks of 3, each from the frames 5 before it."""
    video = going_on(earlier(told()), FREE)
    seeds = [seed for seed, _ in drawn(video.history_after(8, 100, 0.2))]
    assert seeds[:5] == [7, 8, 9, 10, 11]
    assert sorted(seeds[5:8]) == [7, 8, 9]
    assert sorted(seeds[8:11]) == sorted(seeds[3:6])
    assert seeds != [seed for seed, _ in drawn(video.history_after(8, 101, 0.2))]


def test_such_noise_is_standard_normal_and_known_frames_keep_theirs() -> None:
    def many(seeds: Sequence[int]) -> Tensor:
        return torch.stack([torch.randn(50_000, generator=torch.Generator().manual_seed(seed)) for seed in seeds])

    video = going_on(earlier(told()), FREE)
    made = video.noise(many(range(100, 108)), 0.3, many, 100)
    assert torch.allclose(made[:2], correlate(many(range(7, 12)), 0.3)[3:], atol=1e-5)
    assert torch.allclose(made.std(dim=1), torch.ones(8), atol=0.02)
    neighbours = (made[1:] * made[:-1]).mean(dim=1)
    assert (neighbours > 0.2).all(), "the prior holds as well"


def test_what_was_continued_with_freenoise_can_be_continued_and_its_next_seed_is_fresh() -> None:
    first = going_on(earlier(told()), FREE)
    history = first.history_after(8, 100, 0.2)
    text = told(more=f', VCD freenoise: True, VCD noise: "{in_words(history)}"')
    assert read_history(text, 11, HERE) == list(history)
    second = going_on(earlier(text, 11))
    assert second.seed(7) == 12 - 2
    made = second.noise(draw(range(10, 16)), 0.2, draw, 10)
    assert torch.allclose(made[:2], noise_of(history, draw)[-2:])
    assert torch.allclose(made[:2], first.noise(draw(range(100, 108)), 0.2, draw, 100)[-2:])


@pytest.mark.parametrize(
    "text",
    ["", "a cat", told(frames=4), told().replace("RNG: CPU, ", ""), told(more=", Variation seed strength: 0.5"),
     told(more=", VCD noise: nonsense"), told(gamma=7), told(more=", VCD closed loop: True"),
     told(more=", VCD freeinit: 1")],
)  # fmt: skip
def test_noise_that_cannot_be_known_is_drawn_anew(text: str) -> None:
    video = going_on(earlier(text))
    assert video.history == []
    assert torch.equal(video.noise(draw(range(6)), 0.3, draw, 0), correlate(draw(range(6)), 0.3))
    assert video.seed(7) == 7
    assert video.entries(6, 7, 0.3) == {"VCD continues": "a.mp4"}


def test_the_whole_video_is_the_earlier_one_and_what_is_new() -> None:
    clip = earlier(told())
    video, made = going_on(clip), earlier(frames=6).frames[::-1]
    assert np.array_equal(video.joined(made), np.concatenate([clip.frames, made[2:]]))
    assert list(video.pictures) == [0, 1]
    assert np.array_equal(video.pictures[1], clip.frames[4])


@pytest.mark.parametrize(
    ("clip", "changed", "key", "sentence"),
    [
        (Clip(np.zeros((5, 24, 32, 3), np.uint8), 8), {}, "continue_video", "is 32x24 and this video would be 16x24"),
        (earlier(fps="12.5"), {}, "continue_video", "has 12.5 frames a second and this video would have 8; set 'FPS'"),
        (earlier(), {"continue_frames": 6}, "continue_frames", "there would be 6 frames, so that none is new"),
        (earlier(frames=1), {}, "continue_frames", "continue_frames is 2, and a.mp4 has 1; choose at most 1."),
    ],
)  # fmt: skip
def test_what_cannot_go_on_is_refused_in_a_sentence(
    clip: Clip, changed: dict[str, int], key: str, sentence: str
) -> None:
    with pytest.raises(SettingError) as refusal:
        going_on(clip, replace(VIDEO, **changed))
    assert refusal.value.key == key
    assert sentence in str(refusal.value)
