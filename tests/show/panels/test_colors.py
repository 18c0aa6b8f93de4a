"""Colours that mean something differ for everybody, on a light and on a dark background.

Colour vision is simulated with the matrices of Machado, Oliveira and Fernandes, "A
Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), of full severity.
Differences are CIE 1976, contrasts those of WCAG 2.
"""

from __future__ import annotations

from itertools import combinations

import pytest

from k8sidx.show.panels.colors import COLORS

Numbers = tuple[float, float, float]
VISION: dict[str, tuple[Numbers, Numbers, Numbers]] = {
    "common": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
BACKGROUNDS = {"light": "#FFFFFF", "dark": "#1D1E24"}
"""Of both products' themes."""
JUST_DIFFERENT = 2.3
SEEN_AT_A_GLANCE = 8 * JUST_DIFFERENT


def linear(color: str) -> Numbers:
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))

    def one(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return one(red), one(green), one(blue)


def seen(color: str, vision: str) -> Numbers:
    values = [
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear(color), strict=True))))
        for row in VISION[vision]
    ]
    return values[0], values[1], values[2]


def lab(color: Numbers) -> Numbers:
    red, green, blue = color

    def root(value: float) -> float:
        return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116

    x = root((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047)
    y = root(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    z = root((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def luminance(color: str) -> float:
    red, green, blue = linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("field", COLORS)
@pytest.mark.parametrize("vision", VISION)
def test_the_colours_of_a_field_differ(field: str, vision: str) -> None:
    for one, other in combinations(sorted(set(COLORS[field].values())), 2):
        pairs = zip(lab(seen(one, vision)), lab(seen(other, vision)), strict=True)
        assert sum((a - b) ** 2 for a, b in pairs) ** 0.5 > SEEN_AT_A_GLANCE, (one, other)


@pytest.mark.parametrize("theme", BACKGROUNDS)
def test_a_colour_stands_out_from_the_background(theme: str) -> None:
    for colors in COLORS.values():
        for color in colors.values():
            assert contrast(color, BACKGROUNDS[theme]) > 1.8, color


def test_a_colour_has_one_meaning() -> None:
    outcomes, decisions = (
        COLORS["event.outcome"],
        COLORS["annotations.authorization.k8s.io/decision"],
    )
    codes = COLORS["responseStatus.code"]
    assert outcomes["success"] == decisions["allow"] == codes["200"]
    assert outcomes["failure"] == decisions["forbid"] == codes["403"]
    assert codes["500"] not in (codes["403"], codes["200"])
