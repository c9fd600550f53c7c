"""The subcommand `generate`: a video from text, or from another video, in one or several formats."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.cli.following import followed_regions
from vcd_ext.cli.model_options import add_models, check_upscalers, detectors
from vcd_ext.cli.output import chosen_formats, make_folders, output_paths
from vcd_ext.cli.subcommand import subcommand
from vcd_ext.cli.terminal import INTERRUPTED, interruption, notify, progress_bar, stage_bars
from vcd_ext.people import placed_people
from vcd_ext.prompt.foreign import unread
from vcd_ext.prompt.names import mentions
from vcd_ext.prompt.travel import check_key_frames, network_notes
from vcd_ext.settings import (
    AUTO,
    FORWARD,
    MAX_VIDEO_SIDE,
    MIN_VIDEO_SIDE,
    MOST_FRAMES,
    NO_MODULE,
    GenerateSettings,
    PassSettings,
    SettingError,
    TiledSettings,
    VideoSettings,
    add_arguments,
    parse,
)

if TYPE_CHECKING:
    from vcd_ext.hosts.diffusers.guides import Guide
    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.media import Clip
    from vcd_ext.stages.given_frames import BlendedPictures, GivenFrames
    from vcd_ext.stages.pipeline import Outcome, Stage

FAILED = 1  # exit status where a video was made, and what follows it failed
# Settings of the WebUI's page; here these are files.
NOT_HERE = ("enabled", "motion_module", "identity", "video", "control_video")
# What a video that is made again brings along, for who does not choose it.
OF_INPUT = {
    "width": "512, or the input's",
    "height": "512, or the input's",
    "frames": "16, or all of the input's",
    "fps": "8, or the input's",
}


def add(commands: Any) -> None:
    """Add it to the subcommands of a parser."""
    command = subcommand(commands, "generate", run)
    add_generate_options(command)


def add_generate_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `generate`."""
    add_models(command)
    command.add_argument(
        "--out",
        type=Path,
        default=Path("video.mp4"),
        help="File to write. Its suffix is the format, unless --formats names several (default: %(default)s)",
    )
    command.add_argument("--input", type=Path, help="A video, or a folder of pictures, that is made again.")
    command.add_argument(
        "--control",
        nargs=3,
        metavar=("KIND", "FILE", "VIDEO"),
        action="append",
        default=[],
        help="A ControlNet for SD1.5 that guides each frame by the one of a video, or of a folder, of the same size: "
        "KIND canny draws the edges, tile shows the frames themselves, and hints, depth, lineart, mlsd, normal, "
        "openpose, scribble, seg or softedge take VIDEO as hints that are ready. VIDEO may be 'source', the --input, "
        "for canny and tile. Can be given several times.",
    )
    command.add_argument(
        "--control-weights",
        type=float,
        nargs="+",
        metavar="WEIGHT",
        default=[],
        help="How firmly each --control holds, in their order, from 0 to 2 (default: 1)",
    )
    command.add_argument(
        "--upscaler-weights",
        type=Path,
        nargs="+",
        default=[],
        help="Networks of the ESRGAN family, for --tiled; the first is used unless --tiled-upscaler names another.",
    )
    command.add_argument(
        "--tiled-controlnet",
        metavar="FILE",
        help="A ControlNet Tile for SD1.5, which holds each tile of --tiled to what the enlarged picture shows there, "
        "so that --tiled-denoise can be higher (default: none)",
    )
    add_arguments(command, GenerateSettings, unset=OF_INPUT)
    add_arguments(command, VideoSettings, skip=(*NOT_HERE, "tiled_controlnet"), unset=OF_INPUT)


