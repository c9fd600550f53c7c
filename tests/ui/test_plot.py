"""The drawing of the loss, read as a browser reads it."""

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

import pytest

from vcd_ext.ui.plot import HEIGHT, LEFT, RIGHT, TOP, WIDTH, loss_plot

LOSSES = [(step, 0.2 + 0.1 * math.cos(step)) for step in range(1, 61)]


def lines(svg: str) -> dict[str, list[tuple[float, float]]]:
    """Return the points of each line, by its class; fails if the SVG is not well-formed."""
    root = ElementTree.fromstring(svg[: svg.index("</svg>") + 6])
    return {
        line.attrib["class"]: [(float(x), float(y)) for x, y in (p.split(",") for p in line.attrib["points"].split())]
        for line in root.iter("polyline")
    }


def test_every_step_is_where_it_belongs() -> None:
    drawn = lines(loss_plot(LOSSES, [(0, 0.3), (25, 0.2)], 100))
    each = drawn["vcd-each"]
    assert len(each) == 60
    assert each[0][0] == pytest.approx(LEFT + (WIDTH - LEFT - RIGHT) / 100, abs=0.1)
    assert each[-1][0] == pytest.approx(LEFT + (WIDTH - LEFT - RIGHT) * 0.6, abs=0.1)
    highest = min(range(60), key=lambda i: each[i][1])
    assert LOSSES[highest][1] == max(loss for _, loss in LOSSES)
    assert [x for x, _ in drawn["vcd-validation"]] == pytest.approx([LEFT, LEFT + (WIDTH - LEFT - RIGHT) / 4], abs=0.1)


def test_the_average_is_calmer() -> None:
    drawn = lines(loss_plot(LOSSES, [], 60))

    def spread(name: str) -> float:
        heights = [y for _, y in drawn[name][20:]]
        return max(heights) - min(heights)

    assert spread("vcd-average") < 0.3 * spread("vcd-each")


@pytest.mark.parametrize(
    ("losses", "validation"),
    [([], []), ([(1, 0.5)], []), ([], [(0, 0.5)]), ([(1, 0.2), (2, 0.2)], []), ([(1, 1e-9)], [(0, 1e9)])],
)
def test_few_and_odd_values_stay_in_the_picture(
    losses: Sequence[tuple[int, float]], validation: Sequence[tuple[int, float]]
) -> None:
    svg = loss_plot(losses, validation, 2)
    assert "nan" not in svg
    for points in lines(svg).values():
        assert all(0 <= x <= WIDTH and TOP - 1 <= y <= HEIGHT for x, y in points)


def test_steps_that_were_skipped_are_left_out() -> None:
    svg = loss_plot([(1, 0.5), (2, math.nan), (3, 0.4)], [(0, math.inf)], 3)
    assert len(lines(svg)["vcd-each"]) == 2
    assert "nan" not in svg
    assert "inf" not in svg


def test_a_long_training_is_drawn_with_few_points() -> None:
    svg = loss_plot([(step, math.sin(step)) for step in range(1, 100_001)], [], 100_000)
    assert len(lines(svg)["vcd-each"]) <= 300
    assert len(svg) < 20_000


def test_axes_have_round_numbers() -> None:
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", loss_plot(LOSSES, [], 200))
    assert texts[-5:] == ["0", "50", "100", "150", "200"]
    assert {"0.1", "0.2", "0.3"} <= set(texts)
