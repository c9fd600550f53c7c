"""Several people in a video of the standalone host: each region hears its own words, beside all that prompts do."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import Files
from tests.hosts.test_video import soft
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.protocols import Tiling, VideoPass
from vcd_ext.hosts.shared.people import with_people_behind
from vcd_ext.hosts.shared.prompt_travel import Subprompt, UpTo
from vcd_ext.media.infotext import read_entries
from vcd_ext.people import RegionalTexts
from vcd_ext.settings import GenerateSettings, PeopleSettings, SettingError, VideoSettings, from_infotext

PICTURE = GenerateSettings("a photo", "blurry", 64, 64, steps=2, cfg_scale=5.0, seed=3)
APART = VideoSettings(frames=2, gamma=0.0)
PEOPLE = "tinyperson, a cat @ left\n- a dog at night @ right"


def made(host: Standalone, files: Files, people: str, picture: GenerateSettings = PICTURE, **video: Any) -> Any:
    settings = replace(APART, people=people, **video)
    return host.generate(picture, settings, None, [files.embedding])


def far(one: Any, other: Any) -> float:
    return float(np.abs(one.frames.astype(int) - other.frames).mean())


def test_people_change_the_video_and_their_names_stay_out_of_the_prompt(host: Standalone, files: Files) -> None:
    clip = made(host, files, PEOPLE)
    text = clip.metadata["parameters"]
    assert text.startswith("a photo\nNegative prompt: blurry\n")
    entries = read_entries(text)
    assert from_infotext("people", entries) == PEOPLE
    assert entries["VCD identity"] == "none"
    assert "VCD people's borders" not in entries
    swapped = made(host, files, "- a dog at night @ left\ntinyperson, a cat @ right")
    assert far(clip, swapped) > 1


def test_without_people_nothing_is_hung_on_and_the_infotext_says_nothing(host: Standalone, files: Files) -> None:
    before = made(host, files, "")
    weights = {name: value.clone() for name, value in host.unet.state_dict().items()}
    made(host, files, PEOPLE)
    after = made(host, files, "", people_base=0.5, people_border=0.3)
    assert np.array_equal(before.frames, after.frames)
    assert "people" not in before.metadata["parameters"]
    assert all(torch.equal(value, weights[name]) for name, value in host.unet.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in host.unet.modules())


def test_one_person_in_the_whole_picture_is_a_prompt_of_her_words(host: Standalone, files: Files) -> None:
    words = "tinyperson, [a cat:a dog:1]"
    whole = made(host, files, f"{words} @ whole", people_base=0.0)
    plain = made(host, files, "", replace(PICTURE, prompt=words))
    assert np.abs(whole.frames.astype(int) - plain.frames).max() <= 1


@pytest.mark.parametrize(
    "prompt",
    ["a photo\n0: a beach\n3: a wood", "a beach AND " + "a list of words, " * 20 + ":0.5", "[a beach:a wood:1]"],
)
def test_they_go_with_windows_key_frames_parts_and_schedules(host: Standalone, files: Files, prompt: str) -> None:
    picture, long = replace(PICTURE, prompt=prompt), {"frames": 5, "context": 3, "overlap": 1}
    clip = host.generate(picture, replace(APART, people=PEOPLE, **long), files.motion_module, [files.embedding])
    plain = host.generate(picture, replace(APART, **long), files.motion_module)
    assert far(clip, plain) > 0.5


@pytest.mark.parametrize(
    ("people", "sentence"),
    [("nobody @ left", "which is no identity that is here; there: tinyperson"), ("tinyperson @ behind", "is unknown")],
)
def test_what_cannot_be_is_refused(host: Standalone, files: Files, people: str, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence) as refusal:
        made(host, files, people)
    assert refusal.value.key == "people"


def test_in_tiles_and_not_beside_tiles_that_know_the_subject(host: Standalone, files: Files) -> None:
    regional = RegionalTexts.of(PeopleSettings(people=PEOPLE))
    frames, video = soft(2, 64, 128), StandaloneVideo(host, [files.embedding])
    work = VideoPass("a photo", denoise=0.8, steps=3, seed=1, gamma=0.0, tiling=Tiling(64, 16))
    plain, regions = (np.stack(list(video.denoise(frames, each))) for each in (work, replace(work, regional=regional)))
    assert np.abs(plain - regions).mean() > 0.5 / 255
    present = np.ones((2, 3), bool)
    with pytest.raises(ValueError, match="give one of the two"):
        video.denoise(frames, replace(work, regional=regional, tiling=Tiling(64, 16, "b", present)))


def test_conditions_of_people_stand_behind_each_part_at_each_step() -> None:
    one, other, person = (torch.full((length, 2), float(value)) for length, value in ((2, 1), (3, 2), (2, 3)))
    frame = [Subprompt([UpTo(4, one)], 1.0), Subprompt([UpTo(4, other)], 0.5)]
    rows = with_people_behind([frame, frame], [[UpTo(2, person), UpTo(4, 2 * person)]])
    assert rows[0][0].schedule is rows[1][0].schedule
    assert [(each.end_at_step, each.cond[:, 0].tolist()) for each in rows[0][0].schedule] == [
        (2, [1, 1, 1, 3, 3]),
        (4, [1, 1, 1, 6, 6]),
    ]
    assert rows[0][1].weight == 0.5
    [[silent]] = with_people_behind([frame[1:]], [[UpTo(4, person)]], silent=True)
    assert silent.schedule[0].cond[:, 0].tolist() == [2, 2, 2, 0, 0]
