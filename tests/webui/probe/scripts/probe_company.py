"""Stand-ins for other people's extensions: what they do to a run, as far as it matters to a video."""

import copy
import itertools

import gradio as gr
import torch
from fastapi import Body
from modules import script_callbacks, scripts, shared
from modules.processing import Processed, process_images
from PIL import Image

# What `Peer` does in the next runs: the hooks in which it draws a prompt for each picture, and more.
doing: set[str] = set()
# What was seen: conditions of the frames that are denoised, and latents that they start from.
seen: dict[str, list] = {"prompts": [], "starts": [], "seeds": [], "runs": []}
replaced: list[torch.nn.Module] = []  # layers with a function of this extension
ANIMALS = ("horse", "cat", "fish", "dog", "bird", "cow")


def drawn(prompts):
    """Prompts in which each picture has an animal of its own."""
    return [prompt.replace("__animal__", animal) for prompt, animal in zip(prompts, itertools.cycle(ANIMALS))]


class Peer(scripts.Script):
    """Wildcards and their like, and extensions that replace layers."""

    def title(self):
        return "Probe's peer"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def process(self, p, *_args):
        seen["runs"].append(p.batch_size)
        if "process" in doing:
            for name in ("all_prompts", "all_negative_prompts", "all_hr_prompts"):
                if getattr(p, name, None):
                    setattr(p, name, drawn(getattr(p, name)))
        if "combinations" in doing:
            p.all_prompts = drawn(["a __animal__"] * 3)
            p.all_negative_prompts = [""] * 3
            p.n_iter = 1

    def before_process_batch(self, p, *_args, prompts, **_kwargs):
        if "before_process_batch" in doing:
            prompts[:] = drawn(prompts)

    def process_batch(self, p, *_args, **_kwargs):
        if "process_batch" in doing:
            p.prompts = drawn(p.prompts)
        if "layers" in doing:
            for name, layer in p.sd_model.model.diffusion_model.named_modules():
                if name.endswith("attn2"):
                    plain = layer.forward
                    layer.forward = lambda *args, plain=plain, **kwargs: plain(*args, **kwargs)
                    replaced.append(layer)

    def process_before_every_sampling(self, p, *_args, x, **_kwargs):
        seen["prompts"].append(list(p.prompts))
        seen["seeds"].append([list(p.seeds), list(p.subseeds)])
        seen["starts"].append(x.clone())

    def postprocess(self, p, *_args):
        remove_layers()


def remove_layers():
    while replaced:
        vars(replaced.pop()).pop("forward", None)


class _Named(scripts.Script):
    """An extension by its title, with settings whose first says whether it is on."""

    name = ""

    def title(self):
        return self.name

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return [gr.State(False), gr.State("Attention")]


class AnimateDiff(_Named):
    name = "AnimateDiff"


class RegionalPrompter(_Named):
    name = "Regional Prompter"


class NegPiP(_Named):
    name = "NegPiP"


class Tiles(scripts.Script):
    """Paints a picture in two halves, as scripts that enlarge do."""

    def title(self):
        return "Probe's tiles"

    def show(self, is_img2img):
        return is_img2img

    def run(self, p):
        picture = p.init_images[0]
        halves = []
        for box in ((0, 0, 32, 64), (32, 0, 64, 64)):
            p.init_images = [picture.crop(box).resize((64, 64))]
            halves += process_images(p).images
        return Processed(p, halves)


class Twice(scripts.Script):
    """Runs on two copies of the request, and answers with a picture of each."""

    def title(self):
        return "Probe's pairs"

    def run(self, p):
        made = []
        for word in ("red", "blue"):
            one = copy.copy(p)
            one.prompt = f"{p.prompt}, {word}"
            made.append(process_images(one).images[0])
        grid = Image.new("RGB", (2 * p.width, p.height))
        return Processed(p, [grid, *made])


class ForeignMotion(torch.nn.Identity):
    """A block that an extension puts into the UNet."""


def insert_block(there: bool = Body(embed=True)):
    block = shared.sd_model.model.diffusion_model.output_blocks[2]
    if there:
        block.append(ForeignMotion())
    elif isinstance(block[-1], ForeignMotion):
        del block[-1]


def act(what: list[str] = Body(embed=True)):  # noqa: B008
    doing.clear()
    doing.update(what)
    remove_layers()
    for entries in seen.values():
        entries.clear()


def tell():
    starts = [start.flatten(1).double() for start in seen["starts"]]
    return {
        "prompts": seen["prompts"],
        "seeds": seen["seeds"],
        "runs": seen["runs"],
        "alike": [(start @ start.T / start[0].numel()).tolist() for start in starts],
    }


def add_routes(_demo, app):
    app.add_api_route("/probe/company", act, methods=["POST"])
    app.add_api_route("/probe/company", tell, methods=["GET"])
    app.add_api_route("/probe/block", insert_block, methods=["POST"])


script_callbacks.on_app_started(add_routes)
