"""Make settings options of the command line."""

import argparse
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from vcd_ext.settings.setting import default, describe


def add_arguments(
    parser: argparse.ArgumentParser, cls: type, skip: tuple[str, ...] = (), unset: Mapping[str, str] | None = None
) -> None:
    """Add one option for each setting of `cls`: --cfg-scale for cfg_scale, and so on.

    unset: settings that are None if nobody gives them, with what that means, for the help.
    """
    types = get_type_hints(cls)
    for name, setting in describe(cls).items():
        if name in skip:
            continue
        kind, option = types[name], f"--{name.replace('_', '-')}"
        shared: dict[str, Any] = {
            "default": default(cls, name),
            "help": f"{setting.help} (default: %(default)s)",
        }
        shared["help"] = shared["help"].replace("%", "%%").replace("%%(default)s", "%(default)s")
        if unset and name in unset:
            shared |= {"default": None, "help": f"{setting.help} (default: {unset[name]})"}
        if kind is bool:
            parser.add_argument(option, action=argparse.BooleanOptionalAction, **shared)
        elif get_origin(kind) is tuple:
            parser.add_argument(option, nargs="*", type=get_args(kind)[0], choices=setting.choices, **shared)
        else:
            parser.add_argument(option, type=kind, choices=setting.choices, **shared)
