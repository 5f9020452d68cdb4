"""Renders licence plates for training, ahead of time: any number, each another one.

python -m openplate_training.synthesize --count 20000 --seed 1 --output FOLDER

writes `images.npy`, uint8 (count, height, 160, 3) RGB, each a plate as the reading networks see it (rectified by
imperfect corners, degraded), and then `labels.jsonl`, a line {"text", "region", "lines"} for each.
"""

from __future__ import annotations

import argparse
import json
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from openplate.datatypes import Corners
from openplate.imaging import rectify
from openplate.regions import Region, subdivisions
from openplate_training import augment
from openplate_training.augment import Random, chance
from openplate_training.data import Pixels
from openplate_training.fonts import Font, Glyph, Mask, drawn_families, find_families, glyph
from openplate_training.layouts import BAND_LETTERS, BAND_WORDS, LAYOUTS, SMALL_WORDS, WHITE, Layout
from openplate_training.letterforms import DrawnFont
from openplate_training.reader_data import degrade_crop
from openplate_training.reader_model import WIDTH

Floats = npt.NDArray[np.float32]
PLATE_WIDTH = 340
ALIKE_LETTERS, ALIKE_DIGITS = "DHIJLMNOQTVW", "0135689"  # drawn twice as often as those that are easy to tell
FREE_FORM = 0.08  # share of texts that follow no country's form
BOLTED = 0.22  # share of lines with bolts between their characters
LONGEST = 10
DRAWN_REGIONS = sorted({layout.region for layout in LAYOUTS if layout.region})


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
class Frame:
    """A rectangle to draw into (pixels)."""

    left: float
    top: float
    right: float
    bottom: float


def fill_form(form: str, random: Random, first: str = string.ascii_uppercase) -> str:
    """A text of a form: L becomes a letter, D a digit; a letter that it begins with is one of ``first``."""
    sets = {"L": string.ascii_uppercase + ALIKE_LETTERS, "D": string.digits + ALIKE_DIGITS}
    filled = "".join(random.choice(list(sets[c])) if c in sets else c for c in form)
    return str(random.choice(list(first))) + filled[1:] if form.startswith("L") else filled


def pick_part(layout: Layout, random: Random) -> Region | None:
    """The part of the country that issued a plate, where its plates tell."""
    if layout.parts is None or layout.region is None or chance(random, 0.1):
        return None
    parts = subdivisions(layout.region)
    return parts[random.integers(len(parts))]


def plain_forms(region: Region) -> tuple[str, ...]:
    """The forms of the table that consist of letters and digits only."""
    return tuple(form for form in region.patterns if set(form) <= {"L", "D"})


def pick_text(layout: Layout, random: Random, part: Region | None = None) -> str:
    """What is printed, with separators and line breaks."""
    forms = layout.forms
    if part is not None and layout.parts == "name" and chance(random, 0.5):
        forms = plain_forms(part) or forms
    printed = fill_form(forms[random.integers(len(forms))], random, layout.first)
    if part is not None and layout.parts == "code" and printed[:2].isalpha():
        printed = part.code.split("-")[1].upper() + printed[2:]
    if chance(random, FREE_FORM):
        count = int(random.integers(3, 9))
        return "".join(random.choice(list(string.ascii_uppercase + string.digits), count))
    if layout.may_break and "|" not in printed and len(read_text(printed)) >= 6 and chance(random, 0.18):
        cut = int(random.integers(2, len(printed) - 2))
        return printed[:cut].strip(" -·.") + "|" + printed[cut:].strip(" -·.")
    return printed


def read_text(printed: str) -> str:
    """What a reader should say of it."""
    return "".join(c for c in printed if c.isalnum())


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


