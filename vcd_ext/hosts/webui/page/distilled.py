"""On the page: what a motion module that is distilled for a few steps wants, set with one click, and said."""

import html
from pathlib import Path
from typing import Any

import gradio as gr

from vcd_ext.hosts.webui.library.motion_modules import find_motion_module
from vcd_ext.hosts.webui.model import motion_loras
from vcd_ext.motion import usable
from vcd_ext.motion.distilled import Wanted, wanted
from vcd_ext.prompt.networks import called_loras
from vcd_ext.settings import NO_MODULE
from vcd_ext.storage import walk

FIELDS = ("sampling", "scheduler", "steps", "cfg_scale")  # the WebUI's own, by the ends of their ids


class DistilledControls:
    """A line below the motion module, with a button that sets the WebUI's fields; the page makes those in any order."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.prompt: gr.Textbox | None = None
        self.module: Any = None
        self.line: Any = None
        self.button: Any = None
        self._wired = False

    def keep(self, name: str, component: Any) -> None:
        """Remember one of the WebUI's fields."""
        self.fields[name] = component
        self._wire()

    def build(self, tab: str, module: Any, prompt: gr.Textbox | None) -> None:
        """Create line and button here. module: the list of motion modules."""
        self.module, self.prompt = module, prompt
        self.line = gr.HTML(visible=False, elem_id=f"vcd_{tab}_distilled")
        self.button = gr.Button("Set all of it", visible=False, elem_id=f"vcd_{tab}_distilled_set")
        module.change(_offer, inputs=[module], outputs=[self.line, self.button], show_progress=False)
        self._wire()

    def _wire(self) -> None:
        if self._wired or self.button is None or self.prompt is None or set(self.fields) < set(FIELDS):
            return
        self._wired = True
        fields = [*(self.fields[name] for name in FIELDS), self.prompt, self.line]
        self.button.click(_set, inputs=[self.module, self.prompt], outputs=fields, show_progress=False)


def wanted_by(name: str) -> Wanted | None:
    """Return what a motion module wants, by its name in the list; None for those that take any sampler."""
    if name == NO_MODULE:
        return None
    try:
        path = find_motion_module(name)
    except ValueError:
        return None
    return next((wanted(version, path.name) for _, version in usable({name: path})), None)


def _offer(name: str) -> tuple[Any, Any]:
    want = wanted_by(name)
    if want is None:
        return gr.update(visible=False, value=""), gr.update(visible=False)
    said = f"{want.version} is made for {want}."
    return gr.update(visible=True, value=html.escape(said)), gr.update(visible=True)


def _set(name: str, prompt: str) -> list[Any]:
    """Return values for `FIELDS`, the prompt and the line."""
    want = wanted_by(name)
    if want is None:
        return [gr.update()] * (len(FIELDS) + 2)
    prompt, missing = _with_lora(want, prompt)
    said = f"Set: {want}. {missing}".strip()
    return [want.sampler, want.schedule, want.steps, want.cfg_scale, prompt, gr.update(value=html.escape(said))]


def _with_lora(want: Wanted, prompt: str) -> tuple[str, str]:
    """Return the prompt with the LoRA that a module wants, and a sentence where there is no file of it."""
    if not want.lora:
        return prompt, ""
    known = {path.stem: path for path in _loras(want)}
    if called_loras(prompt, known):
        return prompt, ""
    name = want.lora if want.lora in known else next(iter(known), "")
    if not name:
        folder = motion_loras.folders()[0]
        return prompt, f"Its LoRA is not there yet: put {want.lora} into {folder}, and press the button again."
    return f"{prompt.rstrip()} <lora:{name}:{want.lora_weight:g}>".lstrip(), ""


def _loras(want: Wanted) -> list[Path]:
    """Return the files of the module's LoRA, which people may have named in their own way."""
    files = sorted(walk.files(motion_loras.folders()[0]))
    return [path for path in files if want.version.lower() in path.stem.lower() and "lora" in path.stem.lower()]
