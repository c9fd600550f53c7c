"""The form of a training has every setting once, explained, and gives back what was typed."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import gradio as gr
import pytest

from vcd_ext.settings import SettingError, TrainSettings, describe
from vcd_ext.ui.form import USUAL, Form, component, settings_form
from vcd_ext.ui.layouts import FACE, TILED, TRAINING

KNOWN = describe(TrainSettings)


@pytest.fixture
def form() -> Iterator[Form[TrainSettings]]:
    with gr.Blocks(analytics_enabled=False):
        yield settings_form(TRAINING, {name: component(TRAINING, name) for name in TRAINING.elsewhere})


def test_every_setting_is_there_once_in_order_with_its_label_and_help(form: Form[TrainSettings]) -> None:
    assert list(form.components) == [field.name for field in fields(TrainSettings)]
    for name, made in form.components.items():
        assert (made.label, made.info) == (KNOWN[name].label, KNOWN[name].help)


def test_untouched_it_gives_the_defaults(form: Form[TrainSettings]) -> None:
    assert form.read([made.value for made in form.components.values()]) == TrainSettings()


def test_what_was_typed_is_read_and_checked(form: Form[TrainSettings]) -> None:
    values = {name: made.value for name, made in form.components.items()}
    typed = values | {"name": "rexy", "learning_rate": 0.01, "seed": 7, "schedule": "mixed", "flip": 0}
    settings = form.read(list(typed.values()))
    assert (settings.name, settings.learning_rate, settings.seed, settings.schedule) == ("rexy", 0.01, 7, "mixed")
    with pytest.raises(SettingError, match="steps is 0"):
        form.read(list((values | {"steps": 0}).values()))


def test_an_emptied_number_means_its_default(form: Form[TrainSettings]) -> None:
    values = {name: made.value for name, made in form.components.items()}
    assert form.read(list((values | {"seed": None, "learning_rate": None}).values())) == TrainSettings()


def test_sliders_reach_what_people_use_and_their_field_takes_more(form: Form[TrainSettings]) -> None:
    assert form.components["steps"].maximum == 2000
    assert form.components["seed"].precision == 0


@pytest.mark.parametrize("layout", [FACE, TILED])
def test_forms_of_videos_have_every_setting_and_know_the_names_that_there_are(layout: Any) -> None:
    known = describe(layout.cls)
    lists = {"motion_module": ["none", "mm"], "identity": ["none", "rex"], "sampler": [USUAL, "Euler"]}
    with gr.Blocks(analytics_enabled=False):
        made = {name: component(layout, name) for name in layout.elsewhere}
        form = settings_form(layout, made, lists | ({"upscaler": [USUAL, "Lanczos"]} if layout is TILED else {}))
    assert list(form.components) == [field.name for field in fields(layout.cls)]
    for name, made_one in form.components.items():
        assert (made_one.label, made_one.info) == (known[name].label, known[name].help)
    values = {name: made_one.value for name, made_one in form.components.items()}
    assert form.read(list(values.values())) == layout.cls()
    typed = values | {"motion_module": "mm", "sampler": "Euler", "prompt": USUAL}
    settings = form.read(list(typed.values()))
    assert (settings.motion_module, settings.sampler, settings.prompt) == ("mm", "Euler", USUAL)
    assert form.components["motion_module"].choices == ["none", "mm"]
