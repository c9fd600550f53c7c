"""Face VCD and Tiled VCD in the background: one job at a time of any kind, stopped, saved, told about."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import film
from tests.full_disk import full_disk
from tests.identity.toy_host import PHOTOS
from tests.toy_studio import ENDLESS, SETTINGS, ToyStudio, ended, until
from vcd_ext import media
from vcd_ext.jobs.job import DONE, FAILED, STOPPED, WAITING
from vcd_ext.jobs.queue import BusyError
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.training import TrainingJob
from vcd_ext.jobs.video import VideoJob
from vcd_ext.progress import Progress
from vcd_ext.settings import FaceSettings, FileSettings, TiledSettings
from vcd_ext.ui.video_panel import result

FACES = FaceSettings(**film.SMALL_FACES, motion_module="mm_v2")
TILES = TiledSettings(tile=64, tile_overlap=16, steps=2, seed=3, motion_module="mm_v2")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return film.film(tmp_path / "walk.mp4", faces=2)


def test_faces_are_repaired_and_the_result_lies_in_the_folder_of_videos(
    jobs: Jobs, studio: ToyStudio, source: Path
) -> None:
    job = ended(jobs.videos.start(source, FACES, ["mp4", "png"]))
    assert (job.state, job.error, job.notes) == (DONE, "", [])
    assert job.files == [studio.folders.videos / "walk-face.mp4", studio.folders.videos / "walk-face"]
    assert media.has_sound(job.files[0])
    assert job.sheet is not None
    assert (job.before, job.after) == (source, job.files[0])
    again = ended(jobs.videos.start(source, FACES))
    assert again.files == [studio.folders.videos / "walk-face-2.mp4"], "nothing is overwritten"


def test_files_are_written_as_they_are_asked_for_and_the_page_plays_the_whole_result(
    jobs: Jobs, studio: ToyStudio, source: Path
) -> None:
    written = FileSettings(frames_per_file=3, subfolder="repaired", text_file=True, frame_format="jpg")
    job = ended(jobs.videos.start(source, TILES, ["mp4", "png"], written=written))
    assert [str(file.relative_to(studio.folders.videos)) for file in job.files] == [
        "repaired/walk-tiled-part1.mp4", "repaired/walk-tiled-part2.mp4", "repaired/walk-tiled",
    ]  # fmt: skip
    assert (job.files[2] / "00000.jpg").is_file()
    assert job.files[0].with_suffix(".txt").is_file()
    assert job.after is not None
    assert len(media.read(job.after).frames) == 5
    again = ended(jobs.videos.start(source, TILES, ["mp4"], written=FileSettings(subfolder="repaired", lossless=True)))
    assert again.files == [studio.folders.videos / "repaired" / "walk-tiled-2.mp4"]
    assert again.after not in again.files, "a browser need not know how it is stored"


def test_a_result_is_the_input_of_the_next_stage(jobs: Jobs, studio: ToyStudio, source: Path) -> None:
    face = ended(jobs.videos.start(source, FACES))
    job = ended(jobs.videos.start(face.files[0], TILES))
    assert job.files == [studio.folders.videos / "walk-face-tiled.mp4"]
    clip = media.read(job.files[0])
    assert clip.frames.shape == (film.FRAMES, 128, 192, 3)
    for words in (film.PARAMETERS, "Face VCD denoise: 0.8", "Tiled VCD denoise: 0.2"):
        assert words in clip.metadata["parameters"]
    assert face.files[0].is_file(), "each stage is kept"


def test_passes_in_a_row_lose_no_more_than_one(jobs: Jobs, source: Path) -> None:
    untouched = replace(FACES, min_face=60)  # larger than the faces, so that nothing is painted
    made = [ended(jobs.videos.start(source, untouched))]
    for form in ("mp4", "png"):
        made.append(ended(jobs.videos.start(made[-1].files[0], untouched, [form])))
    assert [job.error for job in made] == [""] * 3
    first = media.read(source).frames
    assert not np.array_equal(media.read(made[1].files[0]).frames, first), "or the format loses nothing"
    assert np.array_equal(media.read(made[2].files[0]).frames, first)
    assert media.has_sound(made[1].files[0])
    changed = media.write(made[1].files[0], media.Clip(np.zeros((2, 64, 96, 3), np.uint8), 10))
    other = ended(jobs.videos.start(changed, TILES))
    assert media.read(other.files[0]).frames.shape[0] == 2, "a file that was changed since is read itself"


@pytest.mark.parametrize("settings", [FACES, TILES], ids=["face", "tiled"])
@pytest.mark.parametrize("frames", [1, 3, 8, 20])
def test_the_last_that_is_told_of_each_stage_is_its_end(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: FaceSettings | TiledSettings, frames: int
) -> None:
    last: dict[str, Progress] = {}
    monkeypatch.setattr(VideoJob, "report", lambda job, now: last.update({now.stage: now}))
    ended(jobs.videos.start(film.film(tmp_path / "walk.mp4", frames), settings))
    assert [*last][:: len(last) - 1] == ["Reading the video", "Writing the files"]
    assert len(last) > 2
    assert [now for now in last.values() if now.step < now.total] == []


def test_what_is_lost_of_a_file_is_told(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "drawn").mkdir()
    Image.new("RGBA", (64, 48), (255, 0, 0, 100)).save(tmp_path / "drawn" / "0.png")
    job = ended(jobs.videos.start(tmp_path / "drawn", TILES))
    assert job.state == DONE
    assert "transparent in places" in job.notes[0]
    _, notes = jobs.videos.find_faces(tmp_path / "drawn", FACES)
    assert "transparent in places" in notes[0]


def test_browsers_get_copies_of_what_they_cannot_play(jobs: Jobs, tmp_path: Path) -> None:
    job = ended(jobs.videos.start(film.film(tmp_path / "walk.gif"), TILES, ["webp"]))
    assert job.before is not None
    assert job.after is not None
    assert (len(media.read(job.before).frames), len(media.read(job.after).frames)) == (film.FRAMES, film.FRAMES)
    assert {job.before.suffix, job.after.suffix} == {".mp4"}


def test_a_text_file_lies_beside_a_video_where_the_host_wants_it(
    jobs: Jobs, studio: ToyStudio, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(jobs.videos.start(source, TILES))
    assert not list(studio.folders.videos.glob("*.txt"))
    monkeypatch.setattr(studio, "text_files", True)
    job = ended(jobs.videos.start(source, TILES, ["mp4", "png"]))
    [text] = studio.folders.videos.glob("*.txt")
    assert text.name == "walk-tiled-2.txt"
    assert text.read_text() == media.read(job.files[0]).metadata["parameters"] + "\n"


def test_a_name_that_would_be_too_long_is_cut(jobs: Jobs, studio: ToyStudio, tmp_path: Path) -> None:
    source = film.film(tmp_path / f"{'雪' * 83}.gif")
    first, second = (ended(jobs.videos.start(source, TILES, ["webp"])) for _ in range(2))
    assert [job.error for job in (first, second)] == ["", ""]
    for job, ending in ((first, "雪-tiled.webp"), (second, "雪-tiled-2.webp")):
        assert job.files[0].name.endswith(ending)
        assert job.files[0].is_file()
    assert first.before is not None
    assert first.before.is_file()


def test_one_job_runs_at_a_time_of_whatever_kind(jobs: Jobs, source: Path) -> None:
    training = jobs.trainings.start(PHOTOS, ENDLESS)
    with pytest.raises(BusyError, match=f"{SETTINGS.name} is being trained"):
        jobs.videos.start(source, FACES)
    assert jobs.beside(None) is not None
    assert jobs.beside(training) is None
    jobs.stop()
    ended(training)
    with jobs.studio.somebody_else_computing():  # type: ignore[attr-defined]
        job = jobs.videos.start(source, TILES)
        assert job.state == WAITING
        for refused in (lambda: jobs.videos.start(source, FACES), lambda: jobs.trainings.start(PHOTOS, SETTINGS),
                        lambda: jobs.videos.find_faces(source, FACES)):  # fmt: skip
            with pytest.raises(BusyError, match=r"Tiled VCD of walk\.mp4 is under way; wait for the end"):
                refused()
        other = jobs.beside(training)
        assert other is not None
        assert other.stage == "Tiled VCD of walk.mp4"
    ended(job)
    assert jobs.last is job
    assert (jobs.last_of(TrainingJob), jobs.last_of(VideoJob)) == (training, job)
    assert jobs.last_of(VideoJob, lambda one: isinstance(one.settings, FaceSettings)) is None


def test_what_is_finished_when_it_is_stopped_is_kept(jobs: Jobs, studio: ToyStudio, source: Path) -> None:
    studio.video.at = lambda frame: jobs.stop() if frame == 2 else None
    job = ended(jobs.videos.start(source, TILES))
    assert (job.state, job.error) == (STOPPED, "")
    assert len(media.read(job.files[0]).frames) == 3
    assert job.notes == ["Stopped: 3 of 5 frames are finished."]


def test_the_hosts_own_interrupt_stops_it_too(jobs: Jobs, studio: ToyStudio, source: Path) -> None:
    studio.was_interrupted = True
    job = ended(jobs.videos.start(source, FACES))
    assert (job.state, job.files, job.unsaved) == (STOPPED, [], None)
    assert job.notes == ["Stopped before all faces were found; the video is as it was."]
    with pytest.raises(ValueError, match="Stopped before all faces were found"):
        jobs.videos.find_faces(source, FACES)


def test_one_that_was_stopped_while_it_waited_does_nothing(jobs: Jobs, studio: ToyStudio, source: Path) -> None:
    with studio.somebody_else_computing():
        job = jobs.videos.start(source, FACES)
        job.stop()
        assert (ended(job).state, job.error, job.files, studio.video.passes) == (STOPPED, "", [], 0)
        other = jobs.videos.start(source, TILES)  # the turn is free again, though nobody computes yet
        assert other.state == WAITING
    assert ended(other).state == DONE


def test_the_search_for_faces_waits_for_its_turn_and_can_be_given_up(
    jobs: Jobs, studio: ToyStudio, source: Path
) -> None:
    said: list[str] = []

    def find() -> None:
        try:
            jobs.videos.find_faces(source, FACES)
        except ValueError as error:
            said.append(str(error))

    studio.was_interrupted = True  # the host's button, by which somebody has ended what is being done now
    with studio.somebody_else_computing():
        thread = threading.Thread(target=find)
        thread.start()
        until(lambda: jobs.doing)
        jobs.stop()
        until(lambda: said)
    thread.join()
    assert said == ["Stopped before all faces were found."]
    studio.was_interrupted = False
    jobs.videos.find_faces(source, FACES)


def test_a_full_disk_at_the_end_costs_nothing_and_it_can_be_saved_later(
    jobs: Jobs, studio: ToyStudio, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("vcd_ext.media.output_files.media.write", full_disk)
        job = ended(jobs.videos.start(source, TILES))
        assert job.state == FAILED
        assert "walk-tiled.mp4 was not written: the disk is full." in job.error
        with pytest.raises(OSError, match="the disk is full"):
            jobs.videos.save(job)
    passes = studio.video.passes
    jobs.videos.save(job)
    assert (job.state, job.error, job.unsaved) == (DONE, "", None)
    assert len(media.read(job.files[0]).frames) == film.FRAMES
    assert studio.video.passes == passes, "nothing is painted again"


def test_where_nothing_makes_mp4_animations_are_made_again_all_the_same(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, source = media.write, film.film(tmp_path / "walk.gif")

    def without_pyav(path: Path, *arguments: object, **options: object) -> Path:
        if path.suffix == ".mp4":
            raise ImportError("PyAV is not installed.")
        return write(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(media, "write", without_pyav)
    job = ended(jobs.videos.start(source, TILES, ["gif"]))
    assert (job.state, job.error) == (DONE, "")
    assert (job.before, job.after) == (None, None)
    assert job.notes == [f"The page cannot show {name}.gif. PyAV is not installed." for name in ("walk", "walk-tiled")]
    assert len(media.read(job.files[0]).frames) == film.FRAMES
    shown = result(job, None)
    assert "walk-tiled.gif" in shown
    assert "<video" not in shown


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "The memory is too small for"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "The memory is too small for"),
        (KeyError("mid"), "The video failed: KeyError: 'mid'. The console tells more."),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence(
    jobs: Jobs, studio: ToyStudio, source: Path, error: Exception, words: str
) -> None:
    def fail(frame: int) -> None:
        raise error

    studio.video.at = fail
    job = ended(jobs.videos.start(source, FACES))
    assert job.state == FAILED
    assert job.error.startswith(words)
    studio.video.at = lambda frame: None
    assert ended(jobs.videos.start(source, FACES)).state == DONE


def test_what_cannot_begin_is_refused_before_it_begins(jobs: Jobs, source: Path, tmp_path: Path) -> None:
    (tmp_path / "walk.wmv").touch()
    for path, settings, formats, words in (
        (source, replace(FACES, size=100), ["mp4"], "multiple of 8"),
        (source, replace(FACES, motion_module="mm_v9"), ["mp4"], "motion_module is 'mm_v9'"),
        (source, FACES, ["mov"], "formats is"),
        (source, FACES, [], "No format is chosen"),
        (tmp_path / "walk.wmv", FACES, ["mp4"], "unknown suffix"),
    ):
        with pytest.raises(ValueError, match=words):
            jobs.videos.start(path, settings, formats)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        jobs.videos.start(tmp_path / "missing.mp4", FACES)
    assert jobs.last is None


def test_a_damaged_file_is_told_by_the_job(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "walk.mp4").write_bytes(b"text")
    job = ended(jobs.videos.start(tmp_path / "walk.mp4", FACES))
    assert job.state == FAILED
    assert "is damaged or not a mp4 video" in job.error


def test_faces_can_be_found_before(jobs: Jobs, source: Path, studio: ToyStudio) -> None:
    sheet, notes = jobs.videos.find_faces(source, FACES)
    assert sheet.dtype == np.uint8
    assert notes == []
    assert jobs.doing is None
    assert studio.video.passes == 0


def test_a_job_tells_where_it_is(jobs: Jobs, studio: ToyStudio, source: Path) -> None:
    seen: list[str] = []
    studio.video.at = lambda frame: seen.append(jobs.last.progress.stage)  # type: ignore[union-attr]
    job = ended(jobs.videos.start(source, FACES))
    assert set(seen) == {"Repairing face 1", "Repairing face 2"}
    until(lambda: job.progress)
    assert job.progress is not None
    assert job.progress.stage == "Writing the files"
