"""The paper's pipeline on toy hosts: generated, faces repaired, enlarged; and what is kept when that does not work."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests import film
from tests.stages.test_video_to_video import Waiting, finder
from tests.toy_studio import ToyVideo
from vcd_ext.hosts.protocols import Picture
from vcd_ext.media import Clip
from vcd_ext.settings import (
    FaceSettings,
    PassSettings,
    SettingError,
    TiledSettings,
    VideoSettings,
    describe,
    from_infotext,
)
from vcd_ext.stages import pipeline
from vcd_ext.tiled.video_pass import video_pass

SHARED = PassSettings("photo of rex", "blurry", "rex", "mm", steps=2, cfg_scale=4, sampler="ddim", seed=3)
BOTH = VideoSettings(face=True, face_size=64, face_min_face=8, tiled=True, tiled_tile=64, tiled_tile_overlap=16)


def outcome(video: VideoSettings, waiting: Waiting, clip: Clip | None = None, host: Any = None) -> pipeline.Outcome:
    stages = pipeline.stages(video, SHARED)
    return pipeline.run_stages(host or ToyVideo(), clip or film.clip(faces=2), stages, finder, waiting.callbacks)


def restored(clip: Clip) -> VideoSettings:
    """Return the settings that the WebUI reads out of a clip's infotext."""
    line = clip.metadata["parameters"].splitlines()[-1]
    entries = {key: value for key, _, value in (entry.partition(": ") for entry in line.split(", "))}
    entries["VCD frames"] = "16"  # the toy film's infotext is not of VCD
    names = [name for name in vars(VideoSettings()) if name.startswith(("face", "tiled", "save"))]
    found = {name: from_infotext(name, entries) for name in names}
    return VideoSettings(**{name: value for name, value in found.items() if value is not None})


def test_a_prompt_that_travels_goes_on_in_the_stages() -> None:
    shared = replace(SHARED, prompt="photo of rex\n0: asleep\n8: awake")
    faces, tiles = (stage.settings for stage in pipeline.stages(replace(BOTH, prompt_travel="slerp"), shared))
    assert faces.prompt == "0: close up photo of rex, asleep\n8: close up photo of rex, awake"
    assert tiles.prompt == shared.prompt
    assert faces.prompt_travel == tiles.prompt_travel == "slerp"


def test_a_key_frame_that_the_video_has_not_fails_the_stage_in_a_sentence() -> None:
    waiting, clip = Waiting(), film.clip(faces=2)
    made = outcome(replace(BOTH, face_prompt=f"0: a\n{len(clip.frames)}: b"), waiting, clip)
    assert f"The prompt has the line '{len(clip.frames)}: b', but the video's last frame is" in made.error


def test_the_stages_share_the_videos_settings_and_have_their_own() -> None:
    video = replace(
        BOTH, gamma=0.3, face_denoise=0.7, face_people="1: rex; 2: -", face_words="dog head", tiled_upscaler="Lanczos",
        tiled_controlnet="tile.pth", tiled_controlnet_weight=0.5,
    )  # fmt: skip
    faces, tiles = (stage.settings for stage in pipeline.stages(video, SHARED))
    assert isinstance(faces, FaceSettings)
    assert isinstance(tiles, TiledSettings)
    assert (faces.prompt, tiles.prompt) == ("close up photo of rex", SHARED.prompt)
    for name in ("negative_prompt", "identity", "motion_module", "steps", "cfg_scale", "sampler", "seed",
                 "context", "context_overlap"):  # fmt: skip
        assert getattr(faces, name) == getattr(tiles, name) == getattr(SHARED, name), name
    assert faces.gamma == tiles.gamma == video.gamma
    assert (faces.denoise, faces.people, faces.words, faces.size) == (0.7, "1: rex; 2: -", "dog head", 64)
    assert (tiles.denoise, tiles.upscaler, tiles.tile, tiles.tile_overlap) == (0.2, "Lanczos", 64, 16)
    assert (tiles.controlnet, tiles.controlnet_weight) == ("tile.pth", 0.5)
    assert (tiles.subject, tiles.words) == ("auto", "dog head"), "it looks for the same subject"
    assert pipeline.stages(VideoSettings(), SHARED) == []
    assert [type(stage.settings) for stage in pipeline.stages(replace(BOTH, face=False), SHARED)] == [TiledSettings]
    assert pipeline.alone(BOTH) == replace(BOTH, face=False, tiled=False)
    # Without a motion module as many frames as one likes are denoised together, which says nothing to the stages.
    apart = pipeline.stages(replace(BOTH, context=1000, overlap=900), SHARED)[0].settings
    assert (apart.context, apart.context_overlap) == (128, 64)
    with pytest.raises(SettingError, match="Face VCD: size is 100"):
        pipeline.stages(replace(BOTH, face_size=100), SHARED)


