"""Encode and decode single pictures by the WebUI's VAE and its settings."""

from typing import Any

import torch
from modules import (
    devices,
    processing,
    sd_samplers_common,
    shared,
)
from torch import Tensor

FULL = "Full"  # the WebUI's name of the checkpoint's own VAE, in its settings for encoding and decoding


@torch.no_grad()
def decode_latent(latent: Tensor) -> Tensor:
    """Return the pixels [3, H, W] of latents [4, h, w], about in [-1, 1], by the VAE and the settings of the WebUI."""
    return processing.decode_latent_batch(shared.sd_model, latent[None], devices.cpu, check_for_nans=True)[0]


def encoded_picture(sd_model: Any, pixels: Tensor) -> Tensor:
    """Return latents [1, 4, h, w] of a picture [1, 3, H, W] in [0, 1].

    The mean of the posterior, where the WebUI's img2img draws from it: the same settings give the same video, and
    frames that are alike stay so.
    """
    if shared.opts.sd_vae_encode_method != FULL:
        return sd_samplers_common.images_tensor_to_samples(pixels, model=sd_model)
    sd_model.first_stage_model.to(devices.dtype_vae)
    posterior = sd_model.encode_first_stage(pixels.to(shared.device, devices.dtype_vae) * 2 - 1)
    return sd_model.get_first_stage_encoding(posterior.mode())
