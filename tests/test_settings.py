"""Settings: one truth for page, API, command line, infotext and docs."""

import argparse
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcd_ext.settings import (
    FORMATS,
    ORDERS,
    FaceSettings,
    FileSettings,
    GenerateSettings,
    SettingError,
    TiledSettings,
    TrainSettings,
    VideoSettings,
    add_arguments,
    default,
    describe,
    from_infotext,
    parse,
    to_infotext,
)

videos = st.builds(
    VideoSettings,
    enabled=st.just(True),
    motion_module=st.sampled_from(["none", "mm_sd_v15_v2.ckpt", "sub folder/v3.safetensors"]),
    frames=st.integers(1, 1024),
    context=st.integers(1, 1024),
    overlap=st.integers(0, 1023),
    fps=st.floats(0.1, 120),
    gamma=st.floats(0, 0.5),
    loop=st.booleans(),
    freenoise=st.booleans(),
    freeinit=st.integers(0, 10),
    freeinit_cutoff=st.floats(0.05, 1),
    order=st.sampled_from(ORDERS),
    step_noise=st.booleans(),
    formats=st.lists(st.sampled_from(FORMATS), unique=True).map(tuple),
    identity=st.sampled_from(["none", "rex", "my dog"]),
    face=st.booleans(),
    face_prompt=st.sampled_from(["", 'close up of rex, "asleep": night']),
    face_denoise=st.floats(0.01, 1),
    face_people=st.sampled_from(["", "1: rex; 2: -"]),
    tiled=st.booleans(),
    tiled_upscaler=st.sampled_from(["", "Lanczos"]),
    tiled_controlnet=st.sampled_from(["auto", "none", "control_v11f1e_sd15_tile.pth"]),
    tiled_controlnet_weight=st.floats(0, 2),
    tiled_tile=st.integers(64, 2048),
    crf=st.integers(-1, 51),
    chroma=st.sampled_from(["4:2:0", "4:4:4"]),
    lossless=st.booleans(),
    plays=st.integers(0, 65535),
    frames_per_file=st.integers(0, 100_000),
    frame_format=st.sampled_from(["auto", "jpg"]),
    save_stages=st.booleans(),
    motion_lora=st.sampled_from(["none", "v2_lora_PanLeft.ckpt"]),
    motion_lora_weight=st.sampled_from([-1.0, 0.0, 0.35, 0.8]),
    first_frame=st.integers(1, 9999),
    last_frame=st.integers(0, 9999),
    interpolate=st.integers(1, 4),
)


def written(settings: VideoSettings) -> VideoSettings:
    """Return the settings as far as they have an effect: those of stages that do not follow are usual."""
    usual = describe(VideoSettings).keys()
    for stage in ("face", "tiled"):
        if not getattr(settings, stage):
            of_stage = [name for name in usual if name.startswith(f"{stage}_")]
            settings = replace(settings, **{name: default(VideoSettings, name) for name in of_stage})
    return settings if settings.face or settings.tiled else replace(settings, save_stages=False)


@given(videos.map(written))
def test_infotext_restores_every_setting_but_the_video_to_begin_from(settings: VideoSettings) -> None:
    entries = {key: str(value) for key, value in to_infotext(settings).items()}
    restored = {name: from_infotext(name, entries) for name in describe(VideoSettings)}
    assert VideoSettings(**{name: value for name, value in restored.items() if value is not None}) == settings


def test_a_video_to_begin_from_is_not_written_into_infotext_and_a_pasted_one_leaves_the_control_alone() -> None:
    entries = {key: str(value) for key, value in to_infotext(VideoSettings(video="AAAAGGZ0eXA=")).items()}
    assert "AAAAGGZ0eXA=" not in " ".join([*entries, *entries.values()])
    assert from_infotext("video", entries) is None


@pytest.mark.parametrize("stage", [FaceSettings, TiledSettings])
def test_a_stages_settings_have_names_and_help_of_their_own_and_all_else_as_there(stage: type) -> None:
    short = {FaceSettings: "face_", TiledSettings: "tiled_"}[stage]
    known, labels = describe(VideoSettings), [setting.label for setting in describe(VideoSettings).values()]
    assert len(set(labels)) == len(labels), "they are keys of the infotext"
    for name in known:
        if name.startswith(short) and name != "face_prompt":
            there = describe(stage)[name.removeprefix(short)]
            assert replace(known[name], label=there.label, help=there.help) == there
            assert known[name].help.startswith(there.help)
            assert default(VideoSettings, name) == default(stage, name.removeprefix(short))


def test_infotext_without_vcd_turns_it_off_and_sets_nothing() -> None:
    assert from_infotext("enabled", {"Steps": "20"}) is False
    assert from_infotext("gamma", {"Steps": "20"}) is None


