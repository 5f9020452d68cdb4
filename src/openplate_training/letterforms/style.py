"""A style of lettering: its measures and the skeletons of its characters, and how one die differs from another."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from openplate_training.letterforms.skeletons import SKELETONS, WIDTHS


@dataclass(frozen=True)
class Style:
    """One lettering; lengths in heights of a capital.

    Attributes:
        name: as it is asked for.
        width: ink width of an ordinary character.
        stroke: width of upright strokes.
        bowl: reach of rounded corners along horizontal and along vertical lines.
        contrast: thickness of horizontal strokes against upright ones.
        fullness: how square curves are: 0.71 for ellipses, more for squarer.
        is_round: whether strokes end round, not cut flat.
        softness: how far corners are worn round.
        slit: width of the cuts that tell characters apart.
        slant: shift of the top to the right.
        waist: height of the middle, from the top.
        widths: of characters, against ``width``.
        skeletons: of characters that differ from the common ones; of several, each die has one.
        twins: groups of characters that look the same on these plates.
    """

    name: str
    width: float
    stroke: float
    bowl: tuple[float, float]
    contrast: float = 1.0
    fullness: float = 0.71
    is_round: bool = False
    softness: float = 0.012
    slit: float = 0.045
    slant: float = 0.0
    waist: float = 0.5
    widths: Mapping[str, float] = field(default_factory=dict)
    skeletons: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    twins: tuple[str, ...] = ()

    def width_of(self, character: str) -> float:
        """Ink width of a character, never less than its stroke."""
        share = self.widths.get(character, WIDTHS.get(character, 1.0))
        return max(self.width * share, self.stroke)

    def chosen(self, character: str, choice: int) -> str:
        """Skeleton number ``choice`` of a character's, counted round."""
        skeleton = self.skeletons.get(character, SKELETONS[character])
        return skeleton if isinstance(skeleton, str) else skeleton[choice % len(skeleton)]


@dataclass(frozen=True)
class Die:
    """A style as one maker cuts it, with one skeleton for each character."""

    style: Style
    skeletons: Mapping[str, str]


def cut_die(style: Style, variant: int) -> Die:
    """Variant 0 is the style as described, every other one differs from it a little, the same each time."""
    if variant == 0:
        return Die(style, {c: style.chosen(c, 0) for c in SKELETONS})
    random = np.random.default_rng((zlib.crc32(style.name.encode()), variant))
    roundness = random.uniform(0.75, 1.15)
    cut = replace(
        style,
        width=style.width * random.uniform(0.88, 1.12),
        stroke=style.stroke * random.uniform(0.82, 1.18),
        bowl=(style.bowl[0] * roundness, style.bowl[1] * roundness),
        contrast=style.contrast * random.uniform(0.9, 1.06),
        fullness=style.fullness * random.uniform(0.93, 1.15),
        is_round=style.is_round != (random.random() < 0.12),
        softness=style.softness * random.uniform(0.5, 2.2),
        slit=style.slit * random.uniform(0.7, 1.3),
        slant=style.slant + (random.normal(0, 0.015) if random.random() < 0.4 else 0.0),
        waist=style.waist + random.normal(0, 0.012),
    )
    return Die(cut, {c: style.chosen(c, int(random.integers(1000))) for c in SKELETONS})
