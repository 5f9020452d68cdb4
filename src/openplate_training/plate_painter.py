"""Paints licence plates as their countries lay them out, seen from straight ahead: any number, each another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from openplate_training import augment
from openplate_training.augment import Random, chance
from openplate_training.data import Pixels
from openplate_training.fonts import Font, Mask, drawn_families
from openplate_training.layouts import BAND_LETTERS, BAND_WORDS, LAYOUTS, SMALL_WORDS, WHITE, Layout
from openplate_training.letterforms import DrawnFont
from openplate_training.lettering import faded, line_mask
from openplate_training.plate_texts import pick_part, pick_text, read_text

Floats = npt.NDArray[np.float32]
PLATE_WIDTH = 340
BOLTED = 0.22  # share of lines with bolts between their characters


@dataclass(frozen=True)
class RenderedPlate:
    """A plate seen from straight ahead, nothing around it: pixels (h, PLATE_WIDTH, 3) RGB."""

    pixels: Pixels
    text: str
    region: str | None
    lines: int


@dataclass(frozen=True)
class Inks:
    """What a plate is printed with; ``title`` is the name of the part of the country."""

    ground: Floats
    ink: Floats
    font: Font
    title: str | None


@dataclass(frozen=True)
class Lettering:
    """How a text is set; ``is_even`` where narrow characters have as much room as others."""

    font: Font
    ink: Floats
    is_even: bool


@dataclass(frozen=True)
class Frame:
    """A rectangle to draw into (pixels)."""

    left: float
    top: float
    right: float
    bottom: float


class PlatePainter:
    """Draws plates with the fonts that are there; of ``regions`` only, where these are named."""

    def __init__(self, families: Sequence[Sequence[Font]], regions: Sequence[str] = ()) -> None:
        self.drawn = drawn_families()
        self.families: list[Sequence[Font]] = [*families, *self.drawn.values()]
        weights = np.array([layout.weight * (not regions or layout.region in regions) for layout in LAYOUTS])
        self._chances = weights / weights.sum()

    def draw(self, random: Random) -> RenderedPlate:
        """One plate, new and clean or worn."""
        layout = LAYOUTS[int(random.choice(len(LAYOUTS), p=self._chances))]
        part = pick_part(layout, random)
        printed = pick_text(layout, random, part)
        lines = printed.split("|")
        aspect = random.uniform(*layout.aspects)
        if len(lines) > 1:
            aspect = min(aspect, random.uniform(1.15, 2.2))
        ground, ink = self._colors(layout, random)
        canvas = np.empty((int(PLATE_WIDTH / aspect), PLATE_WIDTH, 3), np.float32)
        canvas[:] = ground
        if layout.region == "us" and chance(random, 0.5):
            _paint_graphics(canvas, ground, random)
        rim = int(canvas.shape[0] * random.uniform(0.04, 0.14)) if chance(random, layout.rim) else 0
        title = part.name if part is not None and layout.parts == "name" else None
        small = self._font(random)
        frame = self._surroundings(canvas, layout, Inks(ground, ink, small, title), random)
        lettering = Lettering(self._style(layout, random), ink, chance(random, layout.even))
        self._text(canvas, lines, frame, lettering, random)
        if rim:
            corner = (PLATE_WIDTH - 1 - rim // 2, canvas.shape[0] - 1 - rim // 2)
            cv2.rectangle(canvas, (rim // 2, rim // 2), corner, random.uniform(190, 245, 3).tolist(), rim)
        _wear(canvas, ground, ink, random)
        pixels = np.clip(canvas, 0, 255).astype(np.uint8)
        region = part.code if part is not None and title else layout.region
        return RenderedPlate(pixels, read_text(printed), region, len(lines))

    def _style(self, layout: Layout, random: Random) -> Font:
        """Often what such plates have, else anything: readers meet more than anybody can name."""
        if not layout.styles or chance(random, 1 - layout.own_style):
            return self._font(random)
        family = self.drawn[layout.styles[random.integers(len(layout.styles))]]
        return family[int(random.integers(len(family)))]

    def _font(self, random: Random) -> Font:
        family = self.families[int(random.integers(len(self.families)))]
        return family[int(random.integers(len(family)))]

    @staticmethod
    def _colors(layout: Layout, random: Random) -> tuple[Floats, Floats]:
        ground, ink = (np.array(c, float) for c in layout.schemes[random.integers(len(layout.schemes))])
        if layout.parts == "name" and chance(random, 0.3):
            ground, ink = random.uniform(150, 255, 3), random.uniform(0, 130, 3)
        ground, ink = ground + random.normal(0, 12, 3), ink + random.normal(0, 15, 3)
        return np.clip(ground, 0, 255).astype(np.float32), np.clip(ink, 0, 255).astype(np.float32)

    def _surroundings(self, canvas: Floats, layout: Layout, inks: Inks, random: Random) -> Frame:
        """Bands and small words; returns what is left for the text."""
        height, width = canvas.shape[:2]
        left, right = width * random.uniform(0.03, 0.09), width * (1 - random.uniform(0.03, 0.09))
        top, bottom = height * random.uniform(0.08, 0.2), height * (1 - random.uniform(0.08, 0.2))
        if layout.band == "left" and chance(random, 0.8):
            cv2.rectangle(canvas, (0, 0), (int(width * 0.085), height), (30, 60, 170), -1)
            left = max(left, width * 0.1)
            letters = str(random.choice(BAND_LETTERS))
            _put_small(canvas, letters, Frame(2, height * 0.62, width * 0.08, height * 0.9), WHITE, inks.font, random)
        if layout.band == "top":
            cv2.rectangle(canvas, (0, 0), (width, int(height * 0.24)), (30, 50, 150), -1)
            place = Frame(width * 0.25, height * 0.05, width * 0.75, height * 0.19)
            _put_small(canvas, BAND_WORDS[layout.region or ""], place, WHITE, inks.font, random)
            top, bottom = height * random.uniform(0.28, 0.36), height * random.uniform(0.86, 0.95)
        faint = np.clip(inks.ground * 0.5, 0, 255).astype(np.float32)
        title_above = inks.title is not None and chance(random, 0.75)
        for is_above, share in ((True, layout.above), (False, layout.below)):
            is_title = inks.title is not None and is_above == title_above
            if not is_title and not chance(random, share):
                continue
            tall = height * (random.uniform(0.12, 0.22) if is_title else random.uniform(0.09, 0.2))
            middle = tall * 0.8 if is_above else height - tall * 0.8
            aside = width * (random.uniform(0.05, 0.25) if is_title else 0.2)
            place = Frame(aside, middle - tall * 0.45, width - aside, middle + tall * 0.45)
            color = inks.ink if chance(random, 0.55) else faint
            if is_title and chance(random, 0.3):
                color = random.uniform(0, 255, 3).astype(np.float32)
            words = SMALL_WORDS.get(layout.region or "", SMALL_WORDS[""])
            word = _cased(inks.title, random) if is_title and inks.title else str(random.choice(words))
            _put_small(canvas, word, place, color, inks.font, random)
            top, bottom = (max(top, tall * 1.45), bottom) if is_above else (top, min(bottom, height - tall * 1.4))
        return Frame(left, top, right, bottom)

    @staticmethod
    def _text(canvas: Floats, lines: Sequence[str], frame: Frame, lettering: Lettering, random: Random) -> None:
        spacing = random.uniform(0.04, 0.3)
        space = frame.bottom - frame.top
        gap = space * random.uniform(0.06, 0.14) if len(lines) > 1 else 0.0
        tall = (space - gap * (len(lines) - 1)) / len(lines)
        embossed, is_bold, is_faded = chance(random, 0.35), chance(random, 0.3), chance(random, 0.2)
        brush = np.ones(random.integers(2, 6, 2), np.uint8)
        for i, line in enumerate(lines):
            mask = line_mask(lettering.font, line, spacing, random, BOLTED, lettering.is_even)
            if is_bold:
                mask = augment.as_pixels(cv2.dilate(mask, brush))
            if is_faded:
                mask = faded(mask, random)
            room = frame.right - frame.left
            width = min(room, tall * mask.shape[1] / mask.shape[0] * random.uniform(0.75, 1.25))
            width = max(width, room * random.uniform(0.72, 1.0))
            left = frame.left + random.uniform(0, max(0.0, room - width) + 1)
            top = frame.top + i * (tall + gap)
            _stamp(canvas, mask, Frame(left, top, left + width, top + tall), lettering.ink, embossed, random)


def _cased(name: str, random: Random) -> str:
    return name.upper() if chance(random, 0.65) else name


def _stamp(canvas: Floats, mask: Mask, frame: Frame, color: Floats, embossed: bool, random: Random) -> None:
    """Inks a mask into a frame, stretched to it; embossed ink has a bright edge above and a dark one below."""
    width, height = int(frame.right - frame.left), int(frame.bottom - frame.top)
    if width < 4 or height < 4:
        return
    share = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255
    view = canvas[int(frame.top) : int(frame.top) + height, int(frame.left) : int(frame.left) + width]
    share = share[: view.shape[0], : view.shape[1]]
    if embossed:
        soft = cv2.GaussianBlur(share[..., 0], (0, 0), 1.6)
        view += ((np.roll(soft, 2, 0) - np.roll(soft, -2, 0)) * random.uniform(20, 70))[..., None]
    view[:] = view * (1 - share) + color * share


def _put_small(
    canvas: Floats, text: str, frame: Frame, color: Sequence[float] | Floats, font: Font, random: Random
) -> None:
    """A word in the middle of a frame, as large as it fits."""
    if isinstance(font, DrawnFont):
        text = text.upper()  # drawn letters are capitals only
    mask = line_mask(font, text, 0.02, random)
    scale = min((frame.right - frame.left) / mask.shape[1], (frame.bottom - frame.top) / mask.shape[0])
    width, height = mask.shape[1] * scale, mask.shape[0] * scale
    left, top = (frame.left + frame.right - width) / 2, (frame.top + frame.bottom - height) / 2
    place = Frame(left, top, left + max(4, width), top + max(4, height))
    _stamp(canvas, mask, place, np.array(color, np.float32), False, random)


def _paint_graphics(canvas: Floats, ground: Floats, random: Random) -> None:
    """A gradient and a few blots, as on plates with pictures."""
    height, width = canvas.shape[:2]
    canvas += (np.linspace(0, 1, height)[:, None, None] * random.uniform(-70, 70, 3)).astype(np.float32)
    for _ in range(random.integers(0, 4)):
        center = int(random.integers(width)), int(random.integers(height))
        axes = int(random.integers(10, 90)), int(random.integers(8, 50))
        color = (ground + random.normal(0, 35, 3)).tolist()
        cv2.ellipse(canvas, center, axes, int(random.integers(180)), 0, 360, color, -1)


def rounded(frame: Frame, radius: float) -> npt.NDArray[np.int32]:
    """The outline of a rectangle with rounded corners, points (n, 2)."""
    turns = np.deg2rad(np.linspace(0, 90, 8))
    arc = np.stack((np.cos(turns), np.sin(turns)), 1) * radius
    left, top, right, bottom = frame.left + radius, frame.top + radius, frame.right - radius, frame.bottom - radius
    sides = ((1, 1, right, bottom, 1), (-1, 1, left, bottom, -1), (-1, -1, left, top, 1), (1, -1, right, top, -1))
    return np.concatenate([(arc * (x, y) + (cx, cy))[::way] for x, y, cx, cy, way in sides]).astype(np.int32)


def _wear(canvas: Floats, ground: Floats, ink: Floats, random: Random) -> None:
    """Border line, screws, bolts through the lettering, dirt."""
    height, width = canvas.shape[:2]
    if chance(random, 0.6):
        inset, thick = int(random.integers(1, 9)), int(random.integers(1, 4))
        color = ink if chance(random, 0.6) else ground * 0.6
        round_off = random.uniform(0.05, 0.3) if chance(random, 0.4) else 0.0
        outline = rounded(Frame(inset, inset, width - inset, height - inset), height * round_off)
        cv2.polylines(canvas, [outline], True, color.tolist(), thick, cv2.LINE_AA)
    for _ in range(random.integers(0, 5)):
        center = (
            int(width * random.choice((0.1, 0.2, 0.5, 0.8, 0.9))),
            int(height * random.choice((0.08, 0.12, 0.88, 0.92))),
        )
        cv2.circle(canvas, center, int(random.integers(2, 7)), random.uniform(20, 200, 3).tolist(), -1)
    if chance(random, 0.1):
        for _ in range(random.integers(1, 3)):
            center = int(width * random.uniform(0.05, 0.95)), int(height * random.uniform(0.25, 0.75))
            cv2.circle(canvas, center, int(random.integers(2, 7)), random.uniform(20, 220, 3).tolist(), -1)
    if chance(random, 0.3):
        for _ in range(random.integers(1, 25)):
            center = int(random.integers(width)), int(random.integers(height))
            dirt = (ground * random.uniform(0.4, 0.9)).tolist()
            cv2.circle(canvas, center, int(random.integers(1, 9)), dirt, -1)
