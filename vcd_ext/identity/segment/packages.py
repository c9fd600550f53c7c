"""The networks' own packages: pure Python, Apache 2.0, imported when first used.

What they list as their dependencies would move the WebUI's pins, so they are installed without: `pip install
--no-deps`. Their networks need only what the WebUI has (torch, torchvision, transformers, timm).
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

REQUIREMENTS = {"groundingdino": "rf-groundingdino==0.3.0", "segment_anything": "segment-anything==1.0"}

# What the networks import without using it, and what they import from it: configuration files and drawing, which need
# addict, yapf, matplotlib and pycocotools.
_UNUSED = {"groundingdino.util.slconfig": "SLConfig", "groundingdino.util.visualizer": "COCOVisualizer"}


def missing_packages() -> list[str]:
    """Return the requirements of Grounding DINO and SAM that are missing, for example "segment-anything==1.0"."""
    return [requirement for name, requirement in REQUIREMENTS.items() if importlib.util.find_spec(name) is None]


def imported(module: str) -> ModuleType:
    """Import a module of one of the packages; ValueError with the command that installs it if it is not there."""
    package = module.split(".")[0]
    if importlib.util.find_spec(package) is None:
        raise ValueError(
            "Masks by Grounding DINO and SAM need a package that is not installed; run 'pip install --no-deps "
            f"{REQUIREMENTS[package]}' and start again."
        )
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        with _without_unused():
            return importlib.import_module(module)


@contextmanager
def _without_unused() -> Iterator[None]:
    """Put empty modules in the unused ones' places within this context."""
    absent = [name for name in _UNUSED if name not in sys.modules]
    for name in absent:
        sys.modules[name] = ModuleType(name)
        setattr(sys.modules[name], _UNUSED[name], None)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
