"""Baselines that change a UNet's own weights: DreamBooth all of them, Custom Diffusion two layers of each attention."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vcd_ext.batch.baselines.fit import Fitting
from vcd_ext.batch.baselines.low_rank import KOHYA

RARE = "ktn"  # of which Custom Diffusion's word begins: a token that its authors found to be rare
OF_TEXT = ("attn2.to_k.weight", "attn2.to_v.weight")  # keys and values of the attention to the prompt


def dreambooth(fitting: Fitting) -> dict[str, Tensor]:
    """Learn by all weights of the UNet (arXiv 2208.12242); they, in half precision. The UNet is as it was then."""
    parameters = dict(fitting.host.unet.named_parameters())
    with _put_back(parameters):
        fitting.run(list(parameters.values()), {})
        return {name: value.detach().half().cpu() for name, value in fitting.host.unet.state_dict().items()}


def custom_diffusion(fitting: Fitting) -> tuple[dict[str, Tensor], Tensor]:
    """Learn a word and what the UNet's attention reads in texts (arXiv 2212.04488), from whole pictures.

    Returns what the weights changed by, in the form of a LoRA of full rank, so that whatever reads LoRAs reads it; and
    the word's vector [1, width]. The UNet is afterwards as it was.
    """
    chosen = {name: value for name, value in fitting.host.unet.named_parameters() if name.endswith(OF_TEXT)}
    word = fitting.host.vectors_of(RARE)[:1].clone()
    with _put_back(chosen) as before:
        fitting.run([*chosen.values(), word], {fitting.settings.name: word})
        changes = {name: value.detach().cpu() - before[name] for name, value in chosen.items()}
    found: dict[str, Tensor] = {}
    for name, change in changes.items():
        found |= _as_lora(KOHYA + name.removesuffix(".weight").replace(".", "_"), change)
    return found, word.detach()


def _as_lora(layer: str, change: Tensor) -> dict[str, Tensor]:
    """Write a change [out, in] as a product: itself, and the unit matrix on its shorter side."""
    out, in_ = change.shape
    one = torch.eye(min(out, in_))
    up, down = (one, change) if out < in_ else (change, one)
    rank = torch.tensor(float(len(one)))
    return {f"{layer}.lora_up.weight": up, f"{layer}.lora_down.weight": down, f"{layer}.alpha": rank}


@contextmanager
def _put_back(parameters: Mapping[str, nn.Parameter]) -> Iterator[dict[str, Tensor]]:
    """Give weights their values back after this context; yield these, on the CPU."""
    before = {name: value.detach().cpu().clone() for name, value in parameters.items()}
    try:
        yield before
    finally:
        with torch.no_grad():
            for name, value in parameters.items():
                value.copy_(before[name])
                value.grad = None
