"""Each tab has a small help: one picture and three sentences, which name the tab's own buttons."""

import gradio as gr
import pytest

from vcd_ext.ui.help_section import HELP, help_section
from vcd_ext.ui.tabs import TABS


def test_each_tab_has_one() -> None:
    assert len(HELP) == len(TABS)


@pytest.mark.parametrize("tab", HELP)
def test_it_is_closed_and_has_a_picture_and_three_sentences(tab: str) -> None:
    with gr.Blocks(analytics_enabled=False) as blocks:
        help_section(tab)
    [accordion] = [made for made in blocks.blocks.values() if isinstance(made, gr.Accordion)]
    [html] = [made for made in blocks.blocks.values() if isinstance(made, gr.HTML)]
    assert not accordion.open
    assert html.value.count('<img src="data:image/jpeg;base64,') == 1
    assert html.value.count("<li>") == 3
    assert all(sentence.endswith(".") for sentence in HELP[tab][1:])
