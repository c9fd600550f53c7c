"""Read the tables of a protocol: prompts by category, methods, measures; PlanError for what cannot be meant."""

from collections.abc import Mapping, Sequence
from typing import Any

import vcd_ext.metrics.measures  # noqa: F401 - registers them
from vcd_ext.batch.recipe import slug
from vcd_ext.batch.toml_file import PlanError, check_known_keys, table_of, tables, texts
from vcd_ext.metrics.registry import find_measure

METHOD = ("label", "identity", "embedding", "train", "video", "note", "words", "lora", "unet", "checkpoint", "baseline")
OUTSIDE = ("embedding", "lora", "unet", "checkpoint")  # a file for each subject, made by whatever


def prompts_of(whole: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the prompts of each category of subjects."""
    table = table_of(whole, "prompts", "the protocol")
    if not table:
        raise PlanError('The protocol has no prompts; add [prompts] with a list for each category of subjects, or "".')
    return {category: texts(table, category, "[prompts]") for category in table}


def prompts_for(name: str, category: str, prompts: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return the prompts of a subject, by its name and category."""
    if category not in prompts:
        raise PlanError(
            f"The subject {name} is of the category {category!r}, for which [prompts] has no list; there are "
            f"{', '.join(prompts)}."
        )
    return prompts[category]


def methods_of(whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the methods' tables, each with a label of its own."""
    found = tables(whole, "methods", "the protocol")
    if not found:
        raise PlanError("The protocol has no methods; add [[methods]] with a label each.")
    seen = set[str]()
    for number, method in enumerate(found, 1):
        label = method.get("label")
        if not isinstance(label, str) or not label:
            raise PlanError(f"Method {number} has no label; give each a name of its own.")
        check_known_keys(method, METHOD, f"method {label}")
        if slug(label).lower() in seen:
            raise PlanError(f"Two outputs have one name: two methods are called {label}.")
        seen.add(slug(label).lower())
        for key in OUTSIDE:
            if key in method and "{name}" not in str(method[key]):
                raise PlanError(f"{key} of method {label} has no {{name}} in it, which stands for the subject's name.")
    return found


def measures_of(whole: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the measures, which are known."""
    names = texts(whole, "measures", "the protocol")
    if not names:
        raise PlanError('The protocol has no measures; add a line such as measures = ["clip_i", "flow"].')
    for name in names:
        try:
            find_measure(name)
        except ValueError as error:
            raise PlanError(str(error)) from error
    return tuple(dict.fromkeys(names))
