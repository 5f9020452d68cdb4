"""Training samples for the reader: real crops cut out anew each time, and plates rendered ahead of time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from openplate.datatypes import Corners
from openplate.imaging import rectify
from openplate.text import normalise
from openplate_training import augment
from openplate_training.augment import Random, chance
from openplate_training.data import PackedPictures, Pixels, Record, load_records
from openplate_training.reader_model import ALPHABET, HEIGHT, WIDTH

LONGEST = 10
# Scripts that are not read: Arabic texts are left out, the Chinese province character is dropped.
UNREAD_SETS = {"eg_ealpr"}
SET_POWER = 0.65  # sets are drawn by size to this power: small ones more often than their share
SET_FACTORS = {
    "in_statewise_olx": 3.5,
    "id_street_exchioz": 1.5,
    "id_phone_exchioz": 1.5,
    "us_nyc_reported_unlabelled": 0.6,
    "us_states_crops": 0.7,
}
CALIBRATION_SHARE = 0.03


def is_held_for_calibration(record: Record) -> bool:
    """A few training texts are never trained on: the confidence is fitted to them. Same text, same side."""
    text = record["text"] or ""
    return sum(ord(c) * (7 + i) for i, c in enumerate(text)) % 100 < CALIBRATION_SHARE * 100


def is_readable(record: Record) -> bool:
    """The crop has a text that can be taught."""
    if record["set"] in UNREAD_SETS or not record["text"] or record.get("suspect"):
        return False
    if record["text_label"] == "teacher" and (record["min_char"] or 0) < 0.9:
        return False
    return 2 <= len(normalise(record["text"])) <= LONGEST


def encode_text(text: str) -> list[int]:
    return [ALPHABET.index(c) for c in text]


@dataclass
class RenderedPlates:
    """The folders written by `openplate_training.synthesize`; looks for new ones when asked."""

    folder: Path
    images: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)

    def refresh(self) -> int:
        """Opens chunks that have appeared; returns how many plates there are in all."""
        for labels in sorted(self.folder.glob("**/labels.jsonl")):
            if labels.parent not in self.seen:
                texts = [r["text"] for r in load_records(labels)]
                images = np.load(labels.parent / "images.npy", mmap_mode="r")
                self.images.append(images[: len(texts)])
                self.texts.append(texts)
                self.seen.add(labels.parent)
        return sum(map(len, self.texts))

    def sample(self, random: Random) -> tuple[Pixels, str]:
        """A plate; later chunks, drawn by better code, come more often."""
        age = np.arange(len(self.texts), 0, -1)
        chunk = int(random.choice(len(self.texts), p=(w := 0.75**age) / w.sum()))
        index = int(random.integers(len(self.texts[chunk])))
        return np.array(self.images[chunk][index]), self.texts[chunk][index]


def true_corners(record: Record) -> npt.NDArray[np.float64]:
    """The plate's corners (4, 2), those of its box where the corners are not known."""
    x1, y1, x2, y2 = record["box"]
    return np.array(record["corners"] or ((x1, y1), (x2, y1), (x2, y2), (x1, y2)), np.float64)


def shaken_corners(
    record: Record, random: Random, found: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]:
    """Corners as an imperfect network might give them; ``found`` are those that the corner network gave (4, 2)."""
    x1, y1, x2, y2 = record["box"]
    corners = true_corners(record) if found is None else found
    if chance(random, 0.3):
        corners = np.array(((x1, y1), (x2, y1), (x2, y2), (x1, y2)), np.float64)
    size = np.array((x2 - x1, y2 - y1))
    # Looser or tighter as a whole, moved, and each corner a little by itself.
    center = corners.mean(0)
    corners = (corners - center) * (1 + random.normal(0.02, 0.05, 2)) + center
    corners += random.normal(0, 0.02, 2) * size
    corners += random.normal(0, 0.02, (4, 2)) * size[::-1].min()
    if chance(random, 0.3):
        turn = np.deg2rad(random.normal(0, 4))
        rotation = np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))))
        corners = np.asarray((corners - center) @ rotation.T + center, np.float64)
    if chance(random, 0.2):
        corners[:, 0] += (corners[:, 1] - center[1]) * random.normal(0, 0.15)
    return corners


def rectified(pixels: Pixels, corners: npt.NDArray[np.float64]) -> Pixels:
    """The reader's input (64, 160, 3): exactly what is served."""
    return rectify(pixels, Corners.from_points(corners), WIDTH, HEIGHT)


def moved(pixels: Pixels, random: Random) -> Pixels:
    """A crop a little larger or smaller, shifted and sheared, so that a rendered plate is never quite the same."""
    height, width = pixels.shape[:2]
    stretch = 1 + random.normal(0, 0.025, 2)
    matrix = np.array(((stretch[0], random.normal(0, 0.03), 0.0), (random.normal(0, 0.01), stretch[1], 0.0)))
    center = np.array((width / 2, height / 2))
    matrix[:, 2] = center - matrix[:, :2] @ center + random.normal(0, (1.5, 0.8))
    warped = cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return augment.as_pixels(warped)


def degrade_crop(pixels: Pixels, random: Random, strength: float = 1.0, grey: float = 0.3) -> Pixels:
    """What cameras do to a plate. ``strength`` below 1 does it less often (rendered plates have had theirs);
    ``grey`` is how often colour is lost.
    """
    if chance(random, 0.6 * strength):
        pixels = augment.change_light(pixels, random)
    if chance(random, 0.15 * strength):
        pixels = augment.cast_shadow(pixels, random)
    if chance(random, 0.25 * strength):
        pixels = augment.blur(pixels, random, 4)
    if chance(random, 0.25 * strength):
        pixels = augment.lose_resolution(pixels, random, 0.28)
    if chance(random, 0.25 * strength):
        pixels = augment.add_noise(pixels, random, random.uniform(2, 22))
    if chance(random, 0.2 * strength):
        pixels = augment.compress(pixels, random, 12)
    if chance(random, grey):
        pixels = augment.drop_colour(pixels, random)
    return pixels


@dataclass
class ReaderSampler:
    """Mixes real and rendered plates."""

    crops: PackedPictures
    rendered: RenderedPlates | None
    found: npt.NDArray[np.float64] | None = None
    indices: npt.NDArray[np.int64] = field(init=False)
    weights: npt.NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.indices = self.crops.subset(
            lambda r: r["split"] == "train" and is_readable(r) and not is_held_for_calibration(r)
        )
        sets = [self.crops.records[i]["set"] for i in self.indices]
        counts = {name: sets.count(name) for name in set(sets)}
        weights = np.array([SET_FACTORS.get(s, 1.0) * counts[s] ** (SET_POWER - 1) for s in sets])
        self.weights = weights / weights.sum()

    def sample(self, random: Random, rendered_share: float) -> tuple[Pixels, str]:
        if self.rendered is not None and self.rendered.texts and chance(random, rendered_share):
            pixels, text = self.rendered.sample(random)
            if chance(random, 0.5):
                pixels = moved(pixels, random)
            return _inverted(degrade_crop(pixels, random, 0.4), random), text
        record_index = int(random.choice(self.indices, p=self.weights))
        record = self.crops.records[record_index]
        found = None if self.found is None else self.found[record_index]
        pixels = rectified(self.crops.picture(record_index), shaken_corners(record, random, found))
        return _inverted(degrade_crop(pixels, random), random), normalise(record["text"])


def _inverted(pixels: Pixels, random: Random) -> Pixels:
    """Now and then the negative: dark on light and light on dark should be read alike."""
    return 255 - pixels if chance(random, 0.08) else pixels
