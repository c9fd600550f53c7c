"""The values of the section VCD as a request brings them: the page's controls by their names, or the API's dict."""

from collections.abc import Mapping, Sequence
from typing import Any

from vcd_ext.settings import SettingError
from vcd_ext.ui.form import USUAL


def by_name(names: Sequence[str], args: Sequence[Any]) -> dict[str, Any]:
    """Return the values that came, by setting.

    names: the settings that the section has controls for, in the order of its controls. args: what came for them; the
    first may be a dict of all, from the API. SettingError for another number of values than there are controls.
    """
    if args and isinstance(args[0], Mapping):
        return dict(args[0])
    if len(args) != len(names):
        raise SettingError(
            "args", f"The section VCD has {len(names)} controls, and {len(args)} values came for them; reload the page."
        )
    values = {name: value for name, value in zip(names, args, strict=True) if value is not None}  # emptied: the default
    if values.get("tiled_upscaler") == USUAL:
        values["tiled_upscaler"] = ""
    dropped = values.get("video")
    values["video"] = getattr(dropped, "name", dropped) or ""  # the page gives an open file
    return values
