"""Make somebody's first video without a download and a command line: the drawn world, copied and chosen by a button."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from modules import call_queue, sd_models, shared
from modules.infotext_utils import ParamBinding, register_paste_params_button

from vcd_ext import toyworld
from vcd_ext.hosts.webui.library.drawn_world import offered_detectors
from vcd_ext.hosts.webui.library.embeddings import reload_embeddings
from vcd_ext.hosts.webui.library.motion_modules import motion_module_folders
from vcd_ext.media.infotext import composed
from vcd_ext.progress import Progress
from vcd_ext.settings import NO_MODULE, VideoSettings, to_infotext
from vcd_ext.storage.atomic import atomically
from vcd_ext.ui.html import error_list, note_list, under_way

IDENTITY = "drawn_ada"  # what the shipped embedding is called in the WebUI, where another ada may be
CLASS, SCENE = "woman", "in a meadow, waving, facing right"
EXPLANATION = (
    "No GPU and no download: a small checkpoint of a drawn world comes with VCD. It is copied, chosen and filled in, "
    "and a first video of its Ada is made, in about a minute on a CPU."
)
READY = "The drawn world is chosen and filled in. Choose your own checkpoint again at the top of the page."


def add_first_video(detector: gr.Dropdown) -> None:
    """Create the button within the section VCD of txt2img. What it fills in takes the way of pasted infotext.

    detector: the component that chooses what finds faces, which the drawn world has one of its own for.
    """
    gr.HTML(f"<p>{EXPLANATION}</p>")
    button = gr.Button("Try it with the drawn world", elem_id="vcd_txt2img_drawn")
    message = gr.HTML(elem_id="vcd_txt2img_drawn_message")
    text = gr.Textbox(visible=False, elem_id="vcd_txt2img_drawn_text")
    text.do_not_save_to_config = True
    paste = gr.Button("Fill in", elem_id="vcd_txt2img_drawn_paste", elem_classes="vcd-hidden")
    register_paste_params_button(ParamBinding(paste, "txt2img", source_text_component=text))
    title = gr.Textbox(visible=False, elem_id="vcd_txt2img_drawn_title")
    title.do_not_save_to_config = True
    begun = button.click(_prepare, [], [text, title, message, detector], show_progress=False)
    begun.success(None, [text, title], None, _js="vcdFirstVideo", show_progress=False)


def _prepare() -> Iterator[tuple[str, str, str, Any]]:
    """Copy and choose the drawn world; yield how far it is, and then what fills in the first video.

    That is its infotext and the checkpoint's title, both empty until then, a sentence, and the detectors there are now.
    """
    yield "", "", under_way(Progress("Copying and loading the drawn world", 0, 1)), gr.update()
    try:
        text, title = prepared()
    except (ValueError, OSError) as error:
        yield "", "", error_list(str(error)), gr.update()
    else:
        yield text, title, note_list([READY], "vcd-estimate"), gr.update(choices=list(offered_detectors()))


def prepared() -> tuple[str, str]:
    """Copy the drawn world into the WebUI's folders, load it; infotext of a video with it, and its title.

    ValueError or OSError, in one sentence, if a file is damaged or cannot be written, or the checkpoint not be loaded.
    """
    modules = motion_module_folders()[0]
    file = toyworld.install_into(Path(shared.cmd_opts.ckpt_dir or sd_models.model_path), modules)[0]
    learned = toyworld.identity()
    if learned is not None:
        _copy(learned, Path(shared.cmd_opts.embeddings_dir) / f"{IDENTITY}.safetensors")
    title = _load(file)
    with call_queue.queue_lock:
        reload_embeddings()
    return first_infotext(IDENTITY if learned is not None else NO_MODULE), title


def first_infotext(identity: str) -> str:
    """Return how the first video is made, as the WebUI pastes it. identity: its embedding, or "none"."""
    subject = f"{identity} {CLASS}" if identity != NO_MODULE else f"a {CLASS}"
    settings = VideoSettings(enabled=True, motion_module=toyworld.motion_module().name, identity=identity)
    entries = {"Steps": toyworld.STEPS, "Sampler": "DPM++ 2M", "Schedule type": "Karras"}
    entries |= {"CFG scale": toyworld.CFG_SCALE, "Seed": 1}
    size = {"Size": f"{toyworld.SIZE}x{toyworld.SIZE}"}
    return composed(f"photo of {subject} {SCENE}", "", entries | size | to_infotext(settings))


def _copy(source: Path, target: Path) -> None:
    with atomically(target) as part:
        part.write_bytes(source.read_bytes())


def _load(file: Path) -> str:
    """Have the WebUI use a checkpoint from now on, as if it was chosen on the page; its title there."""
    sd_models.list_models()
    known = sd_models.checkpoints_list.values()
    info = next((one for one in known if Path(one.filename).resolve() == file.resolve()), None)
    if info is not None:
        shared.opts.set("sd_model_checkpoint", info.title)
    loaded: Any = getattr(shared.sd_model, "sd_checkpoint_info", None)
    if info is None or loaded is None or loaded.filename != info.filename:
        raise ValueError(f"The WebUI could not load {file}; its console says why.")
    return str(info.title)
