"""Tell what the loaded checkpoint is, give it the schedule of motion modules, and hold it for a job.

What something was begun with stays its checkpoint, whatever is chosen in the drop-down meanwhile: the WebUI asks for
the chosen one again before each img2img that it makes, so a change would take effect between the stages of a pipeline,
and before a job that has waited for its turn.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from modules import devices, sd_models, shared
from torch import Tensor

USE_SD15 = "Choose an ordinary SD1.5 checkpoint."


def kind(sd_model: Any) -> str | None:
    """Return what the checkpoint is if it is not a plain SD1.5 text-to-image model, as part of a sentence."""
    if getattr(sd_model, "is_sdxl", False):
        return "an SDXL model"
    if getattr(sd_model, "is_sd2", False):
        return "an SD2 model"
    if not getattr(sd_model, "is_sd1", False):
        return "not an SD1.5 model"
    channels = sd_model.model.diffusion_model.in_channels
    if channels == 9:
        return "an inpainting model"
    if channels != 4:
        return f"a special model whose UNet takes {channels} channels"
    return None


@contextmanager
def motion_schedule(sd_model: Any, p: Any) -> Iterator[None]:
    """Give `sd_model`, within this context, the schedule that AnimateDiff was trained with: linear betas.

    Both tables are set: `alphas_cumprod`, which samplers read, and `alphas_cumprod_original`, from which the WebUI
    makes it anew for each batch. The very tensors that were there are put back.
    """
    tables = {name: getattr(sd_model, name) for name in ("alphas_cumprod", "alphas_cumprod_original")}
    linear = linear_alphas_cumprod(len(tables["alphas_cumprod"])).to(tables["alphas_cumprod"].device)
    try:
        for name in tables:
            setattr(sd_model, name, linear)
        # The person's own changes of the schedule (zero terminal SNR, half precision) hold for this one as well.
        sd_models.apply_alpha_schedule_override(sd_model, p)
        yield
    finally:
        for name, table in tables.items():
            setattr(sd_model, name, table)


def linear_alphas_cumprod(timesteps: int = 1000) -> Tensor:
    """Return AnimateDiff's noise schedule, betas linear from 0.00085 to 0.012; float32 [timesteps]."""
    betas = torch.linspace(0.00085, 0.012, timesteps, dtype=torch.float64)
    return torch.cumprod(1.0 - betas, dim=0).float()


def placement(sd_model: Any) -> dict[str, Any]:
    """Return where a motion module has to live for this model: arguments of `attached`."""
    return {
        "device": devices.device,
        "dtype": devices.dtype_unet,
        "visiting": is_low_memory(sd_model) and shared.cmd_opts.lowvram,
    }


def is_low_memory(sd_model: Any) -> bool:
    """Return whether the WebUI moves parts of the model off the device between their uses."""
    return bool(getattr(sd_model, "lowvram", False))


_held = threading.local()  # .info: the checkpoint of this thread; others of the WebUI choose as ever
_replacing = threading.Lock()
_threads = 0  # that hold a checkpoint


class _Choice:
    """Stand before the WebUI's function that says which checkpoint is chosen."""

    def __init__(self, choose: Callable[[], Any]):
        self.choose = choose

    def select(self) -> Any:
        """Return the thread's own checkpoint, else the chosen one."""
        info = getattr(_held, "info", None)
        return self.choose() if info is None else info


_choice: _Choice | None = None


def pinned_now() -> AbstractContextManager[None]:
    """Give a context, for any thread, in which the checkpoint is the one that is chosen now."""
    try:
        return pinned(sd_models.select_checkpoint())
    except FileNotFoundError:  # there is none; whoever needs one will say so
        return nullcontext()


@contextmanager
def pinned(info: Any) -> Iterator[None]:
    """Make the WebUI, within this context, take this checkpoint for the chosen one, in this thread.

    Inside of itself it does nothing: a job holds the checkpoint of its beginning.
    """
    if getattr(_held, "info", None) is not None:
        yield
        return
    _held.info = info
    _stand_before(1)
    try:
        yield
    finally:
        _stand_before(-1)
        _held.info = None


def reload_checkpoint() -> None:
    """Load the checkpoint that this thread holds, else the chosen one; ValueError if its file is gone."""
    info, loaded = sd_models.select_checkpoint(), sd_models.model_data.sd_model
    is_loaded = loaded is not None and loaded.sd_model_checkpoint == info.filename
    if getattr(_held, "info", None) is not None and not is_loaded and not Path(info.filename).is_file():
        raise ValueError(
            f"The checkpoint {info.name_for_extra} with which this was begun is gone; choose another and begin again."
        )
    sd_models.reload_model_weights()


def chosen_meanwhile() -> str:
    """Return a sentence if another checkpoint was chosen since this thread's one; "" if not."""
    info = getattr(_held, "info", None)
    if info is None:
        return ""
    _held.info = None
    try:
        now = sd_models.select_checkpoint()
    finally:
        _held.info = info
    if now.filename == info.filename:
        return ""
    return (
        f"The checkpoint {now.name_for_extra} was chosen meanwhile; this was begun with {info.name_for_extra}, and "
        "goes on with it."
    )


def _stand_before(more: int) -> None:
    """Stand before the WebUI's own choice while any thread holds a checkpoint."""
    global _threads, _choice
    with _replacing:
        if _choice is None:
            _choice = _Choice(sd_models.select_checkpoint)
            sd_models.select_checkpoint = _choice.select
        _threads += more
        if _threads == 0:
            # Somebody else who stands before this by now stays, and is passed on what he asks.
            if sd_models.select_checkpoint == _choice.select:
                sd_models.select_checkpoint = _choice.choose
            _choice = None
