"""A form of settings, made from their class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Generic, get_type_hints

import gradio as gr

from vcd_ext.settings import Settings, default, describe, parse

USUAL = "default"  # in lists of names, what the settings write as ""


@dataclass(frozen=True)
class Layout(Generic[Settings]):
    """How the form of a class of settings looks."""

    cls: type[Settings]
    tab: str  # a part of the components' ids
    elsewhere: tuple[str, ...]  # settings whose components stand at other places of the tab
    first: tuple[tuple[str, ...], ...]  # rows that are always in view
    advanced: dict[str, tuple[str, ...]]  # the rest by groups; what is named nowhere goes into the last one
    tall: tuple[str, ...] = ()  # texts of several lines


@dataclass(frozen=True)
class Form(Generic[Settings]):
    """The components of the settings, by name in the order of their class."""

    cls: type[Settings]
    components: dict[str, Any]

    @property
    def inputs(self) -> list[Any]:
        """The components in the order that `read` expects."""
        return list(self.components.values())

    def read(self, values: Sequence[Any]) -> Settings:
        """The settings that the components' values are; SettingError if one of them cannot be."""
        given = {name: value for name, value in zip(self.components, values, strict=True) if value is not None}
        usual = {name for name in given if isinstance(self.components[name], gr.Dropdown) and given[name] == USUAL}
        return parse(self.cls, given | dict.fromkeys(usual, ""))


def settings_form(
    layout: Layout[Settings], made: Mapping[str, Any], choices: Mapping[str, Sequence[str]] | None = None
) -> Form[Settings]:
    """Create the settings' components here; those of `layout.elsewhere` exist already, as `made`.

    choices: names that settings may have and that no class knows, such as those of motion modules.
    """
    known, lists = describe(layout.cls), choices or {}
    components = dict(made)
    for row in layout.first:
        with gr.Row(elem_classes=["vcd-row", "vcd-names"]):
            components |= {name: component(layout, name, lists.get(name)) for name in row}
    groups: dict[str, list[str]] = {title: list(names) for title, names in layout.advanced.items()}
    listed = {*layout.elsewhere, *chain(*layout.first), *chain(*groups.values())}
    groups[next(reversed(groups))] += [name for name in known if name not in listed]
    with gr.Accordion("Advanced", open=False, elem_id=f"vcd_{layout.tab}_advanced"):
        for title in groups:
            gr.Markdown(f"**{title}**")
            components |= _in_pairs(layout, groups[title], lists)
    return Form(layout.cls, {name: components[name] for name in known})


def _in_pairs(layout: Layout[Any], names: Sequence[str], lists: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for pair in zip(names[::2], [*names[1::2], None], strict=False):
        with gr.Row():
            made |= {name: component(layout, name, lists.get(name)) for name in pair if name}
    return made


def component(layout: Layout[Any], name: str, choices: Sequence[str] | None = None) -> Any:
    """The component of one setting, with its help. choices: of names that its class does not know."""
    setting, kind = describe(layout.cls)[name], get_type_hints(layout.cls)[name]
    shared: dict[str, Any] = {
        "label": setting.label,
        "info": setting.help,
        "value": default(layout.cls, name),
        "elem_id": f"vcd_{layout.tab}_{name}",
    }
    if kind is bool:
        return gr.Checkbox(**shared, elem_classes="vcd-check")
    if kind is str:
        if setting.choices or choices is not None:
            value = shared["value"] or USUAL
            return gr.Dropdown(choices=list(setting.choices or choices or ()), **shared | {"value": value})
        return gr.Textbox(lines=2, **shared) if name in layout.tall else gr.Textbox(max_lines=1, **shared)
    if setting.step is None:
        precision = 0 if kind is int else None
        return gr.Number(precision=precision, **shared)
    return gr.Slider(
        minimum=setting.minimum, maximum=setting.slider_maximum or setting.maximum, step=setting.step, **shared
    )
