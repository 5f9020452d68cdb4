"""Renders licence plates for training, ahead of time: any number, each another one.

python -m openplate_training.synthesize --count 20000 --seed 1 --output FOLDER

writes `images.npy`, uint8 (count, height, 160, 3) RGB, each a plate as the reading networks see it (rectified by
imperfect corners, degraded), and then `labels.jsonl`, a line {"text", "region", "lines"} for each.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from openplate.datatypes import Corners
from openplate.imaging import rectify
from openplate_training import augment
from openplate_training.augment import Random, chance
from openplate_training.data import Pixels
from openplate_training.fonts import find_families
from openplate_training.layouts import LAYOUTS
from openplate_training.plate_painter import PLATE_WIDTH, PlatePainter, RenderedPlate
from openplate_training.reader_data import LONGEST, degrade_crop
from openplate_training.reader_model import WIDTH

DRAWN_REGIONS = sorted({layout.region for layout in LAYOUTS if layout.region})


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
    crop = degrade_crop(crop, random)
    if chance(random, 0.35):  # faint as a whole, its noise with it
        crop = augment.as_pixels(
            cv2.convertScaleAbs(crop, alpha=random.uniform(0.12, 0.6), beta=random.uniform(10, 110))
        )
    return crop


def _filmed(pixels: Pixels, random: Random) -> Pixels:
    """What happens to the whole picture before the plate is cut out of it, in the camera's own pixels."""
    if chance(random, 0.3):
        pixels = augment.bloom(pixels, random)
    if chance(random, 0.1):
        pixels = augment.add_glare(pixels, random)
    if chance(random, 0.35):
        pixels = augment.light_unevenly(pixels, random)
    if chance(random, 0.12):
        pixels = augment.blur(pixels, random, pixels.shape[1] * 0.02)
    if chance(random, 0.3):
        pixels = augment.denoise(pixels, random)
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
