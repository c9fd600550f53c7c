"""The tabs' studio on a checkpoint of the real layout: masks, training, identity."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from tests import tiny
from tests.conftest import Files
from tests.identity.toy_host import photo
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.library import Library
from vcd_ext.hosts.diffusers.studio import StandaloneStudio
from vcd_ext.hosts.diffusers.training import StandaloneTraining
from vcd_ext.hosts.protocols import VideoPass
from vcd_ext.identity import library as identity_library
from vcd_ext.identity import load_embedding, save_embedding
from vcd_ext.identity.training.request import TrainingRequest
from vcd_ext.jobs.studio import Folders
from vcd_ext.progress import Progress, Report
from vcd_ext.settings import GENERAL_DETECTORS, SAMPLERS, FaceSettings, TiledSettings, TrainSettings

SETTINGS = TrainSettings(name="rexling", class_word="dog", size=64, steps=2, batch=1, variants=1, tokens=2, seed=1)
PHOTOS = [photo(0)]


@pytest.fixture(scope="module")
def host(files: Files) -> StandaloneTraining:
    return StandaloneTraining(Standalone.load(files.checkpoint))


@pytest.fixture
def studio(host: StandaloneTraining, tmp_path: Path) -> StandaloneStudio:
    folders = Folders(tmp_path, tmp_path, (tmp_path / "models",), (tmp_path,), tmp_path / "videos", (tmp_path,))
    library = Library(tmp_path / "modules", tmp_path / "upscalers", tmp_path / "controlnets", tmp_path)
    return StandaloneStudio(host, folders, library)


def test_a_finished_identity_is_saved_and_its_state_is_gone(studio: StandaloneStudio, tmp_path: Path) -> None:
    state = tmp_path / "rexling.training"
    identity = studio.train(TrainingRequest(PHOTOS, SETTINGS, state=state))
    assert identity.finished
    path = studio.place("rexling", True)
    assert np.array_equal(load_embedding(path), identity.vectors)
    assert list(tmp_path.iterdir()) == [path]
    assert [one.class_word for one in identity_library.identities(tmp_path)] == ["dog"]
    studio.forget(path, lambda: False)
    assert list(tmp_path.iterdir()) == []


def test_one_that_was_stopped_is_kept_when_asked_for(studio: StandaloneStudio, tmp_path: Path) -> None:
    state = tmp_path / "rexling.training"
    identity = studio.train(TrainingRequest(PHOTOS, SETTINGS, None, state.exists, state))
    assert not identity.finished
    assert state.exists()
    assert studio.keep(identity, state, False).is_file()
    assert not state.exists()


def test_a_picture_can_be_made_in_between_two_steps(studio: StandaloneStudio, tmp_path: Path) -> None:
    made = []

    def show(now: Progress) -> None:
        if now.vectors is not None and now.loss is not None:
            made.append(studio.picture("photo of rexling dog", "rexling", now.vectors, 64))

    def trained(name: str, report: Report) -> Tensor:
        settings = replace(SETTINGS, name=name)
        state = tmp_path / f"{name}.training"
        return studio.train(TrainingRequest(PHOTOS, settings, report, None, state, replace_existing=True)).vectors

    shown, plain = trained("rexling", show), trained("rexling", lambda now: None)
    assert [picture.shape for picture in made] == [(64, 64, 3)] * 2
    assert np.std(made[0]) > 1
    assert not np.array_equal(*made), "it learns"
    assert np.array_equal(shown, plain)


def test_a_name_that_is_taken_is_refused(studio: StandaloneStudio, host: StandaloneTraining, tmp_path: Path) -> None:
    vectors = host.vectors_of("dog")
    save_embedding(tmp_path / "Rexling.safetensors", vectors)
    with pytest.raises(ValueError, match="already an embedding called Rexling"):
        studio.place("rexling", True)
    assert studio.place("Rexling", True) == tmp_path / "Rexling.safetensors"
    with pytest.raises(ValueError, match="Use another name, or let it be replaced"):
        studio.place("Rexling", False)
    save_embedding(tmp_path / "within" / "maxling.safetensors", vectors)
    with pytest.raises(ValueError, match="already an embedding called maxling"):
        studio.place("maxling", True)  # embeddings are found in folders too


def test_masks_are_found_with_what_is_there(studio: StandaloneStudio) -> None:
    with studio.segmenting(lambda: False) as segmenters:
        assert [one.name for one in segmenters] == ["cross-attention", "GrabCut"]


def test_photos_are_described_in_the_webui_only(studio: StandaloneStudio) -> None:
    assert not studio.captions
    with pytest.raises(ValueError, match="in the WebUI only; write the class yourself"):
        studio.captioning(lambda: False)


def test_the_estimate_knows_the_checkpoint(studio: StandaloneStudio) -> None:
    capacity = studio.capacity()
    assert (capacity.device, capacity.value_bytes, capacity.free) == ("cpu", 4, None)
    assert capacity.parameters is not None
    assert 1e5 < capacity.parameters < 1e8


def test_it_lends_what_makes_videos_again_with_what_lies_in_its_folders(
    studio: StandaloneStudio, files: Files, tmp_path: Path
) -> None:
    none = studio.choices()
    assert none == (["none"], ["none"], list(SAMPLERS), ["Lanczos"], [], GENERAL_DETECTORS)
    assert studio.motion_module() == "none"
    (tmp_path / "modules").mkdir()
    module = tmp_path / "modules" / files.motion_module.name
    module.symlink_to(files.motion_module)
    for name in ("control_sd15_tile", "control_sd15_canny"):
        network = tiny.controlnet(tmp_path / "controlnets", name)
    (tmp_path / files.embedding.name).symlink_to(files.embedding)
    (tmp_path / "notes.pt").write_text("no embedding")
    there = studio.choices()
    assert (there.motion_modules, there.identities) == (["none", str(module)], ["none", "tinyperson"])
    assert there.controlnets == [str(network.with_name("control_sd15_tile.safetensors"))]
    (tmp_path / "modules" / "a.safetensors").write_bytes(b"damaged")
    assert studio.motion_module() == str(module)
    studio.check(TiledSettings(controlnet=there.controlnets[0]))
    work = VideoPass("tinyperson", steps=1, denoise=1.0, cfg_scale=1.0, motion_module=str(module))
    with studio.remaking(print, lambda: False) as host:
        frames = list(host.denoise([np.zeros((64, 64, 3), np.float32)] * 2, work))
    assert [frame.shape for frame in frames] == [(64, 64, 3)] * 2


def test_names_that_are_not_there_are_refused(studio: StandaloneStudio) -> None:
    studio.check(TiledSettings(sampler="ddim", upscaler="Lanczos"))
    for settings, words in (
        (TiledSettings(motion_module="mm"), "motion_module is 'mm', which is not there; choose one of none"),
        (TiledSettings(identity="rex"), "identity is 'rex', which is not there"),
        (TiledSettings(sampler="magic"), "sampler is 'magic', which is not there; choose one of euler"),
        (TiledSettings(upscaler="magic"), "upscaler is 'magic', which is not there"),
        (TiledSettings(controlnet="magic"), "controlnet is 'magic', which is not there; choose one of auto, none"),
    ):
        with pytest.raises(ValueError, match=words):
            studio.check(settings)


def test_a_controlnet_that_does_not_fit_the_checkpoint_is_refused(studio: StandaloneStudio, tmp_path: Path) -> None:
    wide = tiny.controlnet(tmp_path / "controlnets", "wide_sd15_tile", width=64)
    with pytest.raises(ValueError, match=r"wide_sd15_tile.safetensors is made for a UNet of \(64, 128, 256, 256\)"):
        studio.check(TiledSettings(controlnet=str(wide)))
    studio.check(TiledSettings(controlnet="auto"))  # which takes none that does not fit


def test_it_finds_faces_with_what_is_there(studio: StandaloneStudio) -> None:
    assert studio.finder(FaceSettings(detector="drawn"))(np.zeros((128, 128, 3), np.uint8)) is not None
    with pytest.raises(ValueError, match="There is no file of YuNet"):
        studio.finder(FaceSettings(detector="yunet"))
