"""Face VCD and Tiled VCD as all ways in ask for them: what comes back, what is told, what is written down."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests import film
from tests.face.toy_host import ToyHost as FaceHost
from tests.tiled.toy_host import ToyHost as TiledHost
from vcd_ext.face import Detector
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.media import Clip
from vcd_ext.progress import Callbacks, Progress
from vcd_ext.settings import FaceSettings, SettingError, TiledSettings
from vcd_ext.stages.video_to_video import check, find_faces, ready, run_stage, title

FACES = FaceSettings(**film.SMALL_FACES, motion_module="mm")
TILES = TiledSettings(tile=64, tile_overlap=16, steps=2, seed=3, motion_module="mm")


class Waiting:
    """Whoever waits for a video: remembers what is told, and stops when a test says so."""

    def __init__(self, stops: Callable[["Waiting"], bool] = lambda _: False):
        self.stages: list[Progress] = []
        self.notes: list[str] = []
        self.callbacks = Callbacks(self.stages.append, self.notes.append, lambda: stops(self))


def finder(settings: FaceSettings) -> Detector:
    return film.bright_squares


def no_finder(settings: FaceSettings) -> Detector:
    raise ValueError("The package is missing.")


def painted(place: int, picture: np.ndarray) -> np.ndarray:
    return 1 - picture


def test_faces_are_repaired_and_the_sheet_shows_them() -> None:
    waiting, clip = Waiting(), film.clip(faces=2)
    made = run_stage(FaceHost(painted), clip, FACES, finder, waiting.callbacks)
    assert made.clip is not None
    assert made.complete
    assert (made.clip.fps, made.clip.frames.shape) == (clip.fps, clip.frames.shape)
    assert not np.array_equal(made.clip.frames, clip.frames)
    assert made.sheet is not None
    assert made.sheet.ndim == 3
    assert list(dict.fromkeys(told.stage for told in waiting.stages)) == [
        "Finding faces", "Repairing face 1", "Repairing face 2",
    ]  # fmt: skip
    assert waiting.notes == []


def test_a_video_is_enlarged_with_the_time_left() -> None:
    waiting, clip = Waiting(), film.clip()
    made = run_stage(TiledHost(), clip, TILES, finder, waiting.callbacks)
    assert made.clip is not None
    assert made.clip.frames.shape == (5, 128, 192, 3)
    assert (made.complete, made.sheet, waiting.notes) == (True, None, [])
    assert {told.stage for told in waiting.stages} == {"Enlarging and painting"}


def test_tiles_follow_those_who_are_followed() -> None:
    waiting, host = Waiting(), TiledHost()
    lines = "rex man @ followed left\nmara woman @ followed right"
    made = run_stage(host, film.clip(faces=1), replace(TILES, people=lines), finder, waiting.callbacks)
    assert made.complete
    assert waiting.notes == ["mara was not found in the video, so the region stays where it begins."]
    [(work, _)] = host.runs
    assert work.regional is not None
    masks = work.regional.regions.masks
    assert masks is not None
    assert masks.shape[:2] == (5, 2)


def test_without_a_detector_regions_stay_in_tiles_and_this_is_told() -> None:
    waiting, host = Waiting(), TiledHost()
    run_stage(host, film.clip(), replace(TILES, people="rex @ followed left"), no_finder, waiting.callbacks)
    assert waiting.notes == ["The package is missing. Without it regions stay where they begin."]
    [(work, _)] = host.runs
    assert work.regional is not None
    assert work.regional.regions.masks is None
    with pytest.raises(ValueError, match="The package is missing"):
        run_stage(host, film.clip(), replace(TILES, people="rex @ followed left", subject="words", words="dog"),
                  no_finder, waiting.callbacks)  # fmt: skip


def test_what_was_done_is_written_into_the_infotext_and_the_rest_of_the_metadata_stays() -> None:
    clip = film.clip()
    faces = run_stage(FaceHost(), clip, replace(FACES, identity="rex", motion_module="a/mm.ckpt"), finder,
                   Waiting().callbacks).clip  # fmt: skip
    assert faces is not None
    assert faces.metadata["title"] == "A walk"
    text = faces.metadata["parameters"]
    assert text.startswith(film.PARAMETERS)
    assert "Face VCD identity: rex, Face VCD motion module: mm.ckpt, Face VCD denoise: 0.8" in text
    assert "Face VCD seed: 3" in text
    assert "Face VCD crop" not in text, "what is usual is not written down"
    both = run_stage(TiledHost(), faces, TILES, finder, Waiting().callbacks).clip
    assert both is not None
    assert both.metadata["parameters"].startswith(text)
    assert "Tiled VCD tile: 64" in both.metadata["parameters"]


def test_a_film_from_elsewhere_gets_an_infotext() -> None:
    clip = Clip(film.frames(), 8, {"parameters": "filmed by me"})
    made = run_stage(TiledHost(), clip, replace(TILES, prompt="a dog", negative_prompt="blur"), finder,
                  Waiting().callbacks).clip  # fmt: skip
    assert made is not None
    assert made.metadata["parameters"].startswith(
        "a dog\nNegative prompt: blur\nSteps: 2, CFG scale: 7.5, Seed: 3, Size: 192x128, Denoising strength: 0.2, "
    )


def test_a_seed_is_drawn_told_and_written_down() -> None:
    waiting = Waiting()
    made = run_stage(TiledHost(), film.clip(), replace(TILES, seed=-1), finder, waiting.callbacks).clip
    assert made is not None
    seed = waiting.notes[0].removeprefix("The seed is ").removesuffix(".")
    assert f"Tiled VCD seed: {seed}" in made.metadata["parameters"]


@pytest.mark.parametrize("chosen", ["auto", "models/control_sd15_tile.pth"])
def test_the_controlnet_that_is_used_is_told_and_written_down(chosen: str) -> None:
    waiting, host = Waiting(), TiledHost()
    host.networks = ["models/control_sd15_tile.pth"]
    made = run_stage(host, film.clip(), replace(TILES, controlnet=chosen, controlnet_weight=0.5), finder,
                  waiting.callbacks).clip  # fmt: skip
    assert made is not None
    wanted = "Tiled VCD controlnet: control_sd15_tile.pth, Tiled VCD controlnet weight: 0.5"
    assert wanted in made.metadata["parameters"]
    assert waiting.notes == ["ControlNet: control_sd15_tile.pth, with weight 0.5."]
    assert [work.controlnet for work, _ in host.runs] == ["models/control_sd15_tile.pth"]


def test_without_a_motion_module_it_is_said_that_frames_may_flicker() -> None:
    waiting = Waiting()
    run_stage(TiledHost(), film.clip(), replace(TILES, motion_module="none"), finder, waiting.callbacks)
    assert waiting.notes == ["No motion module is chosen: the frames are painted one by one, and may flicker."]
    waiting = Waiting()
    run_stage(TiledHost(), film.clip(count=1), replace(TILES, motion_module="none"), finder, waiting.callbacks)
    assert waiting.notes == []


@pytest.mark.parametrize("settings", [FACES, TILES])
def test_stopped_before_anything_is_finished_there_is_no_video(settings: FaceSettings | TiledSettings) -> None:
    waiting = Waiting(lambda _: True)
    host = FaceHost() if isinstance(settings, FaceSettings) else TiledHost()
    made = run_stage(host, film.clip(), replace(settings, identity="rex"), finder, waiting.callbacks)
    assert (made.clip, made.complete) == (None, False)
    assert "Stopped" in waiting.notes[-1]


def test_stopped_later_what_is_finished_comes_back() -> None:
    second = Waiting(lambda waiting: waiting.stages[-1].stage == "Repairing face 2")
    clip = film.clip(faces=2)
    made = run_stage(FaceHost(painted), clip, FACES, finder, second.callbacks)
    assert made.clip is not None
    assert not made.complete
    assert not np.array_equal(made.clip.frames, clip.frames)
    assert second.notes == ["Stopped: face 1 is finished; everything else is as it was."]
    host = TiledHost()
    third = Waiting(lambda _: host.decoded == 3)
    made = run_stage(host, clip, TILES, finder, third.callbacks)
    assert made.clip is not None
    assert (len(made.clip.frames), made.complete) == (3, False)


def test_without_a_face_the_video_is_as_it_was_and_that_is_said() -> None:
    waiting, clip = Waiting(), film.clip(faces=0)
    made = run_stage(FaceHost(painted), clip, FACES, finder, waiting.callbacks)
    assert made.clip is not None
    assert np.array_equal(made.clip.frames, clip.frames)
    assert waiting.notes == ["There is no face to repair in any frame; the video is as it was."]


def test_tiles_without_the_subject_get_another_prompt() -> None:
    def tilings(settings: TiledSettings, find: Callable[[FaceSettings], Detector], notes: list[str]) -> list[str]:
        host, waiting = TiledHost(), Waiting()
        run_stage(host, film.clip(), settings, find, waiting.callbacks)
        notes += waiting.notes
        return [tiling.elsewhere for _, tiling in host.runs]

    named, notes = replace(TILES, prompt="photo of rex", identity="rex"), list[str]()
    assert tilings(named, finder, notes) == ["photo of"]
    assert tilings(replace(named, subject="everywhere"), finder, notes) == [""]
    assert tilings(replace(named, identity="none"), finder, notes) == [""]
    assert tilings(replace(named, tile=192), finder, notes) == [""], "one tile is all of it"
    assert notes == []
    assert tilings(named, no_finder, notes) == [""]
    assert notes == ["The package is missing. Without it the identity's name is used in all tiles."]
    with pytest.raises(ValueError, match=r"The package is missing\."):
        tilings(replace(named, subject="blazeface"), no_finder, notes)


def test_a_face_too_small_to_repair_shows_where_the_subject_is() -> None:
    clip, waiting, host = film.clip(faces=0), Waiting(), TiledHost()
    for i, frame in enumerate(clip.frames):
        frame[20:26, 8 + i : 14 + i] = 250
    run_stage(host, clip, replace(TILES, prompt="photo of rex", identity="rex"), finder, waiting.callbacks)
    assert [tiling.elsewhere for _, tiling in host.runs] == ["photo of"]
    assert waiting.notes == []


def test_settings_that_no_host_can_work_with_are_refused_beforehand() -> None:
    assert check(FACES) == FACES
    for settings, words in (
        (replace(FACES, size=100), "multiple of 8"),
        (replace(FACES, people="rex"), "no face gets its words"),
        (replace(TILES, tile_overlap=64), "tile_overlap is 64"),
    ):
        with pytest.raises(SettingError, match=words):
            check(settings)
    assert (title(FACES), title(TILES)) == ("Face VCD", "Tiled VCD")


def test_what_is_missing_is_said_before_anything_is_computed() -> None:
    named = replace(TILES, identity="rex", subject="blazeface")
    for settings in (FACES, TILES, named):
        ready(TiledHost(), settings, finder)
    ready(TiledHost(), replace(named, subject="auto"), no_finder)  # it can do without
    ready(TiledHost(), replace(named, identity="none"), no_finder)  # nobody needs to know
    for settings in (FACES, named):
        with pytest.raises(ValueError, match=r"The package is missing\."):
            ready(TiledHost(), settings, no_finder)
    with pytest.raises(SettingError, match="There is no upscaler magic"):
        ready(TiledHost(), replace(TILES, upscaler="magic"), finder)


def test_faces_can_be_found_alone() -> None:
    waiting = Waiting()
    assert find_faces(film.clip(faces=2), FACES, finder, waiting.callbacks).shape[2] == 3
    assert waiting.notes == []
    find_faces(film.clip(faces=0), FACES, finder, waiting.callbacks)
    assert waiting.notes == ["No face was found in any frame."]
    with pytest.raises(Interrupted):
        find_faces(film.clip(), FACES, finder, Waiting(lambda _: True).callbacks)
