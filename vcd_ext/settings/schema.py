"""Describe settings as JSON Schema, for the API's description."""

from typing import Any, get_origin, get_type_hints

from vcd_ext.settings.setting import Setting, default, describe

TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def json_schema(cls: type) -> dict[str, Any]:
    """Return the settings as the JSON Schema of an object, each with its help, default and range."""
    types = get_type_hints(cls)
    properties = {name: _property(types[name], setting, default(cls, name)) for name, setting in describe(cls).items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _property(kind: Any, setting: Setting, usual: Any) -> dict[str, Any]:
    choices = {"enum": list(setting.choices)} if setting.choices else {}
    if get_origin(kind) is tuple:
        shape: dict[str, Any] = {"type": "array", "items": {"type": "string", **choices}}
        usual = list(usual)
    else:
        shape = {"type": TYPES[kind], **choices}
    limits = {"minimum": setting.minimum, "maximum": setting.maximum}
    told = {"title": setting.label, "description": setting.help, "default": usual}
    return shape | told | {name: value for name, value in limits.items() if value is not None}