@pytest.mark.parametrize("text", ["lots", "7", "nan", ""])
def test_damaged_infotext_sets_nothing(text: str) -> None:
    assert from_infotext("gamma", {"VCD gamma": text}) is None


@given(videos)
def test_what_is_valid_passes(settings: VideoSettings) -> None:
    values = {name: getattr(settings, name) for name in describe(VideoSettings)}
    assert parse(VideoSettings, values) == settings


def test_what_is_not_given_has_its_default() -> None:
    assert parse(VideoSettings, {}) == VideoSettings()
    assert parse(VideoSettings, {"frames": 8}) == replace(VideoSettings(), frames=8)
    assert parse(VideoSettings, {"formats": ["gif", "gif"]}).formats == ("gif",)


def test_files_as_usual_leave_no_trace_in_the_infotext_and_restore_others_as_usual() -> None:
    entries = to_infotext(VideoSettings(subfolder="of Ada", text_file=True))
    assert not {"VCD crf", "VCD lossless", "VCD sub-folder", "VCD text file"} & entries.keys()
    pasted = {key: str(value) for key, value in entries.items()}
    assert from_infotext("crf", pasted) == -1
    assert from_infotext("subfolder", {**pasted, "VCD sub-folder": "x"}) is None, "where files lie is not pasted"


def test_a_videos_settings_hand_on_those_of_its_files() -> None:
    video = parse(VideoSettings, {"crf": 30, "subfolder": "videos/[date]", "text_file": True})
    assert video.files == FileSettings(crf=30, subfolder="videos/[date]", text_file=True)
    assert {name: describe(VideoSettings)[name] for name in describe(FileSettings)} == describe(FileSettings)


def test_defaults_are_those_of_the_paper_and_the_field() -> None:
    assert (VideoSettings().gamma, VideoSettings().frames, VideoSettings().fps) == (0.15, 16, 8)
    assert (VideoSettings().context, VideoSettings().overlap) == (16, 4)
    assert VideoSettings().step_noise is False


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("speed", 1),
        ("frames", "16"),
        ("frames", 2.5),
        ("frames", True),
        ("frames", math.inf),
        ("frames", None),
        ("gamma", math.nan),
        ("gamma", 0.51),
        ("gamma", False),
        ("fps", -1),
        ("enabled", 1),
        ("formats", "mp4"),
        ("formats", ["mov"]),
        ("formats", [1]),
        ("motion_module", 4),
        ("crf", 52),
        ("preset", "slowest"),
        ("plays", 65536),
        ("subfolder", "../elsewhere"),
        ("subfolder", "/tmp"),
        ("subfolder", "C:videos"),
        ("subfolder", "a\\b"),
        ("subfolder", "a//b"),
    ],
)
def test_a_bad_value_is_refused_by_its_key(key: str, value: Any) -> None:
    with pytest.raises(SettingError) as refusal:
        parse(VideoSettings, {key: value})
    assert refusal.value.key == key
    assert key in str(refusal.value)


def test_the_trainings_defaults_are_those_of_the_paper_and_of_its_trainer() -> None:
    train = TrainSettings()
    assert (train.tokens, train.steps, train.batch, train.learning_rate) == (4, 200, 4, 1e-3)
    assert (train.noise_offset, train.whole_picture, train.flip, train.rotate) == (0.1, 0.05, 0.5, 0.7)
    assert parse(TrainSettings, {"tokens": 8}) == replace(train, tokens=8)


@pytest.mark.parametrize(
    ("key", "value"), [("tokens", 17), ("tokens", 0), ("flip", 1.1), ("schedule", "cosine"), ("size", 32), ("ema", 1.0)]
)
def test_a_bad_value_of_the_training_is_refused_by_its_key(key: str, value: Any) -> None:
    with pytest.raises(SettingError) as refusal:
        parse(TrainSettings, {key: value})
    assert refusal.value.key == key


def test_the_command_line_has_an_option_for_each() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser, VideoSettings, skip=("enabled",))
    add_arguments(parser, GenerateSettings)
    options = parser.parse_args(["--frames", "8", "--formats", "mp4", "gif", "--step-noise", "--cfg-scale", "5"])
    assert (options.frames, options.formats, options.step_noise, options.cfg_scale) == (8, ["mp4", "gif"], True, 5.0)
    assert options.gamma == default(VideoSettings, "gamma")
    parser.format_help()  # a stray % in a help text would raise


def test_the_page_reaches_the_longest_video() -> None:
    assert describe(VideoSettings)["frames"].slider_maximum is None, "number boxes end where their sliders do"
