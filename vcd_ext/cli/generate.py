"""The subcommand `generate`: a video from text, or from another video, in one or several formats."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.cli.following import followed_regions
from vcd_ext.cli.generate_advice import memory_notes, module_advice
from vcd_ext.cli.generate_options import add_generate_options, control_guides, generate_settings, settings_of_input
from vcd_ext.cli.model_options import check_upscalers, detectors
from vcd_ext.cli.output import chosen_formats, make_folders, output_paths, sound_for, write_videos
from vcd_ext.cli.subcommand import subcommand
from vcd_ext.cli.terminal import INTERRUPTED, interruption, notify, progress_bar, stage_bars
from vcd_ext.cli.unfinished import finish, interruptible, unfinished_video
from vcd_ext.people import placed_people
from vcd_ext.prompt.foreign import unread
from vcd_ext.prompt.names import mentions
from vcd_ext.prompt.travel import check_key_frames, network_notes
from vcd_ext.settings import (
    AUTO,
    MOST_FRAMES,
    NO_MODULE,
    GenerateSettings,
    PassSettings,
    SettingError,
    TiledSettings,
    VideoSettings,
)

if TYPE_CHECKING:
    from vcd_ext.hosts.diffusers.guides import Guide
    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.hosts.diffusers.unfinished_video import UnfinishedVideo
    from vcd_ext.media import Clip
    from vcd_ext.stages.given_frames import BlendedPictures, GivenFrames
    from vcd_ext.stages.pipeline import Outcome, Stage

FAILED = 1  # exit status where a video was made, and what follows it failed


def add(commands: Any) -> None:
    """Add it to the subcommands of a parser."""
    command = subcommand(commands, "generate", run)
    add_generate_options(command)


def run(arguments: argparse.Namespace) -> int:
    """Make the video that the arguments describe and write its files; 1 if what follows the generation failed."""
    formats = chosen_formats(arguments.out, arguments.formats)
    files = output_paths(arguments.out, formats, arguments.subfolder)
    given = {name: value for name, value in vars(arguments).items() if value is not None} | {"formats": formats}
    picture, video = generate_settings(given)  # before the input is read, which takes a while
    placed_people(video.several.people)
    if arguments.input is not None:
        from vcd_ext.denoising.free_init import check_from_text

        check_from_text(video)
    make_folders(files)

    from vcd_ext.hosts.diffusers.loras import lora_files
    from vcd_ext.stages import pipeline
    from vcd_ext.stages.given_frames import GivenFrames

    loras = lora_files(arguments.loras)
    guides = control_guides(arguments)
    source = None
    if arguments.input is not None:
        source, picture, video = _read_input(arguments.input, given, video)
    begun = _given(arguments, picture, video)
    kept, picture = unfinished_video(arguments, files[0], picture, loras)
    picture = _completed(arguments, picture, video, loras, begun)
    stages = pipeline.stages(video, _shared(arguments, picture, video.several.people))
    host = _loaded(arguments, stages, loras, picture, video)
    follow = _following(arguments, host, stages)
    clip = _generated(arguments, host, picture, video, source, begun, guides, kept)
    if clip is None:
        return INTERRUPTED
    made = follow(clip)
    if isinstance(begun, GivenFrames):
        source = _finish(made, begun) or source
    heard_from = arguments.input or Path(video.onward.continue_video)
    write_videos(made, files, video, sound_for(source, heard_from, video), arguments.weights)
    finish(kept)
    return 0 if made.complete else FAILED if made.error else INTERRUPTED


def _read_input(
    path: Path, given: dict[str, Any], video: VideoSettings
) -> "tuple[Clip, GenerateSettings, VideoSettings]":
    """Read the video that is made again; it, and the settings of the new one, which has its size, length and rate."""
    from vcd_ext import media
    from vcd_ext.stages.video_to_video import part_of

    source = media.read(path, notify, part_of(video).at_most(given.get("frames", MOST_FRAMES)))
    picture, video = generate_settings(settings_of_input(source, path.name, given) | given)
    left = "frames" not in given and media.left_out(path, part_of(video), len(source.frames))
    if left:
        notify(f"{path.name} has {left} are used.")
    return source, picture, video


def _completed(
    arguments: argparse.Namespace,
    picture: GenerateSettings,
    video: VideoSettings,
    loras: Mapping[str, Path],
    begun: "GivenFrames | BlendedPictures | None",
) -> GenerateSettings:
    """Return the picture's settings with one prompt and seed for all stages; what has no effect is told.

    ValueError, in a sentence, for a rate that cannot be made as many times as fast, or not that way.
    """
    from vcd_ext.hosts.diffusers.picture_settings import complete
    from vcd_ext.media.clip import exact_fps
    from vcd_ext.stages.film import check_interpolator
    from vcd_ext.stages.given_frames import GivenFrames
    from vcd_ext.stages.interpolation import check_interpolation

    picture = complete(picture, arguments.embedding, loras, video.several.people)
    if isinstance(begun, GivenFrames):
        picture = replace(picture, seed=begun.seed(picture.seed))
    notify(*unread(picture.prompt), *network_notes(picture.prompt), *module_advice(arguments.motion_module, picture))
    check_interpolation(exact_fps(video.fps), video.onward.interpolate)
    check_interpolator(video.onward, arguments.weights)
    return picture


def _loaded(
    arguments: argparse.Namespace,
    stages: "Sequence[Stage]",
    loras: dict[str, Path],
    picture: GenerateSettings,
    video: VideoSettings,
) -> "Standalone":
    """Load the checkpoint once all settings are known to fit; words that the drawn world does not know are told."""
    import torch

    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.stages.video_to_video import prompts
    from vcd_ext.toyworld.notes import drawn_notes

    for stage in stages:
        check_key_frames(video.frames, prompts(stage.settings))
    host = Standalone.load(arguments.checkpoint, torch.float32 if arguments.no_half else None)
    host.loras = loras
    said = (picture.prompt, picture.negative_prompt, video.several.people)
    notify(*drawn_notes(arguments.checkpoint, arguments.motion_module, said, host.vectors(arguments.embedding)))
    notify(*memory_notes(host, picture, video, arguments.motion_module is not None))
    return host


def _generated(
    arguments: argparse.Namespace,
    host: "Standalone",
    picture: GenerateSettings,
    video: VideoSettings,
    source: "Clip | None",
    begun: "GivenFrames | BlendedPictures | None",
    guides: "Sequence[Guide]",
    kept: "UnfinishedVideo | None",
) -> "Clip | None":
    """Make the video, before what follows: from text, or from the one that is made again. None: interrupted."""
    from vcd_ext.hosts.diffusers.guides import described, load_guides
    from vcd_ext.hosts.diffusers.restyle import restyle
    from vcd_ext.stages import pipeline

    controls, more = load_guides(guides, host.unet, picture, video, source, notify), described(guides)
    regions = followed_regions(arguments, host, picture, video, source, begun is not None)
    models, video = (arguments.motion_module, arguments.embedding), pipeline.alone(video)
    with interruptible(kept), progress_bar() as progress:
        if source is None:
            return host.generate(picture, video, *models, progress, begun, controls, more, regions, kept)
        return restyle(host, source, arguments.input.name, picture, video, *models, progress, controls, more, regions)
    return None


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

    reader = Reader(lambda path, _: Path(path), ("CPU",), notify, moving=arguments.motion_module is not None)
    size = picture.height, picture.width
    found = reader.blended(video, *size) or reader.given(video, *size)
    if found is not None and arguments.input is not None:
        raise SettingError(
            "input",
            "A video is made again, or goes on from what is given; choose one: --input, or pictures and "
            "--continue-video.",
        )
    return found


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
