"""When something is wrong, one sentence says what to do, and nothing half-written is left."""

import errno
import os
import random
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from vcd_ext.media import Clip, read, write
from vcd_ext.storage.atomic import atomically

FILES = ["clip.mp4", "clip.webm", "clip.gif", "clip.webp"]
every_file = pytest.mark.parametrize("name", FILES)


def is_one_sentence(error: BaseException) -> bool:
    text = str(error)
    return text.endswith(".") and "\n" not in text and text.count(". ") == 0


@every_file
def test_a_full_disk_leaves_the_old_file_and_no_other(
    name: str, clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("old")
    monkeypatch.setattr("secrets.token_hex", lambda _: "full")
    (tmp_path / ".full.part").symlink_to("/dev/full")  # every write fails with ENOSPC, as on a full disk
    with pytest.raises(OSError, match="the disk is full; free some space") as caught:
        write(tmp_path / name, clip)
    assert caught.value.errno == errno.ENOSPC
    assert str(tmp_path / name) in str(caught.value)
    assert is_one_sentence(caught.value)
    assert (tmp_path / name).read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_full_disk_leaves_no_folder_of_some_frames(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, saved = Image.Image.save, []

    def save_two(image: Image.Image, *args: object, **options: object) -> None:
        if len(saved) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        saved.append(image)
        save(image, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "save", save_two)
    with pytest.raises(OSError, match="the disk is full"):
        write(tmp_path / "frames", clip)
    assert len(saved) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*FILES, "frames"])
