"""Drawn letterforms: every style has every character, each another shape, the same each time."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from openplate.text import ALPHABET
from openplate_training.fonts import DRAWN_VARIANTS, drawn_families, glyph
from openplate_training.layouts import LAYOUTS
from openplate_training.letterforms import CAP_HEIGHT, STYLES, DrawnFont, draw

CONFUSED = ("OQ", "0D", "8B", "5S", "2Z", "6G", "MW", "MN", "HN", "UV", "CG", "KX", "17", "39")


def fitted(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(mask, (48, 64), interpolation=cv2.INTER_AREA), np.float32) / 255


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("variant", [0, 5])
def test_every_character_is_drawn_in_its_cell(style: str, variant: int) -> None:
    for character in ALPHABET:
        mask = draw(DrawnFont(style, variant), character)
        assert mask.dtype == np.uint8
        assert 0.85 * CAP_HEIGHT <= mask.shape[0] <= CAP_HEIGHT
        assert 0.1 * CAP_HEIGHT <= mask.shape[1] <= 1.25 * CAP_HEIGHT
        assert 0.1 < (mask > 128).mean() <= 1.0
        assert mask[0].max() > 16 and mask[-1].max() > 16  # noqa: PT018


@pytest.mark.parametrize("style", STYLES)
def test_characters_that_readers_confuse_differ(style: str) -> None:
    twins = {frozenset(pair) for group in STYLES[style].twins for pair in combinations(group, 2)}
    for first, second in CONFUSED:
        if frozenset((first, second)) not in twins:
            a, b = (draw(DrawnFont(style), character) for character in (first, second))
            differs = np.abs(fitted(a) - fitted(b)).mean() > 0.02 or abs(a.shape[1] - b.shape[1]) > 0.03 * CAP_HEIGHT
            assert differs, first + second


@pytest.mark.parametrize("style", STYLES)
def test_no_two_characters_are_alike(style: str) -> None:
    twins = {frozenset(pair) for group in (*STYLES[style].twins, "1I", "0O") for pair in combinations(group, 2)}
    masks = {character: draw(DrawnFont(style), character) for character in ALPHABET}
    for first, second in combinations(ALPHABET, 2):
        same = masks[first].shape == masks[second].shape and np.array_equal(masks[first], masks[second])
        assert not same or frozenset((first, second)) in twins


def test_a_variant_is_the_same_each_time_and_another_than_the_next() -> None:
    one, again, next_one = (draw(DrawnFont("din", variant), "R") for variant in (3, 3, 4))
    assert np.array_equal(one, again)
    assert one.shape != next_one.shape or not np.array_equal(one, next_one)


def test_impossible_fonts_and_characters_are_refused() -> None:
    with pytest.raises(ValueError, match="no style 'comic'; there are: fe, din"):
        DrawnFont("comic")
    with pytest.raises(ValueError, match="negative"):
        DrawnFont("fe", -1)
    with pytest.raises(ValueError, match="A-Z and 0-9"):
        draw(DrawnFont("fe"), "ß")


def test_drawn_letters_are_fonts_like_others() -> None:
    families = drawn_families()
    assert all(len(family) == DRAWN_VARIANTS for family in families.values())
    drawn = glyph(families["fe"][0], "H")
    assert drawn.rise == drawn.mask.shape[0]


def test_layouts_name_styles_that_there_are() -> None:
    assert {style for layout in LAYOUTS for style in layout.styles} <= set(STYLES)
