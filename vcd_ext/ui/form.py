"""Make a form of settings from their class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Generic, get_origin, get_type_hints

import gradio as gr

from vcd_ext.settings import SettingError, Settings, default, describe, parse

USUAL = "default"  # in lists of names, what the settings write as ""


@dataclass(frozen=True)
class Layout(Generic[Settings]):
    """Say how the form of a class of settings looks."""

    cls: type[Settings]
    tab: str  # a part of the components' ids
    elsewhere: tuple[str, ...]  # settings whose components stand at other places of the tab
    first: tuple[tuple[str, ...], ...]  # rows that are always in view
    advanced: dict[str, tuple[str, ...]]  # the rest by groups; what is named nowhere goes into the last one
    tall: tuple[str, ...] = ()  # texts of several lines
    section: tuple[tuple[str, ...], ...] = ()  # rows of those that stand in the section VCD, too
    hints: bool = False  # the settings are explained under the mouse, where the page is long already
    explained: tuple[str, ...] = ()  # those that are explained in place all the same
    placeholders: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Form(Generic[Settings]):
    """Hold the components of the settings, by name in the order of their class."""

    cls: type[Settings]
    components: dict[str, Any]

    @property
    def inputs(self) -> list[Any]:
        """Return the components in the order that `read` expects."""
        return list(self.components.values())

    def read(self, values: Sequence[Any]) -> Settings:
        """Return the settings that the components' values are; SettingError if one of them cannot be."""
        lists = [name for name, made in self.components.items() if isinstance(made, gr.Dropdown)]
        return parse(self.cls, by_name(list(self.components), values, lists))


def by_name(names: Sequence[str], values: Sequence[Any], lists: Sequence[str]) -> dict[str, Any]:
    """Return what controls say, by setting; a control that was emptied is left out, as it asks for the default.

    names: the settings that there are controls for, in the order of `values`. lists: those that choose from a list of
    names. SettingError for another number of values than there are controls.
    """
    if len(values) != len(names):
        raise SettingError(
            "args",
            f"The form of VCD has {len(names)} controls, and {len(values)} values came for them; reload the page.",
        )
    given = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    return given | {name: "" for name in lists if given.get(name) == USUAL}


def settings_form(
    layout: Layout[Settings], made: Mapping[str, Any], choices: Mapping[str, Sequence[str]] | None = None
) -> Form[Settings]:
    """Create the settings' components here; those of `layout.elsewhere` exist already, as `made`.

    choices: names that settings may have and that no class knows, such as those of motion modules, or those of the
    class's that are offered.
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
    """Create the component of one setting, with its help. choices: of names that its class does not know."""
    setting, kind = describe(layout.cls)[name], get_type_hints(layout.cls)[name]
    shared: dict[str, Any] = {
        "label": setting.label,
        "info" if not layout.hints or name in layout.explained else "tooltip": setting.help,
        "value": default(layout.cls, name),
        "elem_id": f"vcd_{layout.tab}_{name}",
    }
    if kind is bool:
        return gr.Checkbox(**shared, elem_classes="" if layout.hints else "vcd-check")
    if get_origin(kind) is tuple:
        return gr.CheckboxGroup(choices=list(setting.choices or ()), **shared | {"value": list(shared["value"])})
    if kind is str:
        if setting.choices or choices is not None:
            value = shared["value"] or USUAL
            return gr.Dropdown(choices=list(choices or setting.choices or ()), **shared | {"value": value})
        if name in layout.tall:
            return gr.Textbox(lines=2, placeholder=layout.placeholders.get(name), **shared)
        return gr.Textbox(max_lines=1, placeholder=layout.placeholders.get(name), **shared)
    if setting.step is None:
        precision = 0 if kind is int else None
        return gr.Number(precision=precision, **shared)
    return gr.Slider(
        minimum=setting.minimum, maximum=setting.slider_maximum or setting.maximum, step=setting.step, **shared
    )
