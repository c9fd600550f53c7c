"""Light, and the stage that scenes are painted on: a wide sheet of the world behind the subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .canvas import DETAIL, UNITS, Canvas, Colour
from .palette import mix, scaled

REACH = (-150.0, 278.0)  # x in units between which the world has things; the camera stays well inside


@dataclass(frozen=True)
class Light:
    """`tint` multiplies what the light falls on; the sky and lamps have their own colours."""

    name: str
    sky_top: Colour
    sky_low: Colour
    outside: tuple[float, float, float]
    inside: tuple[float, float, float]


LIGHTS: dict[str, Light] = {
    "day": Light("day", (104, 178, 238), (212, 238, 252), (1.0, 1.0, 1.0), (1.0, 1.0, 0.99)),
    "sunset": Light("sunset", (104, 88, 164), (255, 176, 104), (1.0, 0.83, 0.72), (1.0, 0.88, 0.76)),
    "night": Light("night", (20, 24, 62), (62, 74, 132), (0.52, 0.56, 0.78), (0.80, 0.70, 0.62)),
}


class Stage:
    """A sheet, a light and a source of chance; every scene asks the source in the same order, whatever is visible."""

    def __init__(self, left: float, width: int, light: Light, seed: int, indoors: bool, detail: float = DETAIL) -> None:
        """Make a sheet that shows x from `left` to `left + width` (units) and y from 0 to 128."""
        self.canvas = Canvas(width, left, detail)
        self.left, self.right = left, left + width
        self.light = light
        self.tint = light.inside if indoors else light.outside
        self.rng = np.random.default_rng([seed, 77])

    def lit(self, colour: Colour) -> Colour:
        """Return the colour under this light."""
        return scaled(colour, self.tint)

    def place(self, low: float, high: float) -> float:
        """Draw a random number between two."""
        return float(low + (high - low) * self.rng.random())

    def gradient(self, y0: float, y1: float, top: Colour, low: Colour) -> None:
        """Fill the rows from `y0` to `y1`, from one colour to another, as they are."""
        first, last = round(y0 * self.canvas.detail), round(y1 * self.canvas.detail)
        ramp = np.rint(np.linspace((*top, 255), (*low, 255), max(last - first, 1))).astype(np.uint8)
        self.canvas.pixels.view(np.uint32)[first:last, :, 0] = ramp.view(np.uint32)

    def sky(self, horizon: float) -> None:
        """Draw the sky with what stands in it: clouds, the sun going down, or moon and stars."""
        light = self.light
        self.gradient(0, horizon, light.sky_top, light.sky_low)
        self.gradient(horizon, UNITS, light.sky_low, light.sky_low)
        x = self.place(18, 110)
        spots = [(self.place(*REACH), self.place(4, 0.55 * horizon), self.place(0.75, 1.35)) for _ in range(12)]
        if light.name == "night":
            for sx, sy, size in spots:
                self.canvas.ellipse(complex(sx, sy), 1.0 * size, 1.0 * size, (226, 226, 240))
            self.canvas.ellipse(complex(x, 19), 8.5, 8.5, (248, 242, 214))
            self.canvas.ellipse(complex(x - 3.4, 17.4), 7.0, 7.0, mix(light.sky_top, light.sky_low, 0.2))
            return
        if light.name == "sunset":
            for radius, share in ((21, 0.3), (15.5, 0.55), (11, 1.0)):
                behind = mix(light.sky_top, light.sky_low, (horizon - 11) / horizon)
                self.canvas.ellipse(complex(x, horizon - 9), radius, radius, mix(behind, (255, 228, 150), share))
        for cx, cy, size in spots[:4]:
            self._cloud(cx, cy + 3, size)

    def _cloud(self, x: float, y: float, size: float) -> None:
        white = (255, 255, 255) if self.light.name == "day" else (250, 178, 150)
        colour = mix(white, self.light.sky_low, 0.25)
        for dx, dy, r in ((-10, 1.5, 5), (-3, -1.5, 7), (5, -0.5, 6), (11, 2, 4)):
            self.canvas.ellipse(complex(x + dx * size, y + dy * size), r * 1.25 * size, r * 0.8 * size, colour)

    def hills(self, base: float, height: float, wave: float, colour: Colour, floor: float = UNITS) -> None:
        """Draw a rolling ridge around y = `base`, filled down to `floor`."""
        phase, second = self.place(0, 6.28), self.place(0, 6.28)
        x = np.arange(self.left // 4 * 4 - 4, self.right + 8, 4.0)
        y = base - height * (0.65 * np.sin(x / wave + phase) + 0.35 * np.sin(2.3 * x / wave + second))
        ridge = np.concatenate([x + 1j * y, [complex(x[-1], floor), complex(x[0], floor)]])
        self.canvas.polygon(ridge, self.lit(colour))

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Draw a rectangle from its upper left corner."""
        corners = [complex(x, y), complex(x + width, y), complex(x + width, y + height), complex(x, y + height)]
        self.canvas.polygon(corners, colour, convex=True)

    def row(self, gap: float, jitter: float, paint: Callable[[float, float], object], half: float = 12.0) -> None:
        """Call `paint(x, chance)` every `gap` pixels or so, wherever a thing of half width `half` is seen."""
        for x in np.arange(REACH[0], REACH[1], gap):
            at, chance = float(x) + self.place(-jitter, jitter), self.place(0, 1)
            if self.sees(at - half, at + half):
                paint(at, chance)

    def sees(self, x0: float, x1: float) -> bool:
        """Whether something from `x0` to `x1` can be on the sheet."""
        return x1 > self.left - 2 and x0 < self.right + 2