@pytest.mark.parametrize(
    ("prompt", "face_prompt", "painted"),
    [
        ("rex, running", "", "rex, running"),
        ("photo of rex", "", "close up photo of rex"),
        ("far away photo of rex, running", "", "close up photo of rex, running"),
        ("far away photo of rex", " ", "close up photo of rex"),
        ("far away photo of rex", "portrait, far away", "portrait, far away"),
    ],
)
def test_the_faces_have_a_prompt_of_their_own_or_the_videos_as_a_close_up(
    prompt: str, face_prompt: str, painted: str
) -> None:
    shared, video = replace(SHARED, prompt=prompt), replace(BOTH, face_prompt=face_prompt)
    assert [stage.settings.prompt for stage in pipeline.stages(video, shared)] == [painted, prompt]


def test_a_face_prompt_is_quoted_in_the_infotext() -> None:
    video = replace(BOTH, tiled=False, face_prompt='photo of rex, "asleep": in bed')
    text = outcome(video, Waiting()).clip.metadata["parameters"]
    assert r'VCD face prompt: "photo of rex, \"asleep\": in bed"' in text, "quoted as the WebUI reads it"


@pytest.mark.parametrize(("there", "written"), [([], "none"), (["models/sd15_tile.pth"], "sd15_tile.pth")])
def test_the_controlnet_that_was_used_is_told_as_it_may_not_be_there_next_time(there: list[str], written: str) -> None:
    waiting, host = Waiting(), ToyVideo(there)
    made = outcome(replace(BOTH, face=False, tiled_controlnet_weight=0.5), waiting, host=host)
    assert restored(made.clip).tiled_controlnet == written
    assert restored(made.clip).tiled_controlnet_weight == 0.5
    key = describe(VideoSettings)["tiled_controlnet"].infotext_key
    assert made.videos[-1].entries[key] == written
    told = [note for note in waiting.notes if "ControlNet" in note]
    assert told == [f"Tiled VCD: ControlNet: {name}, with weight 0.5." for name in [written] if there]


def test_a_video_goes_through_both_stages() -> None:
    waiting, clip = Waiting(), film.clip(faces=2)
    made = outcome(BOTH, waiting, clip)
    assert [video.title for video in made.videos] == ["T2V VCD", "Face VCD", "Tiled VCD"]
    assert [video.clip.frames.shape[1:3] for video in made.videos] == [(64, 96), (64, 96), (128, 192)]
    assert made.videos[0].clip is clip
    assert not np.array_equal(made.videos[1].clip.frames, clip.frames)
    assert made.clip is made.videos[-1].clip
    assert (made.complete, made.error) == (True, "")
    # The toy's faces are dark once they are repaired, which this detector does not see.
    assert waiting.notes == ["Tiled VCD: The subject was found in no frame; its name is used everywhere."]
    assert (made.clip.fps, made.clip.metadata["title"]) == (clip.fps, "A walk")
    assert list(dict.fromkeys(told.stage for told in waiting.stages)) == [
        "Face VCD: finding faces", "Face VCD: repairing face 1", "Face VCD: repairing face 2",
        "Tiled VCD: finding faces", "Tiled VCD: enlarging and painting",
    ]  # fmt: skip


def test_each_videos_infotext_tells_of_the_stages_that_were_done() -> None:
    video = replace(BOTH, face_denoise=0.7, save_stages=True)
    generated, faces, tiles = (video.clip for video in outcome(video, Waiting()).videos)
    assert generated.metadata["parameters"] == film.PARAMETERS
    assert restored(faces) == replace(video, tiled=False, tiled_tile=576, tiled_tile_overlap=128)
    assert restored(tiles) == replace(video, tiled_controlnet="none"), "there was none"
    assert "prompt" not in tiles.metadata["parameters"], "what is the video's own is there already"


def test_without_entries_of_its_own_a_stage_is_described_as_when_it_is_made_alone() -> None:
    faces = pipeline.stages(BOTH, SHARED)[0].settings
    made = pipeline.run_stages(ToyVideo(), film.clip(), [pipeline.Stage(faces)], finder, Waiting().callbacks)
    assert "Face VCD identity: rex" in made.clip.metadata["parameters"]


