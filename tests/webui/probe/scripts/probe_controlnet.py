"""Looks at sd-webui-controlnet from inside the WebUI, and makes it take networks of the small checkpoint's size."""

import sys

from fastapi import Body
from modules import script_callbacks, shared

calls: list[dict] = []  # of each network, for each call of the UNet
watching: list[tuple] = []


def _of_their(name):
    return sys.modules[f"scripts.{name}"]


def small(width: int = Body(32, embed=True)):
    """Make the extension build ControlNets this wide; it takes SD1.5's width for given, though not that of texts."""
    _of_their("controlnet_model_guess").controlnet_default_config["model_channels"] = width


def watch():
    """Note from now on what the networks are shown: the mean of each row, and its size."""
    calls.clear()
    if watching:
        return
    for kind in (_of_their("cldm").PlugableControlModel, _of_their("adapter").PlugableAdapter):
        plain = kind.forward

        def forward(self, *args, plain=plain, **kwargs):
            hint = kwargs["hint"]
            control = plain(self, *args, **kwargs)
            calls.append(
                {
                    "network": id(self.control_model),
                    "levels": [round(255 * float(row.mean())) for row in hint],
                    "size": list(hint.shape[-2:]),
                    "rows": len(kwargs["x"]),
                }
            )
            return control

        kind.forward = forward
        watching.append((kind, plain))


def left_over():
    """Return what is still there of the extension's last run: its function on the UNet, and its units' own hints."""
    unet = shared.sd_model.model.diffusion_model
    names = [name for name in vars(unet) if name in ("forward", "_original_forward")]
    hooks = len(unet._forward_hooks) + len(unet._forward_pre_hooks)
    found = []
    for scripts in _of_their_scripts():
        for param in getattr(scripts.latest_network, "control_params", None) or ():
            found.append([len(param.hint_cond), param.effective_region_mask is None])
    return {"functions": names, "hooks": hooks, "hints": found}


def _of_their_scripts():
    from modules import scripts

    runners = (scripts.scripts_txt2img, scripts.scripts_img2img)
    return [s for runner in runners for s in runner.alwayson_scripts if s.title() == "ControlNet"]


def add_routes(_demo, app):
    app.add_api_route("/probe/controlnet/small", small, methods=["POST"])
    app.add_api_route("/probe/controlnet/watch", watch, methods=["POST"])
    app.add_api_route("/probe/controlnet/calls", lambda: calls, methods=["GET"])
    app.add_api_route("/probe/controlnet/left", left_over, methods=["GET"])


script_callbacks.on_app_started(add_routes)
