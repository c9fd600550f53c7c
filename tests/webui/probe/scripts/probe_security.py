"""What the tests of security ask for inside the WebUI: other flags, and a section with a setting left out."""

from contextlib import ExitStack
from dataclasses import asdict
from types import SimpleNamespace
from unittest import mock

import gradio as gr
from fastapi import FastAPI
from fastapi.testclient import TestClient
from modules import script_callbacks, shared


def with_flags(asked: dict):
    """Status and text of "requests" to VCD's routes, as the WebUI would have them with "flags"."""
    from vcd_ext.hosts.webui.page import routes  # not at the top: the WebUI loads this file before it

    with ExitStack() as stack:
        for name, value in asked["flags"].items():
            stack.enter_context(mock.patch.object(shared.cmd_opts, name, value))
        app = FastAPI()
        routes.add_routes(None, app)
        client = TestClient(app)
        answers = [
            client.request(**request | {"auth": tuple(request.get("auth", ())) or None})
            for request in asked["requests"]
        ]
    return [[answer.status_code, answer.text] for answer in answers]


def options():
    """VCD's settings in the WebUI's: their names, and whether they are shut to the API and with hidden folders."""
    mine = {name: option for name, option in shared.opts.data_labels.items() if option.section[0] == "vcd"}
    return {name: [option.restrict_api, name in shared.opts.restricted_opts] for name, option in mine.items()}


def without(asked: dict):
    """Return a page's settings whose section lacks the one "left_out", once the others were set to "values"."""
    from vcd_ext.hosts.webui import script
    from vcd_ext.hosts.webui.page import section
    from vcd_ext.settings import VideoSettings, default

    rows = [tuple(name for name in row if name != asked["left_out"]) for row in section.GENERATION_ROWS]
    with mock.patch.object(section, "GENERATION_ROWS", rows), gr.Blocks(analytics_enabled=False):
        made = script.VCDScript()
        made.tabname = "txt2img"
        components = made.ui(False)
    names = [component.elem_id.removeprefix("vcd_txt2img_") for component in components]
    known = ["enabled" if name.endswith("-checkbox") else name for name in names]
    args = [asked["values"].get(name, default(VideoSettings, name)) for name in known]
    with mock.patch.object(script, "VideoRequest") as begun:
        made.before_process(SimpleNamespace(), *args)
    return asdict(begun.call_args.args[1])


def add_routes(_demo, app):
    app.add_api_route("/probe/with-flags", with_flags, methods=["POST"])
    app.add_api_route("/probe/options", options, methods=["GET"])
    app.add_api_route("/probe/without", without, methods=["POST"])


script_callbacks.on_app_started(add_routes)