def run(arguments: argparse.Namespace) -> int:
    """Make the video that the arguments describe and write its files; 1 if what follows the generation failed."""
    formats = chosen_formats(arguments.out, arguments.formats)
    files = output_paths(arguments.out, formats, arguments.subfolder)
    given = {name: value for name, value in vars(arguments).items() if value is not None} | {"formats": formats}
    picture, video = _settings(given)  # before the input is read, which takes a while
    placed_people(video.several.people)
    if arguments.input is not None:
        from vcd_ext.denoising.free_init import check_from_text

        check_from_text(video)
    make_folders(files)

    import torch

    from vcd_ext import media
    from vcd_ext.hosts.diffusers.guides import described, load_guides
    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.hosts.diffusers.loras import lora_files
    from vcd_ext.hosts.diffusers.picture_settings import complete
    from vcd_ext.hosts.diffusers.restyle import restyle
    from vcd_ext.media.clip import exact_fps
    from vcd_ext.stages import pipeline
    from vcd_ext.stages.given_frames import GivenFrames
    from vcd_ext.stages.interpolation import check_interpolation
    from vcd_ext.stages.video_to_video import part_of, prompts
    from vcd_ext.toyworld.notes import drawn_notes

    loras = lora_files(arguments.loras)
    models = (arguments.motion_module, arguments.embedding)
    guides = _guides(arguments)
    source = None
    if arguments.input is not None:
        part = part_of(video).at_most(given.get("frames", MOST_FRAMES))
        source = media.read(arguments.input, notify, part)
        picture, video = _settings(_of_input(source, arguments.input.name, given) | given)
        left = "frames" not in given and media.left_out(arguments.input, part_of(video), len(source.frames))
        if left:
            notify(f"{arguments.input.name} has {left} are used.")
    given_frames = _given(arguments, picture, video)
    picture = complete(picture, arguments.embedding, loras, video.several.people)  # one prompt and seed for all stages
    if isinstance(given_frames, GivenFrames):
        picture = replace(picture, seed=given_frames.seed(picture.seed))
    notify(*unread(picture.prompt), *network_notes(picture.prompt), *_advice(arguments.motion_module, picture))
    check_interpolation(exact_fps(video.fps), video.onward.interpolate)
    stages = pipeline.stages(video, _shared(arguments, picture, video.several.people))
    for stage in stages:
        check_key_frames(video.frames, prompts(stage.settings))
    host = Standalone.load(arguments.checkpoint, torch.float32 if arguments.no_half else None)
    host.loras = loras
    prompts_read = (picture.prompt, picture.negative_prompt, video.several.people)
    notify(*drawn_notes(arguments.checkpoint, arguments.motion_module, prompts_read, host.vectors(arguments.embedding)))
    follow = _following(arguments, host, stages)
    controls = load_guides(guides, host.unet, picture, video, source, notify)
    regions = followed_regions(arguments, host, picture, video)
    with progress_bar() as progress:
        if source is None:
            clip = host.generate(
                picture, pipeline.alone(video), *models, progress, given_frames, controls, described(guides), regions
            )
        else:
            clip = restyle(
                host, source, arguments.input.name, picture, pipeline.alone(video), *models, progress, controls,
                described(guides),
            )  # fmt: skip
    made = follow(clip)
    if isinstance(given_frames, GivenFrames):
        source = _finish(made, given_frames) or source
    heard_from = arguments.input or Path(video.onward.continue_video)
    _write(made, files, video, _heard(source, heard_from, video))
    return 0 if made.complete else FAILED if made.error else INTERRUPTED


def _advice(motion_module: Path | None, picture: GenerateSettings) -> list[str]:
    """Return a sentence where a module that is distilled for a few steps is run with other settings."""
    from vcd_ext.hosts.diffusers.sampling import INFOTEXT
    from vcd_ext.motion.checkpoint import mapped
    from vcd_ext.motion.distilled import advice

    if motion_module is None:
        return []
    sampler, version = INFOTEXT[picture.sampler]["Sampler"], mapped(motion_module).version
    sentence = advice(version, motion_module.name, sampler, picture.steps, picture.cfg_scale)
    return [sentence] if sentence else []


def _finish(made: "Outcome", given: "GivenFrames") -> "Clip | None":
    """Put the given frames into the last video, as they are; return the video that it goes on with."""
    last = made.videos[-1]
    made.videos[-1] = last._replace(clip=given.finished(last.clip))
    return None if given.continued is None else given.continued.clip


def _given(
    arguments: argparse.Namespace, picture: GenerateSettings, video: VideoSettings
) -> "GivenFrames | BlendedPictures | None":
    """Return what the video begins from; SettingError, in one sentence."""
    from vcd_ext.stages.given_frames import Reader

    reader = Reader(lambda path, _: Path(path), ("CPU",), notify)
    size = picture.height, picture.width
    found = reader.blended(video, *size) or reader.given(video, *size)
    if found is not None and arguments.input is not None:
        raise SettingError(
            "input",
            "A video is made again, or goes on from what is given; choose one: --input, or pictures and "
            "--continue-video.",
        )
    return found


def _guides(arguments: argparse.Namespace) -> "list[Guide]":
    """Return what guides the frames through ControlNets; ValueError, in a sentence, for what cannot."""
    from vcd_ext.hosts.diffusers.guides import Guide, check_guides

    weights, given = arguments.control_weights, len(arguments.control)
    if weights and len(weights) != given:
        raise ValueError(f"{len(weights)} --control-weights were given for {given} --control; give one for each.")
    guides = [
        Guide(kind, Path(file), video, weight)
        for (kind, file, video), weight in zip(arguments.control, weights or [1.0] * given, strict=True)
    ]
    check_guides(guides, arguments.input is not None)
    return guides


