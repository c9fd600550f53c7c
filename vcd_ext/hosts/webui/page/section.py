"""Make the section *VCD* of txt2img and img2img from the settings."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from modules import call_queue
from modules.infotext_utils import PasteField
from modules.ui_common import create_refresh_button
from modules.ui_components import FormRow, InputAccordion

from vcd_ext.hosts.webui.library.controlnets import tile_controlnets
from vcd_ext.hosts.webui.library.drawn_world import offered_detectors
from vcd_ext.hosts.webui.library.embeddings import embedding_names, reload_embeddings
from vcd_ext.hosts.webui.library.motion_modules import (
    folder_of,
    motion_module_choices,
    motion_module_folders,
    motion_modules,
    suggested_motion_module,
)
from vcd_ext.hosts.webui.model import motion_loras
from vcd_ext.hosts.webui.page.distilled import DistilledControls
from vcd_ext.hosts.webui.page.first_video import add_first_video
from vcd_ext.hosts.webui.studio import JOBS
from vcd_ext.hosts.webui.video import WebUIVideo
from vcd_ext.media.files import READERS
from vcd_ext.prompt.names import mentions, renamed, with_name
from vcd_ext.settings import AUTO, DETECTORS, DRAWN, NO_MODULE, VideoSettings, default, describe, from_infotext
from vcd_ext.ui.form import USUAL, Layout, component
from vcd_ext.ui.layouts import (
    CONTROL_ROWS,
    FILE_ROWS,
    GENERATION_ROWS,
    LOOP_ROWS,
    MOTION_LORA_ROWS,
    ONWARD_ROWS,
    PEOPLE_ROWS,
    SOURCE_ROWS,
    STAGE_ROWS,
    TRAVEL_ROWS,
    UPLOADS,
    section,
)
from vcd_ext.ui.modules_section import ModulesSection
from vcd_ext.ui.people_table import PeopleTable
from vcd_ext.ui.uploads import UploadField

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def identity_choices() -> list[str]:
    """Return the identities that the section offers."""
    return [NO_MODULE, *embedding_names()]


def _reload_embeddings() -> None:
    with call_queue.queue_lock:
        reload_embeddings()


def build(
    tab: str, prompt: gr.Textbox | None, distilled: DistilledControls | None = None
) -> dict[str, gr.components.Component]:
    """Create the section's components, by setting name in the order of `VideoSettings`.

    distilled: what is offered below the motion module.
    """
    known, layout = describe(VideoSettings), section(tab)
    made: dict[str, gr.components.Component] = {}
    with InputAccordion(
        default(VideoSettings, "enabled"), label="VCD", elem_id=f"vcd_{tab}", tooltip=known["enabled"].help
    ) as accordion:
        made["enabled"] = accordion
        # Above all else where there is none, as nothing moves without one.
        modules = None if motion_modules() else _add_modules(tab)
        _add_rows(layout, GENERATION_ROWS[:1], made)
        (distilled or DistilledControls()).build(tab, made["motion_module"], prompt)
        _add_rows(layout, GENERATION_ROWS[1:], made)
        for title, ending, rows in _folded(tab):
            with gr.Accordion(title, open=False, elem_id=f"vcd_{tab}_{ending}"):
                _add_rows(layout, rows, made)
                if ending == "people_rows":
                    PeopleTable(tab, made["people"], embedding_names)
        if tab == "img2img":
            _add_rows(layout, SOURCE_ROWS, made)
        _connect_modules(tab, made, modules)
        _add_use(tab, made, prompt)
    if prompt is not None:
        _write_names(made["identity"], prompt)
    return {name: made[name] for name in known if name in made}


def _write_names(identity: gr.Dropdown, prompt: gr.Textbox) -> None:
    """Write a chosen identity's name into the prompt, but not over what was typed before the answer came.

    A name that is not there is added when the video is made.
    """
    asked, named = (gr.Textbox(visible=False) for _ in range(2))
    for one in (asked, named):
        one.do_not_save_to_config = True
    identity.input(
        fn=lambda name, prompt: (prompt, prompt_with_identity(name, prompt)),
        inputs=[identity, prompt],
        outputs=[asked, named],
        show_progress=False,
    ).success(
        None, [asked, named, prompt], [prompt], _js="(asked, named, prompt) => prompt === asked ? named : prompt",
        show_progress=False,
    )  # fmt: skip


def _folded(tab: str) -> list[tuple[str, str, Sequence[Sequence[str]]]]:
    """Return the parts that are folded up at first: their titles, how their ids end, and their rows."""
    return [
        ("Motion LoRA", "motion_loras", MOTION_LORA_ROWS),
        ("Loop, FreeNoise, FreeInit", "loop_rows", LOOP_ROWS),
        ("Settings of Face VCD and Tiled VCD", "stages", STAGE_ROWS),
        ("From picture to video, and on", "onward", ONWARD_ROWS[tab]),
        ("Prompt travel", "travel", TRAVEL_ROWS),
        ("Several people", "people_rows", PEOPLE_ROWS),
        ("ControlNet over time", "control", CONTROL_ROWS),
        ("Files", "files", FILE_ROWS),
    ]


def _add_modules(tab: str) -> ModulesSection:
    return ModulesSection(JOBS, tab, lambda: list(motion_modules()), folder_of)


def _connect_modules(tab: str, made: dict[str, gr.components.Component], modules: ModulesSection | None) -> None:
    """Let modules be got, and a first video be made: beside them where there are none yet, else closed, at the end."""
    (modules or _add_modules(tab)).connect(made["motion_module"])
    if tab == "txt2img":
        beside = modules.accordion if modules else gr.Accordion("First video", open=False, elem_id="vcd_txt2img_first")
        with beside:
            add_first_video(made["face_detector"])


def _add_rows(
    layout: Layout[VideoSettings], rows: Sequence[Sequence[str]], made: dict[str, gr.components.Component]
) -> None:
    for row in rows:
        with FormRow(elem_classes="vcd-row"):
            for name in row:
                made[name] = _create(layout, name)


def _add_use(tab: str, made: dict[str, gr.components.Component], prompt: gr.Textbox | None) -> None:
    """Add a hidden button that the tab VCD presses when it sends a prompt: it needs identity and motion module."""
    advice = gr.HTML(elem_id=f"vcd_{tab}_advice")
    use = gr.Button("Use", elem_id=f"vcd_{tab}_use", elem_classes="vcd-hidden")
    module, identity = made["motion_module"], made["identity"]
    use.click(_choose_module, inputs=[module], outputs=[module, advice], show_progress=False)
    if prompt is not None:
        use.click(_choose_identity, inputs=[prompt], outputs=[identity], show_progress=False)


def _choose_module(chosen: str) -> tuple[Any, str]:
    """Return the motion module that is chosen, else one that can be used, and advice where there is none."""
    if chosen != NO_MODULE:
        return gr.update(), ""
    name = suggested_motion_module()
    if name is None:
        return gr.update(), (
            f"There is no motion module yet, and without one the frames do not move together; put mm_sd_v15_v2 into "
            f"{motion_module_folders()[0]} and refresh the list."
        )
    return gr.update(choices=motion_module_choices(), value=name), ""


def _choose_identity(prompt: str) -> Any:
    """Choose the identity that the prompt names, in a list that has those learned since the page was made."""
    known = identity_choices()
    return gr.update(choices=known, value=next((name for name in known[1:] if mentions(prompt, name)), NO_MODULE))


def _create(layout: Layout[VideoSettings], name: str) -> gr.components.Component:
    if name in UPLOADS:
        told = describe(VideoSettings)[name]
        return UploadField(
            file_types=list(PICTURES if name.endswith("_picture") else READERS), elem_classes="vcd-source",
            label=told.label, tooltip=told.help, elem_id=f"vcd_{layout.tab}_{name}",
        )  # fmt: skip
    choices = lists().get(name)
    if choices is None:
        return component(layout, name)
    if name in ("tiled_upscaler", "face_detector"):
        return component(layout, name, choices())
    with FormRow(elem_classes="vcd-row"):
        dropdown = component(layout, name, choices())
        refresh = _reload_embeddings if name == "identity" else lambda: None
        create_refresh_button(dropdown, refresh, lambda: {"choices": choices()}, f"vcd_{layout.tab}_{name}_refresh")
    return dropdown


def lists() -> dict[str, Callable[[], list[str]]]:
    """Return what finds the names that a setting may have."""
    return {
        "motion_module": motion_module_choices,
        "motion_lora": motion_loras.choices,
        "identity": identity_choices,
        "face_detector": lambda: list(offered_detectors()),
        "tiled_upscaler": lambda: [USUAL, *WebUIVideo().upscalers()],
        "tiled_controlnet": lambda: [AUTO, NO_MODULE, *tile_controlnets()],
    }


def prompt_with_identity(name: str, prompt: str) -> str:
    """Return the prompt with a chosen identity's name, in place of the one that was chosen before."""
    if name == NO_MODULE or mentions(prompt, name):
        return prompt
    others = [known for known in identity_choices()[1:] if mentions(prompt, known)]
    try:
        return renamed(prompt, others[0], name) if others else with_name(prompt, name)
    except ValueError as error:
        raise gr.Error(str(error)) from error


def paste_fields(made: dict[str, gr.components.Component]) -> list[PasteField]:
    """Say how pasted infotext sets the components."""

    def reader(name: str) -> Callable[[dict[str, str]], Any]:
        def read(entries: dict[str, str]) -> Any:
            value = from_infotext(name, entries)
            if name in lists() and value == "":
                return USUAL
            if value == DRAWN:  # which is not among those that are offered for every checkpoint
                return gr.update(choices=list(DETECTORS), value=value)
            return list(value) if isinstance(value, tuple) else value

        return read

    return [PasteField(component, reader(name)) for name, component in made.items()]
