"""The form of a training, made from `TrainSettings`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, get_type_hints

import gradio as gr

from vcd_ext.settings import Setting, TrainSettings, default, describe, parse

# Name and class stand beside the photos; what is not named here goes into the last group of *Advanced*.
BESIDE_PHOTOS = ("class_word", "name")
FIRST = ("steps", "tokens", "size")
ADVANCED = {
    "How it learns": (
        "learning_rate", "schedule", "batch", "micro_batch", "gradient_checkpointing", "noise_offset", "init_words",
        "ema", "seed",
    ),
    "What it sees": (
        "masked", "variants", "whole_picture", "background", "flip", "far", "close", "rotate", "rotate_degrees",
    ),
    "When it measures, saves and ends": ("validate_every", "save_every", "early_stop"),
}  # fmt: skip


@dataclass(frozen=True)
class Form:
    """The components of the settings, by name in the order of `TrainSettings`."""

    components: dict[str, Any]

    @property
    def inputs(self) -> list[Any]:
        """The components in the order that `read` expects."""
        return list(self.components.values())

    def read(self, values: Sequence[Any]) -> TrainSettings:
        """The settings that the components' values are; SettingError if one of them cannot be."""
        given = dict(zip(self.components, values, strict=True))
        return parse(TrainSettings, {name: value for name, value in given.items() if value is not None})


def settings_form(name_and_class: dict[str, Any]) -> Form:
    """Create the settings' components here; those of `BESIDE_PHOTOS` exist already."""
    known = describe(TrainSettings)
    made = dict(name_and_class)
    for name in FIRST:
        made[name] = component(name, known[name])
    groups = {title: list(names) for title, names in ADVANCED.items()}
    listed = {*BESIDE_PHOTOS, *FIRST, *chain(*groups.values())}
    groups[next(reversed(groups))] += [name for name in known if name not in listed]
    with gr.Accordion("Advanced", open=False, elem_id="vcd_train_advanced"):
        for title, names in groups.items():
            gr.Markdown(f"**{title}**")
            for pair in zip(names[::2], [*names[1::2], None], strict=False):
                with gr.Row():
                    made |= {name: component(name, known[name]) for name in pair if name}
    return Form({name: made[name] for name in known})


def component(name: str, setting: Setting) -> Any:
    """The component of one setting, with its help."""
    kind = get_type_hints(TrainSettings)[name]
    shared: dict[str, Any] = {
        "label": setting.label,
        "info": setting.help,
        "value": default(TrainSettings, name),
        "elem_id": f"vcd_train_{name}",
    }
    if kind is bool:
        return gr.Checkbox(**shared, elem_classes="vcd-check")
    if kind is str:
        if setting.choices:
            return gr.Dropdown(choices=list(setting.choices), **shared)
        return gr.Textbox(max_lines=1, **shared)
    if setting.step is None:
        precision = 0 if kind is int else None
        return gr.Number(precision=precision, **shared)
    return gr.Slider(
        minimum=setting.minimum, maximum=setting.slider_maximum or setting.maximum, step=setting.step, **shared
    )
