"""Register VCD with the WebUI: a script whose callbacks hand over to `VideoRequest`, tab, routes and X/Y/Z axes."""

from functools import partial
from typing import Any

import gradio as gr
from modules import script_callbacks, scripts, shared

from vcd_ext.hosts.webui import studio
from vcd_ext.hosts.webui.library import motion_modules
from vcd_ext.hosts.webui.library.folders import remember_folders
from vcd_ext.hosts.webui.library.motion_modules import forget_motion_module, offload_motion_module
from vcd_ext.hosts.webui.model import known, motion_loras, row_order
from vcd_ext.hosts.webui.page import axes, section, tab
from vcd_ext.hosts.webui.page.distilled import FIELDS, DistilledControls
from vcd_ext.hosts.webui.page.routes import add_routes
from vcd_ext.hosts.webui.page.video_player import first_video, player
from vcd_ext.hosts.webui.request import read
from vcd_ext.hosts.webui.request.loras import tell_off
from vcd_ext.hosts.webui.request.other_scripts import chosen_script, is_animated, script_problem
from vcd_ext.hosts.webui.request.read import is_single_upscale, read_settings
from vcd_ext.hosts.webui.request.refused import Refused, RefusedPictures, stop
from vcd_ext.hosts.webui.request.run import VideoRequest
from vcd_ext.hosts.webui.request.source_video import give_first_picture
from vcd_ext.ui.likeness_section import LikenessSection


class VCDScript(scripts.Script):
    """Show the section *VCD* and hand over to a video request; one instance each for txt2img and img2img."""

    def __init__(self) -> None:
        self.prompt: gr.Textbox | None = None
        self.log: gr.HTML | None = None
        self.player: gr.HTML | None = None
        self.likeness: LikenessSection | None = None
        self.distilled = DistilledControls()
        self.names: tuple[str, ...] = ()  # of the settings that the section has, in the order of its components

    def title(self) -> str:
        return "VCD"

    def show(self, is_img2img: bool) -> Any:
        tab = "img2img" if is_img2img else "txt2img"
        self.on_after_component(self._keep_prompt, elem_id=f"{tab}_prompt")
        self.on_after_component(self._add_player, elem_id=f"{tab}_gallery")
        self.on_after_component(self._keep_log, elem_id=f"html_log_{tab}")
        for name in FIELDS:
            self.on_after_component(partial(self._keep_field, name), elem_id=f"{tab}_{name}")
        self.on_after_component(self._feed_player, elem_id=f"generation_info_{tab}")
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> list[gr.components.Component]:
        made = section.build("img2img" if is_img2img else "txt2img", self.prompt, self.distilled)
        self.infotext_fields = section.paste_fields(made)
        self.names = tuple(made)
        return list(made.values())

    def setup(self, p: Any, *args: Any) -> None:
        """Refuse, before the chosen script of the list "Script" runs, what would be refused later on too."""
        if chosen_script(p) is None or not hasattr(p, "init_images"):
            return
        try:
            settings = read_settings(args, self.names, {})
            if settings.enabled and settings.frames > 1:
                p.vcd_given = list(p.init_images or [])
                problem = script_problem(p, None)
                if problem is not None:
                    raise Refused(problem)
                give_first_picture(p, settings)
        except Refused as refusal:
            p.init_images = RefusedPictures(refusal)

    def before_process(self, p: Any, *args: Any) -> None:
        p.vcd_run = None
        try:
            settings = read_settings(args, self.names, getattr(p, "vcd_overrides", {}))
            if settings.enabled and not is_single_upscale(p):
                run = VideoRequest(p, settings)
                run.before_process()
                p.vcd_run = run
            else:
                offload_motion_module()
                if not settings.enabled and not is_animated(p):
                    tell_off(p)
        except Refused as refusal:
            stop(p, refusal)

    def process(self, p: Any, *_args: Any) -> None:
        run = VideoRequest.of(p)
        if run is None:
            return
        try:
            run.process()
        except Exception as error:  # the WebUI would go on with a batch of unrelated pictures
            stop(p, error)

    def before_process_batch(self, p: Any, *_args: Any, **_batch: Any) -> None:
        run = VideoRequest.of(p)
        if run is not None:
            run.before_batch()

    def process_before_every_sampling(self, p: Any, *_args: Any, **tensors: Any) -> None:
        run = VideoRequest.of(p)
        if run is not None:
            run.before_sampling(tensors["noise"])

    def postprocess_batch_list(self, p: Any, pp: Any, *_args: Any, batch_number: int, **_tensors: Any) -> None:
        run = VideoRequest.of(p)
        if run is not None:
            pp.images = run.run_stages(pp.images, batch_number)

    def postprocess_image_after_composite(self, p: Any, pp: Any, *_args: Any) -> None:
        run = VideoRequest.of(p)
        if run is not None:
            pp.image = run.taken(pp.image)

    def postprocess(self, p: Any, processed: Any, *_args: Any) -> None:
        run = VideoRequest.of(p)
        if run is not None:
            run.postprocess(processed)

    def _keep_prompt(self, on: scripts.OnComponent) -> None:
        self.prompt = on.component

    def _keep_field(self, name: str, on: scripts.OnComponent) -> None:
        self.distilled.keep(name, on.component)

    def _add_player(self, _on: scripts.OnComponent) -> None:
        self.player = gr.HTML(elem_id=f"vcd_{self.tabname}_player", elem_classes="vcd-player")
        self.likeness = LikenessSection(studio.JOBS.studio, self.tabname, first_video)

    def _keep_log(self, on: scripts.OnComponent) -> None:
        self.log = on.component

    def _feed_player(self, on: scripts.OnComponent) -> None:
        # The log is the part of the results that differs after each run: it names the files and the time taken.
        if self.log is None or self.player is None or self.likeness is None:
            return
        likeness = self.likeness

        def finished(info: str) -> list[Any]:
            return [player(info), *likeness.offered(info)]

        shown = [self.player, likeness.button, likeness.shown]
        self.log.change(fn=finished, inputs=[on.component], outputs=shown, show_progress=False)
        likeness.connect(on.component)


