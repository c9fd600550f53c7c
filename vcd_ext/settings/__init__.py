"""Define every setting of every job once: page, API, command line, infotext and docs are made from here.

A job's settings are a frozen dataclass whose fields carry a `Setting`: label, help, range and choices.
"""

from vcd_ext.settings.arguments import add_arguments
from vcd_ext.settings.control import ControlSettings
from vcd_ext.settings.face import FaceSettings
from vcd_ext.settings.files import AUTO_FORMAT, OWN_CRF, FileSettings
from vcd_ext.settings.generate import MAX_VIDEO_SIDE, MIN_VIDEO_SIDE, SAMPLERS, GenerateSettings
from vcd_ext.settings.infotext import HINTS_KEY, SOURCE_KEY, from_infotext, to_infotext
from vcd_ext.settings.loop import FORWARD, ORDERS, LoopSettings
from vcd_ext.settings.onward import OnwardSettings
from vcd_ext.settings.parsing import SettingError, Settings, parse
from vcd_ext.settings.passes import (
    DETECTORS,
    DRAWN,
    EXACT,
    FAST,
    FASTEST,
    GENERAL_DETECTORS,
    NO_MODULE,
    SPEEDS,
    TRAVELS,
    PassSettings,
    with_drawn_seed,
)
from vcd_ext.settings.people import PeopleSettings
from vcd_ext.settings.schema import json_schema
from vcd_ext.settings.setting import Setting, default, describe
from vcd_ext.settings.table import markdown_table
from vcd_ext.settings.tiled import AUTO, EVERYWHERE, TiledSettings
from vcd_ext.settings.train import CHECKPOINTING, SCHEDULES, TrainSettings
from vcd_ext.settings.video import FORMATS, MOST_FRAMES, STAGES, VideoSettings

__all__ = [
    "AUTO",
    "AUTO_FORMAT",
    "CHECKPOINTING",
    "DETECTORS",
    "DRAWN",
    "EVERYWHERE",
    "EXACT",
    "FAST",
    "FASTEST",
    "FORMATS",
    "FORWARD",
    "GENERAL_DETECTORS",
    "HINTS_KEY",
    "MAX_VIDEO_SIDE",
    "MOST_FRAMES",
    "NO_MODULE",
    "OWN_CRF",
    "ORDERS",
    "SAMPLERS",
    "SCHEDULES",
    "MIN_VIDEO_SIDE",
    "SOURCE_KEY",
    "SPEEDS",
    "STAGES",
    "TRAVELS",
    "ControlSettings",
    "FaceSettings",
    "FileSettings",
    "GenerateSettings",
    "LoopSettings",
    "OnwardSettings",
    "PassSettings",
    "PeopleSettings",
    "Setting",
    "SettingError",
    "Settings",
    "TiledSettings",
    "TrainSettings",
    "VideoSettings",
    "add_arguments",
    "default",
    "describe",
    "from_infotext",
    "json_schema",
    "markdown_table",
    "parse",
    "to_infotext",
    "with_drawn_seed",
]