def test_interrupted_in_face_vcd_the_finished_faces_stay_and_nothing_is_enlarged() -> None:
    second = Waiting(lambda waiting: bool(waiting.stages) and waiting.stages[-1].stage.endswith("face 2"))
    made = outcome(BOTH, second)
    assert [video.title for video in made.videos] == ["T2V VCD", "Face VCD"]
    assert not made.complete
    assert second.notes == [
        "Face VCD: Stopped: face 1 is finished; everything else is as it was.", "Stopped before Tiled VCD.",
    ]  # fmt: skip


def test_interrupted_before_anything_the_video_is_as_it_was_generated() -> None:
    waiting, clip = Waiting(lambda _: True), film.clip()
    made = outcome(BOTH, waiting, clip)
    assert (made.clip, made.complete) == (clip, False)
    assert waiting.notes == ["Stopped before Face VCD and Tiled VCD."]


def test_a_video_that_is_enlarged_in_part_is_kept_whole_at_its_size() -> None:
    host = ToyVideo()
    given: list[int] = []
    host.at = given.append
    waiting = Waiting(lambda _: len(given) == 3)
    made = outcome(replace(BOTH, face=False), waiting, host=host)
    assert (len(made.videos), made.complete) == (1, False)
    assert waiting.notes == [
        "Tiled VCD: Stopped: 3 of 5 frames are finished.",
        "Tiled VCD: as frames are missing, the video before it is kept.",
    ]


def test_a_stage_that_is_skipped_does_not_end_the_next() -> None:
    skipped = [False]

    waiting = Waiting(lambda _: skipped[0])

    def go_on() -> bool:
        skipped[0] = False
        return True

    host = ToyVideo()
    passes = [0]

    def skip(frame: int) -> None:
        passes[0] += frame == 0
        skipped[0] = passes[0] == 1

    host.at = skip
    stages = pipeline.stages(BOTH, SHARED)
    made = pipeline.run_stages(host, film.clip(), stages, finder, waiting.callbacks, go_on)
    assert [video.title for video in made.videos] == ["T2V VCD", "Tiled VCD"]
    assert not made.complete
    assert restored(made.clip) == replace(BOTH, face=False, face_size=512, face_min_face=24, tiled_controlnet="none")


class Failing(ToyVideo):
    """Fails in a pass with an error."""

    def __init__(self, at: int, error: Exception):
        super().__init__()
        self.failing, self.error = at, error

    def denoise(self, *arguments: Any, **options: Any) -> Iterator[Picture]:
        if self.passes == self.failing:
            raise self.error
        yield from super().denoise(*arguments, **options)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("There is no such sampler."), "There is no such sampler."),
        (RuntimeError("a shape\nand a trace"), "RuntimeError: a shape"),
        (AssertionError(), "AssertionError: "),
    ],
)
@pytest.mark.parametrize(("at", "kept", "name"), [(0, 1, "Face VCD"), (2, 2, "Tiled VCD")])
def test_a_stage_that_fails_leaves_the_video_before_it_and_says_why(
    at: int, kept: int, name: str, error: Exception, words: str
) -> None:
    made = outcome(BOTH, Waiting(), host=Failing(at, error))
    assert len(made.videos) == kept
    assert not made.complete
    assert made.error == f"{name} failed, and the video before it is kept. {words}"


def test_without_a_face_it_is_enlarged_all_the_same() -> None:
    waiting = Waiting()
    made = outcome(BOTH, waiting, film.clip(faces=0))
    assert made.complete
    assert made.clip.frames.shape[1:3] == (128, 192)
    assert waiting.notes == [
        "Face VCD: There is no face to repair in any frame; the video is as it was.",
        "Tiled VCD: The subject was found in no frame; its name is used everywhere.",
    ]


def test_several_people_go_on_to_faces_and_tiles() -> None:
    lines = "rex dog\nmara, waving"
    video = VideoSettings(face=True, tiled=True, people=lines, people_border=0.2)
    faces, tiles = (stage.settings for stage in pipeline.stages(video, PassSettings(prompt="photo of two in the snow")))
    assert isinstance(faces, FaceSettings)
    assert isinstance(tiles, TiledSettings)
    assert (faces.prompt, faces.people) == ("close up photo of", "rex dog @ 0 0 0.5 1\nmara, waving @ 0.5 0 1 1")
    work = video_pass(tiles, (128, 128), None)
    assert work.regional is not None
    assert (work.prompt, work.regional.words) == ("photo of two in the snow", ["rex dog", "mara, waving"])
    assert work.regional.regions.border == 0.2
    own = replace(video, face_people="1: rex", face_prompt="a face")
    faces = pipeline.stages(own, PassSettings())[0].settings
    assert (faces.prompt, faces.people) == ("a face", "1: rex")