def line_mask(font: Font, text: str, spacing: float, random: Random, bolts: float = 0.0) -> Mask:
    """A line of text, cut to its ink; ``spacing`` between characters as a share of their height, ``bolts`` how often
    it is bolted on through its gaps (0 to 1).
    """
    cap = glyph(font, "H").rise
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
        cell = np.zeros((height, ink_width + gap), np.uint8)
        top = int(np.clip(baseline - drawn.rise, 0, max(0, height - ink_height)))
        cell[top : top + ink_height, gap // 2 : gap // 2 + ink_width] = drawn.mask[: height - top]
        edge = sum(part.shape[1] for part in parts) + gap // 2
        edges += [edge] * (1 if before.isalnum() else 4)
        parts.append(cell)
    mask = np.hstack(parts)
    if chance(random, bolts):
        _bolt_between(mask, edges, baseline, cap, random)
    rows, columns = np.flatnonzero(mask.max(1) > 40), np.flatnonzero(mask.max(0) > 40)
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


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
        font = self._lettering(layout, random)
        self._text(canvas, lines, frame, ink, font, random)
        if rim:
            corner = (PLATE_WIDTH - 1 - rim // 2, canvas.shape[0] - 1 - rim // 2)
            cv2.rectangle(canvas, (rim // 2, rim // 2), corner, random.uniform(190, 245, 3).tolist(), rim)
        _wear(canvas, ground, ink, random)
        pixels = np.clip(canvas, 0, 255).astype(np.uint8)
        region = part.code if part is not None and title else layout.region
        return RenderedPlate(pixels, read_text(printed), region, len(lines))

    def _lettering(self, layout: Layout, random: Random) -> Font:
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

    def _text(
        self, canvas: Floats, lines: Sequence[str], frame: Frame, ink: Floats, font: Font, random: Random
    ) -> None:
        spacing = random.uniform(0.04, 0.3)
        space = frame.bottom - frame.top
        gap = space * random.uniform(0.06, 0.14) if len(lines) > 1 else 0.0
        tall = (space - gap * (len(lines) - 1)) / len(lines)
        embossed, is_bold = chance(random, 0.35), chance(random, 0.2)
        brush = np.ones(random.integers(2, 6, 2), np.uint8)
        for i, line in enumerate(lines):
            mask = line_mask(font, line, spacing, random, BOLTED)
            if is_bold:
                mask = augment.as_pixels(cv2.dilate(mask, brush))
            room = frame.right - frame.left
            width = min(room, tall * mask.shape[1] / mask.shape[0] * random.uniform(0.75, 1.25))
            width = max(width, room * random.uniform(0.72, 1.0))
            left = frame.left + random.uniform(0, max(0.0, room - width) + 1)
            top = frame.top + i * (tall + gap)
            _stamp(canvas, mask, Frame(left, top, left + width, top + tall), ink, embossed, random)


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


def photograph(plate: RenderedPlate, height: int, random: Random) -> Pixels:
    """The plate as a reading network gets it, (height, 160, 3): something around it, few pixels, imperfect corners."""
    plate_height, margin = plate.pixels.shape[0], int(PLATE_WIDTH * 0.2)
    around = (random.uniform(0, 230, 3) * random.uniform(0.2, 1)).tolist()
    scene = cv2.copyMakeBorder(plate.pixels, *(margin,) * 4, cv2.BORDER_CONSTANT, value=around)
    if chance(random, 0.5):
        thick = int(random.integers(3, 22))
        start, end = (margin - thick,) * 2, (margin + PLATE_WIDTH + thick, margin + plate_height + thick)
        cv2.rectangle(scene, start, end, random.uniform(0, 255, 3).tolist(), thick)
    scale = float(np.exp(random.uniform(np.log(0.13), np.log(0.6)))) if chance(random, 0.55) else 1.0
    if scale < 1:
        scene = cv2.resize(scene, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scene = _filmed(augment.as_pixels(scene), random)
    size = np.array((PLATE_WIDTH, plate_height)) * scale
    corners = np.array(((0, 0), (1, 0), (1, 1), (0, 1))) * size + margin * scale
    center = corners.mean(0)
    corners = (corners - center) * (1 + random.normal(0.02, 0.05, 2)) + center
    corners += random.normal(0, 0.02, 2) * size + random.normal(0, 0.035, (4, 2)) * size[1]
    if chance(random, 0.35):
        turn = np.deg2rad(random.normal(0, 5))
        rotation = np.array(((np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))))
        corners = (corners - center) @ rotation + center
    if chance(random, 0.25):
        corners[:, 0] += (corners[:, 1] - center[1]) * random.normal(0, 0.18)
    crop = rectify(np.ascontiguousarray(scene, np.uint8), Corners.from_points(corners), WIDTH, height)
    if chance(random, 0.35):
        crop = np.asarray(cv2.convertScaleAbs(crop, alpha=random.uniform(0.12, 0.6), beta=random.uniform(10, 110)))
    return degrade_crop(crop, random)


def _filmed(pixels: Pixels, random: Random) -> Pixels:
    """What happens to the whole picture before the plate is cut out of it, in the camera's own pixels."""
    if chance(random, 0.3):
        pixels = augment.bloom(pixels, random)
    if chance(random, 0.1):
        pixels = augment.add_glare(pixels, random)
    if chance(random, 0.12):
        pixels = augment.blur(pixels, random, pixels.shape[1] * 0.02)
    if chance(random, 0.15):
        pixels = augment.tint(pixels, random)
    if chance(random, 0.2):
        pixels = augment.sharpen(pixels, random)
    if chance(random, 0.3):
        pixels = augment.compress(pixels, random, 15)
    return pixels


def write_plates(folder: Path, count: int, seed: int, height: int, painter: PlatePainter) -> None:
    """Writes a folder of plates; its list comes last, so a folder with a list is complete."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    images = np.zeros((count, height, WIDTH, 3), np.uint8)
    labels: list[dict[str, object]] = []
    while len(labels) < count:
        plate = painter.draw(random)
        if 2 <= len(plate.text) <= LONGEST:
            images[len(labels)] = photograph(plate, height, random)
            labels.append({"text": plate.text, "region": plate.region, "lines": plate.lines})
    np.save(folder / "images.npy", images)
    unfinished = folder / "labels.part"
    unfinished.write_text("".join(json.dumps(label) + "\n" for label in labels), encoding="utf-8")
    unfinished.replace(folder / "labels.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--height", type=int, default=64, help="of the pictures; 64 for the reader")
    parser.add_argument(
        "--regions", nargs="+", default=(), choices=DRAWN_REGIONS, help="only plates of these countries"
    )
    parser.add_argument("--fonts", type=Path, action="append", default=[], help="another folder with fonts")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    try:
        families = find_families(options.fonts)
    except FileNotFoundError as error:
        raise SystemExit(f"error: {error}") from None
    write_plates(options.output, options.count, options.seed, options.height, PlatePainter(families, options.regions))


if __name__ == "__main__":
    main()
