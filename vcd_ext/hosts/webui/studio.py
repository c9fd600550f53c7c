"""The tabs and the API in the WebUI: a `vcd_ext.jobs.studio.Studio` on the checkpoint that the WebUI has loaded."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import torch
from modules import call_queue, devices, paths, paths_internal, sd_models, sd_samplers, shared
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.face import Detector, detector
from vcd_ext.hosts.protocols import VideoHost
from vcd_ext.hosts.shared.enlarge import known
from vcd_ext.hosts.webui import captions, controlnets, embeddings, library, pin, video
from vcd_ext.hosts.webui.layers import Note
from vcd_ext.hosts.webui.named_folders import OUTPUTS, named
from vcd_ext.hosts.webui.training import JOB, WebUITraining, keep, train_identity
from vcd_ext.hosts.webui.turn import queued
from vcd_ext.identity import Identity
from vcd_ext.identity import library as shelf
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.segment import Segmenter, segmenters
from vcd_ext.identity.segment.weights import SEGMENT_ANYTHING
from vcd_ext.identity.training.estimate import Capacity
from vcd_ext.identity.training.preview import picture
from vcd_ext.jobs.locking import held
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.studio import Caption, Choices, Folders
from vcd_ext.motion import suggested
from vcd_ext.progress import Report
from vcd_ext.settings import AUTO, NO_MODULE, FaceSettings, PassSettings, SettingError, TiledSettings, TrainSettings

PHOTOS_OPTION = "vcd_photo_folders"
TRAININGS = "vcd/trainings"  # in the WebUI's data folder
MASKS_JOB, FACES_JOB = "vcd-masks", "vcd-faces"
VIDEOS = "vcd"  # in the WebUI's output folder


class WebUIStudio:
    """Takes its turn among the WebUI's own jobs."""

    makes_pictures = True

    @property
    def folders(self) -> Folders:
        """Where the WebUI and its settings say that files are."""
        data = Path(paths.data_path)
        chosen = str(shared.opts.data.get(PHOTOS_OPTION) or "").split(";")
        allowed = [data, *shared.cmd_opts.gradio_allowed_path, *(name.strip() for name in chosen if name.strip())]
        photos = tuple(Path(folder) for folder in dict.fromkeys(map(str, allowed)))
        made = [Path(folder).absolute() for folder in map(named, OUTPUTS) if folder]
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
        """Whether the WebUI listens to this machine alone, and does not hide its folders."""
        options = shared.cmd_opts
        return not (
            options.listen or options.share or options.ngrok or options.server_name or options.hide_ui_dir_config
        )

    @property
    def text_files(self) -> bool:
        """Whether the WebUI's own option asks for text files beside pictures."""
        return bool(shared.opts.save_txt)

    def busy(self) -> str:
        """Whether the WebUI does something else now."""
        if shared.state.job and shared.state.job not in (JOB, MASKS_JOB, FACES_JOB, captions.JOB, video.JOB):
            return "Waiting until the WebUI is done with what it is doing."
        return ""

    def interrupted(self) -> bool:
        """Whether Interrupt was pressed during the job that runs."""
        return shared.state.interrupted or shared.state.stopping_generation

    def place(self, name: str, replace_existing: bool) -> Path:
        """The file that the identity `name` will be; ValueError if there is an embedding of that name already."""
        return embeddings.place(name, replace_existing)

    def train(
        self,
        photos: Sequence[Photo],
        settings: TrainSettings,
        progress: Report,
        interrupted: Callable[[], bool],
        state: Path,
        replace_existing: bool,
    ) -> Identity:
        """Train on the loaded checkpoint; what was learned to the end can be used in the next prompt."""
        return train_identity(photos, settings, progress, interrupted, state=state, replace_existing=replace_existing)

    def picture(self, prompt: str, name: str, vectors: Tensor, size: int) -> NDArray[np.uint8]:
        """A picture of what is being learned."""
        return picture(WebUITraining(shared.sd_model), prompt, name, vectors, size)

    def keep(self, identity: Identity, state: Path, replace_existing: bool) -> Path:
        """Save an identity whose training was stopped; its file."""
        return keep(identity, state, replace_existing)

    def begun_now(self) -> AbstractContextManager[None]:
        """Hold the checkpoint that is chosen now, for a job that may wait."""
        return pin.from_now()

    @contextmanager
    def segmenting(self, stops: Callable[[], bool]) -> Iterator[Sequence[Segmenter]]:
        """Hold the WebUI's queue and lend what finds masks, best first; ValueError if the checkpoint is no SD1.5."""
        with queued(MASKS_JOB, stops):
            pin.reload()
            yield segmenters(self.folders.weights, WebUITraining(shared.sd_model), devices.device)

    @property
    def captions(self) -> bool:
        """Whether the weights of the WebUI's own captioner are here."""
        return captions.available(self.folders)

    def captioning(self, stops: Callable[[], bool]) -> AbstractContextManager[Caption]:
        """Hold the WebUI's queue and lend its captioner."""
        return captions.captioning(self.folders, stops)

    def forget(self, path: Path, stops: Callable[[], bool]) -> None:
        """Delete an identity; prompts do not know it any more."""
        with held(call_queue.queue_lock, stops):
            shelf.delete(path)
            embeddings.reload()

    def capacity(self) -> Capacity:
        """What is known of the machine, and of the checkpoint if one is loaded."""
        sd_model = sd_models.model_data.sd_model
        value_bytes = torch.empty(0, dtype=devices.dtype_unet).element_size()
        if sd_model is None or not hasattr(sd_model, "model"):
            return Capacity(str(devices.device), value_bytes, None, None)
        free = WebUITraining(sd_model).free_memory()
        parameters = sum(parameter.numel() for parameter in sd_model.model.parameters())
        return Capacity(str(devices.device), value_bytes, free, parameters)

    def remaking(self, note: Note, stops: Callable[[], bool]) -> AbstractContextManager[VideoHost]:
        """Hold the WebUI's queue and lend its img2img for videos."""
        return video.turn(note, stops)

    def finding(self, stops: Callable[[], bool]) -> AbstractContextManager[None]:
        """Hold the WebUI's queue, as detectors need the device as well."""
        return queued(FACES_JOB, stops)

    def finder(self, settings: FaceSettings) -> Detector:
        """What finds the faces that settings ask for."""
        return detector(settings, self.folders.weights, devices.device)

    def choices(self) -> Choices:
        """What the WebUI has."""
        return Choices(
            library.choices(),
            [NO_MODULE, *embeddings.names()],
            sd_samplers.visible_sampler_names(),
            video.WebUIVideo().upscalers(),
            list(controlnets.tiles()),
        )

    def motion_module(self) -> str:
        """The one for somebody who has chosen none."""
        return suggested(library.names()) or NO_MODULE

    def check(self, settings: PassSettings) -> None:
        """ValueError for a name that is not there, and for a ControlNet that does not fit the loaded checkpoint."""
        if settings.motion_module != NO_MODULE:
            library.find(settings.motion_module)
        video.sampler_of(settings.sampler)
        if settings.identity not in (names := [NO_MODULE, *embeddings.names()]):
            raise SettingError(
                "identity", f"identity is '{settings.identity}', which is not there; choose one of {', '.join(names)}."
            )
        if isinstance(settings, TiledSettings):
            known(settings.upscaler, video.WebUIVideo().upscalers())
            if settings.controlnet not in (AUTO, NO_MODULE):
                controlnets.check(settings.controlnet, sd_models.model_data.sd_model)


JOBS = Jobs(WebUIStudio())
