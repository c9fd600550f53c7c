"""LoRA (arXiv 2106.09685) of the attention layers, by PEFT, written with the key names of kohya's scripts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from vcd_ext.batch.baselines.fit import Fitting

LAYERS = ["to_q", "to_k", "to_v", "to_out.0"]  # those of diffusers' train_dreambooth_lora.py
INSTALL = "pip install peft==0.13.2"
KOHYA = "lora_unet_"


def learn_lora(fitting: Fitting) -> dict[str, Tensor]:
    """Learn the LoRA; its tensors. The UNet is afterwards as it was. ValueError where PEFT is not installed."""
    torch.manual_seed(fitting.settings.seed)  # of the first values
    with _injected(fitting.host.unet, fitting.baseline.rank) as learned:
        fitting.run(learned, {})
        return _named_as_by_kohya(fitting.host.unet, fitting.baseline.rank)


def check_peft() -> None:
    """Raise ValueError, in one sentence, where PEFT is not installed."""
    try:
        import peft  # noqa: F401
    except ImportError as error:
        raise ValueError(f"A LoRA is trained by PEFT, which is not installed: {INSTALL}.") from error


@contextmanager
def _injected(unet: Any, rank: int) -> Iterator[list[nn.Parameter]]:
    """Hang PEFT's layers into the UNet within this context; yield what they learn."""
    check_peft()
    from peft import LoraConfig, inject_adapter_in_model
    from peft.tuners.tuners_utils import BaseTunerLayer

    try:
        inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=rank, target_modules=LAYERS), unet)
        yield [value for name, value in unet.named_parameters() if ".lora_" in name]
    finally:
        for name, layer in list(unet.named_modules()):
            if isinstance(layer, BaseTunerLayer):
                parent, _, own = name.rpartition(".")
                setattr(unet.get_submodule(parent), own, layer.get_base_layer())
        if hasattr(unet, "peft_config"):
            del unet.peft_config


def _named_as_by_kohya(unet: Any, rank: int) -> dict[str, Tensor]:
    from peft import get_peft_model_state_dict

    found: dict[str, Tensor] = {}
    for key, value in get_peft_model_state_dict(unet).items():
        layer, _, side = key.removesuffix(".weight").rpartition(".")
        name = KOHYA + layer.replace(".", "_")
        found[f"{name}.{'lora_down' if side == 'lora_A' else 'lora_up'}.weight"] = value.detach().cpu().clone()
        found[f"{name}.alpha"] = torch.tensor(float(rank))
    return found