def _shared(arguments: argparse.Namespace, picture: GenerateSettings, people: str) -> PassSettings:
    """Return the settings that what follows the generation takes over from it. people: who has a region each."""
    from vcd_ext.identity.embedding import names_meant
    from vcd_ext.stages.pipeline import shared_with

    named = [names_meant(path, f"{picture.prompt}\n{people}")[0] for path in arguments.embedding]
    identity = next((name for name in named if not mentions(people, name)), NO_MODULE)
    return shared_with(picture, identity, arguments.motion_module)


def _following(
    arguments: argparse.Namespace, host: "Standalone", stages: "Sequence[Stage]"
) -> "Callable[[Clip], Outcome]":
    """Return what takes a clip through the stages. ValueError, in a sentence, if something they need is missing."""
    from vcd_ext.hosts.diffusers.video import StandaloneVideo
    from vcd_ext.hosts.shared import controlnet_file
    from vcd_ext.progress import Callbacks
    from vcd_ext.stages import pipeline
    from vcd_ext.stages.video_to_video import ready

    check_upscalers(arguments.upscaler_weights)
    video = StandaloneVideo(host, arguments.embedding, arguments.upscaler_weights)
    finder = detectors(arguments, host.device)
    for stage in stages:
        ready(video, stage.settings, finder)
        if isinstance(stage.settings, TiledSettings) and stage.settings.controlnet not in (AUTO, NO_MODULE):
            controlnet_file.check_fits(stage.settings.controlnet, host.unet)

    def follow(clip: "Clip") -> "Outcome":
        with interruption() as interrupted, stage_bars() as progress:
            return pipeline.run_stages(video, clip, stages, finder, Callbacks(progress, notify, interrupted))

    return follow


def _heard(source: "Clip | None", path: Path, video: VideoSettings) -> Path | None:
    """Return the input, if its sound goes with pictures at this rate and order; else None, and the person is told."""
    from vcd_ext.media import has_sound
    from vcd_ext.media.clip import exact_fps
    from vcd_ext.media.order import soundless

    if source is None or not has_sound(path):
        return None
    if video.loops.order != FORWARD:
        notify(soundless(video.loops.order))
        return None
    if exact_fps(video.fps) != source.fps:
        notify(f"The sound is left out, as it would not be in time at {video.fps:g} frames a second.")
        return None
    return path


def _write(made: "Outcome", files: Sequence[Path], settings: VideoSettings, heard: Path | None) -> None:
    """Write the last video and, if wanted, those before it; print their files, and why there is no later one.

    heard: a video whose sound they get.
    """
    from vcd_ext.media.order import ordered
    from vcd_ext.media.output_files import kept
    from vcd_ext.stages.interpolation import interpolated

    for video in made.videos[::-1] if settings.save_stages else made.videos[-1:]:
        last, clip = video is made.videos[-1], ordered(video.clip, settings.loops.order)
        clip = interpolated(clip, settings.onward.interpolate, settings.loops.closed) if last else clip
        beside = [file if last else video.beside(file) for file in files]
        for file in kept(clip, beside, heard, notify, settings.files):
            print(file)
    if made.error:
        notify(made.error)


def _settings(given: Mapping[str, Any]) -> tuple[GenerateSettings, VideoSettings]:
    picture = {f.name: given[f.name] for f in fields(GenerateSettings) if f.name in given}
    video = {f.name: given[f.name] for f in fields(VideoSettings) if f.name in given and f.name not in NOT_HERE}
    return parse(GenerateSettings, picture), parse(VideoSettings, video)


def _of_input(source: "Clip", name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that an input video brings along; ValueError if it is too large or too small."""
    from vcd_ext.hosts.diffusers.restyle import fitting

    height, width = fitting(given.get("height", 0), given.get("width", 0), source)
    if not all(MIN_VIDEO_SIDE <= side <= MAX_VIDEO_SIDE for side in (height, width)):
        tall, wide = source.frames.shape[1:3]
        raise ValueError(
            f"{name} is {wide}x{tall} and would be made at {width}x{height}; sides go from {MIN_VIDEO_SIDE} to "
            f"{MAX_VIDEO_SIDE} pixels: choose --width and --height."
        )
    return {"height": height, "width": width, "frames": len(source.frames), "fps": float(source.fps)}
