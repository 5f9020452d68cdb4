"""A line of a rendered plate as a mask: characters, separators and gaps, bolts between them, ink that is gone."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from openplate_training import augment
from openplate_training.augment import Random, chance
from openplate_training.fonts import Font, Glyph, Mask, glyph


def _mark(character: str, height: int, baseline: int, cap: int, random: Random) -> Mask:
    """A separator as a mask of the line's height; a space is now and then a wide one."""
    space = random.uniform(0.5, 1.3) if chance(random, 0.2) else 0.35
    width = int(cap * (space if character == " " else random.uniform(0.25, 0.4)))
    mask = np.zeros((height, width), np.uint8)
    if character == "-":
        middle, half = baseline - cap // 2, max(2, int(cap * 0.05))
        mask[middle - half : middle + half + 1, 2:-2] = 255
    elif character != " ":
        rows = {".": (baseline - 4,), ":": (baseline - cap // 3, baseline - 2 * cap // 3)}
        for row in rows.get(character, (baseline - cap // 2,)):
            cv2.circle(mask, (width // 2, row), max(3, int(cap * 0.07)), 255, -1)
    return mask


def ticked_q(font: Font, random: Random) -> Glyph:
    """Q as many countries' plates have it: an O with a short tick in its lower right or (Brazil's) upright in the
    middle of its foot, inside or across.
    """
    drawn = glyph(font, "O")
    mask = drawn.mask.copy()
    height, width = mask.shape
    stroke = max(3, int(height * random.uniform(0.07, 0.15)))
    reach = height * random.uniform(0.1, 0.24)
    is_upright = chance(random, 0.5)
    x = width * (random.uniform(0.46, 0.62) if is_upright else random.uniform(0.6, 0.82))
    y = height * random.uniform(0.7, 0.86)
    lean = random.uniform(-0.15, 0.2) if is_upright else random.uniform(0.3, 1.0)
    start, end = (int(x - reach * lean), int(y - reach)), (int(x + reach * lean), int(min(y + reach, height - 1)))
    cv2.line(mask, start, end, 255, stroke, cv2.LINE_AA)
    return Glyph(mask, drawn.rise)


def _bolt_between(mask: Mask, edges: Sequence[int], baseline: int, cap: int, random: Random) -> None:
    """Heads of bolts at the edges of a few characters, clear of them or touching: they are not to be read."""
    radius = max(2, int(cap * random.uniform(0.06, 0.2)))
    for _ in range(random.integers(1, 4)):
        x = int(random.choice(edges)) + int(radius * random.uniform(-1.3, 0.6))
        y = baseline - int(cap * np.clip(random.normal(0.5, 0.12), 0.2, 0.8))
        cv2.circle(mask, (x, y), radius, 255, -1, cv2.LINE_AA)


def line_mask(font: Font, text: str, spacing: float, random: Random, bolts: float = 0.0, is_even: bool = False) -> Mask:
    """A line of text, cut to its ink.

    Args:
        font: what it is set in.
        text: the characters and the marks between them.
        spacing: between characters, as a share of their height.
        random: for marks and bolts.
        bolts: how often it is bolted on through its gaps (0 to 1).
        is_even: whether narrow characters have as much room as others (it is cut to that room then).
    """
    usual = glyph(font, "H")
    cap, room = usual.rise, usual.mask.shape[1] if is_even else 0
    height, baseline = int(cap * 1.3) + 4, int(cap * 1.1) + 2
    gap = int(spacing * cap)
    parts: list[Mask] = []
    edges: list[int] = []  # where characters begin; those after a gap, where bolts are likelier, several times
    for before, character in zip(" " + text, text, strict=False):
        if not character.isalnum():
            parts.append(_mark(character, height, baseline, cap, random))
            continue
        drawn = ticked_q(font, random) if character == "Q" and chance(random, 0.5) else glyph(font, character)
        ink_height, ink_width = drawn.mask.shape
        cell = np.zeros((height, max(ink_width, room) + gap), np.uint8)
        top = int(np.clip(baseline - drawn.rise, 0, max(0, height - ink_height)))
        left = (cell.shape[1] - ink_width) // 2
        cell[top : top + ink_height, left : left + ink_width] = drawn.mask[: height - top]
        edge = sum(part.shape[1] for part in parts) + left
        edges += [edge] * (1 if before.isalnum() else 4)
        parts.append(cell)
    mask = np.hstack(parts)
    if chance(random, bolts):
        _bolt_between(mask, edges, baseline, cap, random)
    rows, columns = np.flatnonzero(mask.max(1) > 40), np.flatnonzero(mask.max(0) > 40)
    if is_even:
        columns = np.arange(gap // 2, mask.shape[1] - gap // 2)
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def faded(mask: Mask, random: Random) -> Mask:
    """Letters with some of their ink gone, in patches."""
    left = 1 - random.uniform(0.05, 0.3) * (1 + augment.patches(mask.shape, random))
    return augment.as_pixels((mask * np.clip(left, 0.3, 1)).astype(np.uint8))