def _add_settings() -> None:
    for name, value, label, explanation in (
        (
            motion_modules.FOLDER_OPTION,
            motion_modules.DEFAULT_FOLDER,
            "Folder with AnimateDiff motion modules",
            "relative to the WebUI's folder; sd-webui-animatediff's folder is searched as well",
        ),
        (
            motion_loras.FOLDER_OPTION,
            motion_loras.DEFAULT_FOLDER,
            "Folder with motion LoRAs",
            "relative to the WebUI's folder; the folder of LoRAs is searched as well",
        ),
        (
            studio.PHOTOS_OPTION,
            "",
            "Folders from which photos and videos may be read by name",
            "separated by ; for the API, and for the page if others can reach it; the WebUI's own folder always may",
        ),
    ):
        # Folders are named by the machine's own people: not through the API, and not with --hide-ui-dir-config.
        option = shared.OptionInfo(
            value, label, component_args=shared.hide_dirs, section=("vcd", "VCD"), restrict_api=True
        )
        shared.opts.add_option(name, option.info(explanation))
        shared.opts.restricted_opts.add(name)


def register() -> None:
    """Tell the WebUI about everything beside the script itself; called each time it loads its scripts."""
    for category, callback in (
        ("ui_settings", _add_settings),
        ("before_ui", axes.add_axes),
        ("before_ui", remember_folders),
        ("ui_tabs", tab.tabs),
        ("app_started", add_routes),
        ("app_started", read.add_dependency),
        ("cfg_denoiser", row_order.on_cfg_denoiser),
        ("cfg_denoised", row_order.on_cfg_denoised),
        ("cfg_after_cfg", known.on_cfg_after_cfg),
        ("script_unloaded", forget_motion_module),
    ):
        # As `script_callbacks.on_...` do, which look for the caller's file among all that is loaded: 25 ms each.
        waiting = script_callbacks.callback_map[f"callbacks_{category}"]
        script_callbacks.add_callback(waiting, callback, category=category, filename=__file__)
