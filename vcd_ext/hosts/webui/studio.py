"""Lend the tabs and the API the checkpoint that the WebUI has loaded: a `vcd_ext.jobs.studio.Studio`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from modules import call_queue, devices, paths, paths_internal, sd_models, sd_samplers, shared
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.face import Detector, detector
from vcd_ext.hosts.protocols import VideoHost
from vcd_ext.hosts.shared.enlarge import known
from vcd_ext.hosts.shared.people import regional_texts
from vcd_ext.hosts.webui import video
from vcd_ext.hosts.webui.captions import CAPTIONS_JOB, captioning, captions_available
from vcd_ext.hosts.webui.library.controlnets import check_controlnet, tile_controlnets
from vcd_ext.hosts.webui.library.drawn_world import is_drawn, offered_detectors
from vcd_ext.hosts.webui.library.embeddings import embedding_file, embedding_names, reload_embeddings
from vcd_ext.hosts.webui.library.folders import OUTPUT_OPTIONS, remembered_folder
from vcd_ext.hosts.webui.library.motion_modules import find_motion_module, motion_module_choices, motion_modules
from vcd_ext.hosts.webui.model import checkpoint
from vcd_ext.hosts.webui.report import queued
from vcd_ext.hosts.webui.training import JOB, WebUITraining, keep, train_identity
from vcd_ext.identity import Identity
from vcd_ext.identity import library as identity_library
from vcd_ext.identity.segment import Segmenter, segmenters
from vcd_ext.identity.segment.weights import SEGMENT_ANYTHING
from vcd_ext.identity.training.estimate import Capacity
from vcd_ext.identity.training.preview import preview_picture
from vcd_ext.identity.training.request import TrainingRequest
from vcd_ext.jobs.locking import held
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.studio import Caption, Choices, Folders, Sampler
from vcd_ext.motion import suggested
from vcd_ext.progress import Note
from vcd_ext.settings import AUTO, NO_MODULE, FaceSettings, PassSettings, SettingError, TiledSettings
from vcd_ext.toyworld.measures import DRAWN

PHOTOS_OPTION = "vcd_photo_folders"
TRAININGS = "vcd/trainings"  # in the WebUI's data folder
MASKS_JOB, FACES_JOB, PICTURES_JOB = "vcd-masks", "vcd-faces", "vcd-pictures"
VIDEOS = "vcd"  # in the WebUI's output folder


class WebUIStudio:
    """Run the jobs of tabs and API, each in its turn among the WebUI's own."""

    makes_pictures = True

    @property
    def folders(self) -> Folders:
        """Return where the WebUI and its settings say that files are."""
        data = Path(paths.data_path)
        chosen = str(shared.opts.data.get(PHOTOS_OPTION) or "").split(";")
        allowed = [data, *shared.cmd_opts.gradio_allowed_path, *(name.strip() for name in chosen if name.strip())]
        photos = tuple(Path(folder) for folder in dict.fromkeys(map(str, allowed)))
        made = [Path(folder).absolute() for folder in map(remembered_folder, OUTPUT_OPTIONS) if folder]
        videos = Path(shared.opts.outdir_samples or paths_internal.default_output_dir).absolute() / VIDEOS
        return Folders(
            identities=Path(shared.cmd_opts.embeddings_dir),
            trainings=data / TRAININGS,
            weights=(Path(paths.models_path), data / SEGMENT_ANYTHING),
            photos=photos,
            videos=videos,
            sources=tuple(dict.fromkeys([*photos, *made])),
        )

    @property
    def private(self) -> bool:
        """Return whether the WebUI listens to this machine alone, and does not hide its folders."""
        options = shared.cmd_opts
        return not (
            options.listen or options.share or options.ngrok or options.server_name or options.hide_ui_dir_config
        )

    @property
    def text_files(self) -> bool:
        """Return whether the WebUI's own option asks for text files beside pictures."""
        return bool(shared.opts.save_txt)

    def busy(self) -> str:
        """Return whether the WebUI does something else now."""
        if shared.state.job and shared.state.job not in (JOB, MASKS_JOB, FACES_JOB, CAPTIONS_JOB, video.JOB):
            return "Waiting until the WebUI is done with what it is doing."
        return ""

    def interrupted(self) -> bool:
        """Return whether Interrupt was pressed during the job that runs."""
        return shared.state.interrupted or shared.state.stopping_generation

    def place(self, name: str, replace_existing: bool) -> Path:
        """Return the file that the identity `name` will be; ValueError if there is one of that name already."""
        return embedding_file(name, replace_existing)

    def train(self, request: TrainingRequest) -> Identity:
        """Train on the loaded checkpoint; what was learned to the end can be used in the next prompt."""
        return train_identity(request)

    def picture(self, prompt: str, name: str, vectors: Tensor, size: int) -> NDArray[np.uint8]:
        """Return a picture of what is being learned."""
        return preview_picture(WebUITraining(shared.sd_model), prompt, name, vectors, size)

    def keep(self, identity: Identity, state: Path, replace_existing: bool) -> Path:
        """Save an identity whose training was stopped; its file."""
        return keep(identity, state, replace_existing)

    def begun_now(self) -> AbstractContextManager[None]:
        """Hold the checkpoint that is chosen now, for a job that may wait."""
        return checkpoint.pinned_now()

    @contextmanager
    def segmenting(self, stops: Callable[[], bool]) -> Iterator[Sequence[Segmenter]]:
        """Hold the WebUI's queue and lend what finds masks, best first; ValueError if the checkpoint is no SD1.5."""
        with queued(MASKS_JOB, stops):
            checkpoint.reload_checkpoint()
            yield segmenters(self.folders.weights, WebUITraining(shared.sd_model), devices.device)

    @property
    def captions(self) -> bool:
        """Return whether the weights of the WebUI's own captioner are here."""
        return captions_available(self.folders)

    def captioning(self, stops: Callable[[], bool]) -> AbstractContextManager[Caption]:
        """Hold the WebUI's queue and lend its captioner."""
        return captioning(self.folders, stops)

    def forget(self, path: Path, stops: Callable[[], bool]) -> None:
        """Delete an identity; prompts do not know it any more."""
        with held(call_queue.queue_lock, stops):
            identity_library.delete(path)
            reload_embeddings()

    def capacity(self) -> Capacity:
        """Return what is known of the machine, and of the checkpoint if one is loaded."""
        sd_model = sd_models.model_data.sd_model
        value_bytes = torch.empty(0, dtype=devices.dtype_unet).element_size()
        if sd_model is None or not hasattr(sd_model, "model"):
            return Capacity(str(devices.device), value_bytes, None, None)
        free = WebUITraining(sd_model).free_memory()
        parameters = sum(parameter.numel() for parameter in sd_model.model.parameters())
        return Capacity(str(devices.device), value_bytes, free, parameters)

    def remaking(self, note: Note, stops: Callable[[], bool]) -> AbstractContextManager[VideoHost]:
        """Hold the WebUI's queue and lend its img2img for videos."""
        return video.queued_video_host(note, stops)

    @contextmanager
    def sampling(self, stops: Callable[[], bool]) -> Iterator[Sampler]:
        """Hold the WebUI's queue and lend what makes pictures with an identity; ValueError if it is no SD1.5."""
        with queued(PICTURES_JOB, stops):
            checkpoint.reload_checkpoint()
            host = WebUITraining(shared.sd_model)
            with host.training():
                yield partial(preview_picture, host)

    def measures(self) -> tuple[str, ...]:
        """Return the drawn world's judges where its checkpoint is the chosen one."""
        return DRAWN if is_drawn() else ()

    def finding(self, stops: Callable[[], bool]) -> AbstractContextManager[None]:
        """Hold the WebUI's queue, as detectors need the device as well."""
        return queued(FACES_JOB, stops)

    def finder(self, settings: FaceSettings) -> Detector:
        """Return what finds the faces that settings ask for."""
        return detector(settings, self.folders.weights, devices.device)

    def choices(self) -> Choices:
        """Return the names that settings may have."""
        return Choices(
            motion_module_choices(),
            [NO_MODULE, *embedding_names()],
            sd_samplers.visible_sampler_names(),
            video.WebUIVideo().upscalers(),
            list(tile_controlnets()),
            offered_detectors(),
        )

    def motion_module(self) -> str:
        """Return the name of a motion module for somebody who has chosen none."""
        return suggested(motion_modules()) or NO_MODULE

    def check(self, settings: PassSettings) -> None:
        """Raise ValueError for a name that is not there, or a ControlNet that does not fit the checkpoint."""
        if settings.motion_module != NO_MODULE:
            find_motion_module(settings.motion_module)
        video.sampler_of(settings.sampler)
        if settings.identity not in (names := [NO_MODULE, *embedding_names()]):
            raise SettingError(
                "identity", f"identity is '{settings.identity}', which is not there; choose one of {', '.join(names)}."
            )
        if isinstance(settings, TiledSettings):
            regional_texts(settings.several, embedding_names(), settings.identity)
            known(settings.upscaler, video.WebUIVideo().upscalers())
            if settings.controlnet not in (AUTO, NO_MODULE):
                check_controlnet(settings.controlnet, sd_models.model_data.sd_model)


JOBS = Jobs(WebUIStudio())
