"""Check what VCD needs of the WebUI that runs it, and tell people what is missing.

Forks of AUTOMATIC1111's WebUI have its `modules` package and callbacks, but not all that stands behind them: another
UNet, other samplers, another text encoder. What is asked for is what VCD uses, not the name of the fork.
"""

import importlib
import sys
from collections.abc import Iterator
from html import escape
from typing import Any

# What is used, by the module where it is; a name with dots goes through classes.
NEEDED: dict[str, tuple[str, ...]] = {
    "ldm.modules.diffusionmodules.openaimodel": ("UNetModel", "ResBlock"),
    "ldm.modules.attention": ("BasicTransformerBlock", "CrossAttention"),
    "modules.call_queue": ("queue_lock",),
    "modules.devices": ("device", "dtype_unet", "dtype_vae", "autocast", "torch_gc", "fp8"),
    "modules.infotext_utils": ("PasteField",),
    "modules.lowvram": ("setup_for_low_vram",),
    "modules.paths": ("data_path",),
    "modules.processing": ("StableDiffusionProcessingImg2Img.init", "create_infotext", "decode_latent_batch"),
    "modules.prompt_parser": ("SdConditioning", "get_multicond_prompt_list"),
    "modules.script_callbacks": ("add_callback", "callback_map", "on_cfg_denoiser", "on_cfg_denoised"),
    "modules.scripts": ("AlwaysVisible", "Script.setup", "Script.process_before_every_sampling", "OnComponent"),
    "modules.sd_hijack": ("model_hijack.embedding_db", "model_hijack.apply_circular", "apply_optimizations"),
    "modules.sd_hijack_clip": ("FrozenCLIPEmbedderWithCustomWords",),
    "modules.sd_models": ("apply_alpha_schedule_override", "apply_token_merging", "reload_model_weights"),
    "modules.sd_samplers": ("create_sampler", "get_sampler_and_scheduler"),
    "modules.sd_samplers_cfg_denoiser": ("CFGDenoiser.forward", "CFGDenoiser.combine_denoised"),
    "modules.sd_samplers_common": ("images_tensor_to_samples",),
    "modules.sd_schedulers": ("schedulers_map",),
    "modules.sd_unet": ("get_unet_option",),
    "modules.shared": ("opts", "cmd_opts", "state", "total_tqdm"),
    "modules.ui_components": ("InputAccordion", "FormRow"),
    "modules.ui_tempdir": ("register_tmp_file",),
}


def missing() -> str | None:
    """Return the first thing that VCD needs and the WebUI does not have, in words; None if all is there."""
    return next(_lacking(), None)


def sentence_without(thing: str) -> str:
    """Return what people are told about it."""
    return (
        f"VCD is made for AUTOMATIC1111's WebUI 1.10 and is off here, because this WebUI has no {thing}; use that "
        "WebUI, or VCD's command line (python -m vcd_ext --help)."
    )


def tell(thing: str) -> None:
    """Say so on the console, and in a tab of the page; nothing else of VCD is there then."""
    told = sentence_without(thing)
    print(told, file=sys.stderr)
    try:
        from modules import script_callbacks

        script_callbacks.on_ui_tabs(lambda: _tab(told))
    except Exception as error:  # whatever a fork has there; the console has it
        print(f"VCD: the page cannot show it: {error!r}", file=sys.stderr)


def _lacking() -> Iterator[str]:
    for name, attributes in NEEDED.items():
        try:
            found: Any = importlib.import_module(name)
        except Exception:  # not only where it is not there: some forks stop the import with other errors
            yield name
            continue
        for attribute in attributes:
            if not _has(found, attribute):
                yield f"{name}.{attribute}"
    if not _denoises():
        yield "denoiser that calls the UNet itself and tells extensions of it (modules.sd_samplers_cfg_denoiser)"


def _has(owner: Any, path: str) -> bool:
    for name in path.split("."):
        if not hasattr(owner, name):
            return False
        owner = getattr(owner, name)
    return True


def _denoises() -> bool:
    """Return whether `CFGDenoiser` denoises by itself, from the schedule of the checkpoint that VCD sets.

    Forks hand the whole call over to an engine of their own, with a schedule of its own: there the motion module would
    be used with a schedule that it was not trained with, and nobody would notice.
    """
    denoiser = importlib.import_module("modules.sd_samplers_cfg_denoiser").CFGDenoiser
    used = getattr(getattr(denoiser.forward, "__code__", None), "co_names", ())
    return {"inner_model", "cfg_denoiser_callback", "cfg_denoised_callback", "combine_denoised"} <= set(used)


def _tab(told: str) -> list[tuple[Any, str, str]]:
    import gradio as gr

    with gr.Blocks(analytics_enabled=False) as page:
        gr.HTML(f"<p>{escape(told)}</p>", elem_id="vcd_unsupported")
    return [(page, "VCD", "vcd_unsupported_tab")]