def test_a_folder_that_is_a_file_is_named(name: str, clip: Clip, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for path in (tmp_path / "file" / name, tmp_path / "file" / "deeper" / name):
        with pytest.raises(OSError, match="a part of its path is a file") as caught:
            write(path, clip)
        assert str(path) in str(caught.value)
        assert is_one_sentence(caught.value)
    assert (tmp_path / "file").read_text() == "not a folder"


@pytest.mark.parametrize("name", ["clip.webp", "clip.gif", "clip.mp4"])
def test_what_cannot_be_encoded_is_said_and_not_written(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("old")
    too_wide = Clip(np.zeros((1, 2, 70000, 3), np.uint8), 8)
    with pytest.raises(ValueError, match="70000x2 cannot be encoded") as caught:
        write(tmp_path / name, too_wide)
    assert is_one_sentence(caught.value)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_an_existing_folder_is_not_touched(clip: Clip, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    with pytest.raises(FileExistsError, match="frames already exists; choose another name"):
        write(tmp_path / "frames", clip)
    assert list((tmp_path / "frames").iterdir()) == []


def test_missing_folders_are_made_and_an_existing_file_is_replaced(clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "clip.GIF"
    assert write(path, Clip(clip.frames[:2], 8)) == path
    write(str(path), clip)
    assert len(read(path).frames) == len(clip.frames)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "act", [lambda path: read(path), lambda path: write(path, Clip(np.zeros((1, 1, 1, 3), np.uint8), 8))]
)
def test_an_unknown_suffix_lists_the_known_ones(act, tmp_path: Path) -> None:
    (tmp_path / "clip.wmv").write_text("old")
    with pytest.raises(ValueError, match=r"'\.wmv'.*\.mp4, .*\.webm.*\.gif, \.webp.*PNG"):
        act(tmp_path / "clip.wmv")


@pytest.mark.parametrize("name", [*FILES, "frames"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{name} does not exist") as caught:
        read(tmp_path / name)
    assert is_one_sentence(caught.value)


@every_file
@pytest.mark.parametrize(
    "content",
    [b"", b"just text", b"#EXTM3U\n#EXTINF:1\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n"],
)
def test_a_file_that_is_no_video_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} is damaged or not a") as caught:
        read(tmp_path / name)
    assert is_one_sentence(caught.value)


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no PNG files in the folder") as caught:
        read(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_film_without_pictures_is_named(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 16000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(ValueError, match=r"sound\.mp4 cannot be read: there is no video in it") as caught:
        read(tmp_path / "sound.mp4")
    assert is_one_sentence(caught.value)


@every_file
def test_a_truncated_file_is_never_taken_for_a_shorter_clip(name: str, clip: Clip, tmp_path: Path) -> None:
    path = write(tmp_path / name, clip)
    data = path.read_bytes()
    refusals = []
    for length in range(0, len(data), len(data) // 40):
        path.write_bytes(data[:length])
        frames, refusal = frames_or_refusal(path)
        assert frames in (0, len(clip.frames))  # the last bytes of some files are not needed
        refusals += [refusal] if refusal else []
    assert len(refusals) > 35
    assert all(is_one_sentence(refusal) and str(path) in str(refusal) for refusal in refusals)


def test_a_gif_that_was_cut_between_two_frames_is_refused(clip: Clip, tmp_path: Path) -> None:
    path = write(tmp_path / "clip.gif", clip)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"!\xf9\x04")] + b";")
    with pytest.raises(ValueError, match="only 6 of its 7 frames are there"):
        read(path)


def test_a_playlist_that_calls_itself_a_film_opens_no_other_file(clip: Clip, tmp_path: Path) -> None:
    write(tmp_path / "private.mp4", clip)
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile private.mp4\n")
    with pytest.raises(ValueError, match=r"list\.mp4 is damaged or not a mp4 video"):
        read(tmp_path / "list.mp4")


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    (tmp_path / "clip.mp4").write_bytes(b"")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError):
        read(tmp_path / "clip.mp4")


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of damaged EXIF
@pytest.mark.parametrize("name", [*FILES, "frames/00000.png"])
def test_damaged_bytes_end_in_frames_or_in_a_sentence(name: str, clip: Clip, tmp_path: Path) -> None:
    target = write(tmp_path / name.split("/")[0], clip)
    path, chance = tmp_path / name, random.Random(0)
    data = path.read_bytes()
    for _ in range(30):
        damaged = bytearray(data)
        for _ in range(20):
            damaged[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(damaged)
        frames, refusal = frames_or_refusal(target)
        assert frames > 0 or str(target) in str(refusal)


def frames_or_refusal(path: Path) -> tuple[int, ValueError | None]:
    try:
        return len(read(path).frames), None
    except ValueError as error:
        return 0, error


def test_an_old_pyav_is_named(clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "__version__", "12.3.0")
    with pytest.raises(ImportError, match=r"PyAV 12\.3\.0 is too old: pip install"):
        write(tmp_path / "clip.mp4", clip)


def test_a_film_too_long_for_the_memory_is_named(clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    path = write(tmp_path / "clip.gif", clip)
    monkeypatch.setattr("vcd_ext.media.animation.stacked", no_memory)
    with pytest.raises(MemoryError, match=r"clip\.gif is too long for the memory"):
        read(path)


def test_a_film_too_long_for_the_disk_is_not_called_damaged(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "The frames need 7.3 GiB in /tmp")

    path = write(tmp_path / "clip.mp4", clip)
    monkeypatch.setattr("vcd_ext.media.containers.stacked", full)
    with pytest.raises(OSError, match=r"The frames need 7\.3 GiB"):
        read(path)


def test_without_pyav_the_other_formats_still_work(clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert len(read(write(tmp_path / "clip.gif", clip)).frames) == len(clip.frames)
    with pytest.raises(ImportError, match="PyAV is not installed: restart the WebUI"):
        write(tmp_path / "clip.mp4", clip)
    (tmp_path / "other.webm").write_bytes(b"")
    with pytest.raises(ImportError, match="pip install av"):
        read(tmp_path / "other.webm")
    assert not (tmp_path / "clip.mp4").exists()


def test_atomically_gives_the_name_only_at_the_end(tmp_path: Path) -> None:
    with atomically(tmp_path / "file.bin") as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert not (tmp_path / "file.bin").exists()
    assert [file.read_text() for file in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, MemoryError])
def test_atomically_leaves_other_failures_as_they_are(failure: type[BaseException], tmp_path: Path) -> None:
    def fail_half_way() -> None:
        with atomically(tmp_path / "file.bin") as temporary:
            temporary.mkdir()
            (temporary / "part").write_text("half")
            raise failure

    (tmp_path / "file.bin").write_text("old")
    with pytest.raises(failure):
        fail_half_way()
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
