"""What an individual looks like, in words: "a tan, black-spotted, floppy-eared dog".

Captions of real pictures often say such things, and a model that never read any would have no words, and no vectors
between its words, for what tells one dog from another.
"""

from __future__ import annotations

import numpy as np

from .canvas import Colour
from .identity import Animal, Identity, Person

COLOURS: dict[str, Colour] = {
    "white": (244, 240, 230), "cream": (236, 212, 172), "silver": (190, 186, 184), "grey": (140, 140, 148),
    "slate": (84, 92, 108), "black": (46, 40, 44), "tan": (214, 164, 104), "copper": (200, 120, 64),
    "chestnut": (160, 86, 50), "brown": (112, 76, 54), "gold": (244, 200, 92), "orange": (240, 136, 72),
    "red": (206, 62, 62), "crimson": (168, 48, 84), "pink": (226, 122, 166), "purple": (144, 90, 176),
    "violet": (104, 84, 172), "navy": (48, 66, 124), "blue": (60, 116, 192), "sky": (96, 182, 222),
    "ice": (206, 226, 240), "teal": (56, 150, 150), "green": (84, 156, 86), "forest": (42, 112, 88),
    "lime": (186, 198, 78), "olive": (104, 108, 72), "petrol": (36, 96, 120),
}  # fmt: skip
SKINS: dict[str, Colour] = {
    "pale": (253, 222, 196), "fair": (236, 192, 154), "tanned": (208, 154, 112), "dusky": (170, 116, 78),
    "dark": (128, 84, 58), "deep": (92, 62, 46),
}  # fmt: skip
MARKS = {
    "patch": "patched", "saddle": "saddled", "spots": "spotted", "socks": "socked", "blaze": "blazed",
    "tabby": "striped", "tuxedo": "bibbed", "calico": "blotched", "points": "masked",
}  # fmt: skip
PATTERNS = {
    "plain": "plain", "stripes": "striped", "yoke": "yoked", "dots": "dotted", "jacket": "jacketed", "star": "starred",
    "sash": "sashed",
}  # fmt: skip
MENTIONED, KEPT = 0.5, 0.75  # share of captions that describe, and of the traits that those name


def nearest(colour: Colour, names: dict[str, Colour] = COLOURS) -> str:
    """Return the name of the nearest colour of a table."""
    return min(names, key=lambda name: sum((a - b) ** 2 for a, b in zip(colour, names[name], strict=True)))


def traits(who: Identity) -> list[str]:
    """Every trait that has words, as an adjective."""
    return _person(who) if isinstance(who, Person) else _animal(who)


def described(who: Identity, rng: np.random.Generator) -> str:
    """Return the subject of a caption: "a dog", or "a tan, floppy-eared dog" with some of its traits."""
    if rng.random() > MENTIONED:
        return f"a {who.kind}"
    kept = [trait for trait in traits(who) if rng.random() < KEPT]
    return f"a {', '.join(kept)} {who.kind}" if kept else f"a {who.kind}"


def words() -> set[str]:
    """Every word that a description may have."""
    fixed = "eared tailed collared scarfed capped bald bearded glasses freckled tall short sturdy slim haired shirted"
    styles = (
        "cropped swooped curly spiky quiffed long bobbed bunned ponytailed bunched curled plumed whip floppy pointed"
    )
    rest = "skinned folded hatted beanie straw moustached goateed trousers shorts dress skirt shod bandana eyed"
    return {*COLOURS, *SKINS, *MARKS.values(), *PATTERNS.values(), *fixed.split(), *styles.split(), *rest.split()}


def _animal(who: Animal) -> list[str]:
    found = [nearest(who.fur)]
    if who.marking != "plain":
        found.append(f"{nearest(who.second)}-{MARKS[who.marking]}")
    if who.kind == "dog":
        found.append(f"{who.ears}-eared")
    tail = {"curled": "curled", "plume": "plumed", "whip": "whip"}[who.tail]
    found += [f"{tail}-tailed", f"{nearest(who.eyes)}-eyed"]
    if who.collar is not None:
        found.append(f"{nearest(who.collar)}-{'bandana' if who.bandana else 'collared'}")
    return found + _size(who.height, (0.93, 1.05)) + _build(who.girth, (0.94, 1.08))


def _person(who: Person) -> list[str]:
    styles = {
        "crop": "cropped", "swoop": "swooped", "curls": "curly", "spikes": "spiky", "quiff": "quiffed", "long": "long",
        "bob": "bobbed", "bun": "bunned", "ponytail": "ponytailed", "bunches": "bunched",
    }  # fmt: skip
    beards = {"full": "bearded", "moustache": "moustached", "goatee": "goateed"}
    hats = {"cap": "capped", "beanie": "beanie", "straw": "straw"}
    found = [f"{nearest(who.skin, SKINS)}-skinned"]
    if who.style == "bald":
        found.append("bald")
    else:
        found += [f"{nearest(who.hair)}-haired", styles[who.style]]
    if who.beard in beards:
        found.append(beards[who.beard])
    if who.hat != "none":
        found.append(f"{nearest(who.hat_colour)}-{hats[who.hat]}")
    if who.glasses is not None:
        found.append(f"{nearest(who.glasses)}-glasses")
    if who.freckles:
        found.append("freckled")
    found.append(f"{nearest(who.top)}-shirted")
    if who.pattern != "plain":
        found.append(f"{nearest(who.accent)}-{PATTERNS[who.pattern]}")
    found += [f"{nearest(who.bottom_colour)}-{who.bottom}", f"{nearest(who.shoes)}-shod"]
    if who.scarf is not None:
        found.append(f"{nearest(who.scarf)}-scarfed")
    return found + _build(who.girth, (0.97, 1.1))


def _size(value: float, limits: tuple[float, float]) -> list[str]:
    return ["short"] if value < limits[0] else ["tall"] if value > limits[1] else []


def _build(value: float, limits: tuple[float, float]) -> list[str]:
    return ["slim"] if value < limits[0] else ["sturdy"] if value > limits[1] else []
