"""Draws sequences of moving cars with known truth, to measure tracking and grouping on.

python -m openplate_training.sequences --count 6 --seed 1 --output FOLDER

writes for each sequence a folder with a JPEG per frame and ``truth.jsonl``, a line per frame:
{"frame": "000000.jpg", "at_s": 0.0, "width": 1280, "height": 720, "vehicles": [{"id": 1, "text": "AB123CD",
"box": [x1, y1, x2, y2], "seen": 1.0, "plate_box": [...] or null, "plate_seen": 1.0}]}.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from openplate.datatypes import Box
from openplate.imaging import Image, encode_jpeg
from openplate_training.augment import Random, as_pixels
from openplate_training.data import Pixels
from openplate_training.plate_painter import PlatePainter, RenderedPlate
from openplate_training.traffic import Journey, Scene, SceneVehicle, Waypoint

WIDTH, HEIGHT = 1280, 720
_CAR = 640  # width of a drawn car before it is put into the picture
_ASPECT = 0.8
_SHORTEST, _LONGEST = 5, 9
_QUALITY = 88

Route = list[tuple[float, float, float, float]]
"""Seconds, x, y (the middle of the lower edge) and width."""


@dataclass(frozen=True)
class DrawnCar:
    """A car from behind: pixels (h, w, 3) and how much of each covers what is behind it (h, w), 0 to 255."""

    pixels: Pixels
    cover: Pixels
    plate: RenderedPlate


def draw_car(plate: RenderedPlate, random: Random) -> DrawnCar:
    """A car of any colour with this plate, ``_CAR`` wide; the plate lies where ``Journey.plate_box`` says."""
    width, height = _CAR, int(_CAR * _ASPECT)
    paint = np.clip(random.uniform(20, 235) + random.normal(0, 35, 3), 10, 245)
    pixels, cover = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)

    def fill(points: list[tuple[float, float]], color: object, *, solid: bool = True) -> None:
        corners = np.array([(x * width, y * height) for x, y in points]).astype(np.int32)
        cv2.fillPoly(pixels, [corners], np.asarray(color, float).tolist(), cv2.LINE_AA)
        if solid:
            cv2.fillPoly(cover, [corners], (255,), cv2.LINE_AA)

    for left in (0.07, 0.75):
        fill([(left, 0.72), (left + 0.18, 0.72), (left + 0.17, 1), (left + 0.01, 1)], (18, 18, 20))
    fill([(0.2, 0.02), (0.8, 0.02), (0.9, 0.36), (0.1, 0.36)], paint * 0.9)
    fill([(0.24, 0.06), (0.76, 0.06), (0.84, 0.34), (0.16, 0.34)], (38, 44, 52), solid=False)
    fill([(0.28, 0.08), (0.5, 0.08), (0.4, 0.32), (0.2, 0.32)], (70, 80, 92), solid=False)
    fill(
        [(0.1, 0.34), (0.9, 0.34), (0.99, 0.46), (1, 0.84), (0.96, 0.92), (0.04, 0.92), (0, 0.84), (0.01, 0.46)], paint
    )
    fill([(0.03, 0.62), (0.97, 0.62), (0.97, 0.635), (0.03, 0.635)], paint * 0.6, solid=False)
    for a, b in ((0.02, 0.2), (0.8, 0.98)):
        fill([(a, 0.45), (b, 0.45), (b, 0.58), (a, 0.58)], (150, 22, 26), solid=False)
        fill([(a + 0.02, 0.5), (b - 0.02, 0.5), (b - 0.02, 0.53), (a + 0.02, 0.53)], (225, 120, 110), solid=False)
    fill([(0.02, 0.8), (0.98, 0.8), (0.95, 0.92), (0.05, 0.92)], (45, 45, 48), solid=False)
    shade = (
        np.linspace(1.12, 0.72, height)[:, None, None] * (1 + 0.06 * np.sin(np.linspace(0, 3, width)))[None, :, None]
    )
    pixels = np.clip(pixels * shade, 0, 255).astype(np.uint8)
    _mount(pixels, plate)
    return DrawnCar(pixels, cover, plate)


def _mount(pixels: Pixels, plate: RenderedPlate) -> None:
    height, width = pixels.shape[:2]
    box = _journey(0, plate, [(0, width / 2, height, width)]).plate_box(0)
    assert box is not None
    x1, y1, x2, y2 = (round(value) for value in box.as_tuple())
    pixels[y1 - 4 : y2 + 4, x1 - 5 : x2 + 5] = (30, 30, 32)
    pixels[y1:y2, x1:x2] = cv2.resize(plate.pixels, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA)


def _journey(number: int, plate: RenderedPlate, route: Route) -> Journey:
    aspect = plate.pixels.shape[1] / plate.pixels.shape[0]
    return Journey(number, plate.text, tuple(Waypoint(*point) for point in route), _ASPECT, aspect)


# The kinds of scenes: each gives the ways of its vehicles, and what stands in front of them.


def _passing(random: Random) -> tuple[list[Route], list[Box]]:
    y, width = random.uniform(450, 640), random.uniform(260, 400)
    return [[(0, -0.4 * width, y, width), (random.uniform(3, 5), WIDTH + 0.4 * width, y, width)]], []


def _crossing(random: Random) -> tuple[list[Route], list[Box]]:
    far, near = random.uniform(240, 300), random.uniform(340, 420)
    return [
        [(0, -50, 430, far), (5, WIDTH + 50, 450, far)],
        [(0.5, WIDTH + 100, 640, near), (5.5, -100, 620, near)],
    ], []


def _hidden(random: Random) -> tuple[list[Route], list[Box]]:
    """Behind a pillar for a second or so."""
    width = random.uniform(260, 340)
    left = random.uniform(450, 600)
    return [[(0, -50, 560, width), (6, WIDTH + 50, 560, width)]], [Box(left, 0, left + width * 1.05, HEIGHT)]


def _stop_and_go(random: Random) -> tuple[list[Route], list[Box]]:
    first, second = random.uniform(280, 340), random.uniform(280, 340)
    return [
        [(0, 100, 520, first), (1.5, 860, 520, first), (4, 860, 520, first), (5.5, 1500, 520, first)],
        [(0, -500, 540, second), (2, 400, 540, second), (4.5, 400, 540, second), (6.5, 1500, 540, second)],
    ], []


def _queue(random: Random) -> tuple[list[Route], list[Box]]:
    width, gap = random.uniform(230, 280), random.uniform(0.9, 1.2)
    return [[(gap * n, -120, 500, width), (gap * n + 3, WIDTH + 120, 500, width)] for n in range(4)], []


def _leaving(random: Random) -> tuple[list[Route], list[Box]]:
    """Away from the camera, on two lanes."""
    late = random.uniform(0.5, 1.5)
    return [
        [(0, 300, 760, 520), (2, 420, 520, 300), (5, 560, 330, 110)],
        [(late, 1000, 780, 520), (late + 2, 900, 530, 300), (late + 5, 760, 330, 110)],
    ], []


KINDS: dict[str, Callable[[Random], tuple[list[Route], list[Box]]]] = {
    "passing": _passing,
    "crossing": _crossing,
    "hidden": _hidden,
    "stop_and_go": _stop_and_go,
    "queue": _queue,
    "leaving": _leaving,
}


def _pick_plate(painter: PlatePainter, random: Random) -> RenderedPlate:
    while True:
        plate = painter.draw(random)
        if plate.lines == 1 and _SHORTEST <= len(plate.text) <= _LONGEST and plate.text.isascii():
            return plate


def make_scene(kind: str, painter: PlatePainter, random: Random) -> tuple[Scene, dict[int, DrawnCar]]:
    """The scene and the cars in it by their ids."""
    routes, screens = KINDS[kind](random)
    cars = {number: draw_car(_pick_plate(painter, random), random) for number in range(1, len(routes) + 1)}
    journeys = tuple(_journey(number, cars[number].plate, route) for number, route in enumerate(routes, 1))
    return Scene(journeys, WIDTH, HEIGHT, tuple(screens)), cars


def draw_background(random: Random) -> Pixels:
    """A road under a sky, with spots."""
    sky, road = random.uniform(120, 220, 3), random.uniform(70, 120) + random.normal(0, 6, 3)
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = road
    picture[: int(HEIGHT * 0.35)] = sky
    coarse = random.normal(0, 9, (HEIGHT // 8, WIDTH // 8)).astype(np.float32)
    fine = random.normal(0, 5, (HEIGHT, WIDTH)).astype(np.float32)
    picture += (np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT))) + fine)[..., None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def draw_frame(scene: Scene, cars: dict[int, DrawnCar], at_s: float, background: Pixels, random: Random) -> Pixels:
    """One frame as a camera sees it."""
    picture = background.copy()
    for journey in scene.ordered(at_s):
        box = journey.box(at_s)
        if box is not None:
            _shadow(picture, box)
            _put(picture, cars[journey.id], box)
    for screen in scene.screens:
        x1, y1, x2, y2 = (int(value) for value in screen.as_tuple())
        cv2.rectangle(picture, (x1, y1), (x2, y2), (96, 92, 84), -1)
    noisy = picture + random.normal(0, 3, picture.shape)
    return as_pixels(cv2.GaussianBlur(np.clip(noisy, 0, 255).astype(np.uint8), (3, 3), 0.5))


def _shadow(picture: Pixels, box: Box) -> None:
    center = round(box.center[0]), round(box.y2 - 0.01 * box.height)
    cv2.ellipse(picture, center, (round(0.54 * box.width), round(0.06 * box.height)), 0, 0, 360, (34, 34, 36), -1)


def _put(picture: Pixels, car: DrawnCar, box: Box) -> None:
    """Shrinks the car first, so that no detail flickers, then moves it by parts of pixels."""
    scale = box.width / _CAR
    height, width = car.cover.shape
    steps = max(1, round(1 / scale))
    size = (width // steps, height // steps)
    pixels = cv2.resize(car.pixels, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(car.cover, size, interpolation=cv2.INTER_AREA)
    move = np.array(((box.width / size[0], 0, box.x1), (0, box.height / size[1], box.y1)))
    drawn = cv2.warpAffine(pixels, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    covers = cv2.warpAffine(cover, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)[..., None].astype(np.float32) / 255
    picture[:] = (covers * drawn + (1 - covers) * picture).astype(np.uint8)


def _line(name: str, at_s: float, vehicles: list[SceneVehicle]) -> dict[str, object]:
    return {
        "frame": name,
        "at_s": round(at_s, 4),
        "width": WIDTH,
        "height": HEIGHT,
        "vehicles": [
            {
                "id": vehicle.id,
                "text": vehicle.text,
                "box": _rounded(vehicle.box),
                "seen": round(vehicle.seen, 3),
                "plate_box": _rounded(vehicle.plate_box) if vehicle.plate_box else None,
                "plate_seen": round(vehicle.plate_seen, 3),
            }
            for vehicle in vehicles
        ],
    }


def _rounded(box: Box) -> list[float]:
    return [round(value, 2) for value in box.as_tuple()]


def write_sequence(folder: Path, kind: str, fps: float, painter: PlatePainter, random: Random) -> None:
    """One folder; its list comes last, so a folder with a list is complete."""
    scene, cars = make_scene(kind, painter, random)
    background = draw_background(random)
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for index in range(int(scene.duration_s * fps) + 1):
        at_s, name = index / fps, f"{index:06d}.jpg"
        picture = Image(draw_frame(scene, cars, at_s, background, random))
        (folder / name).write_bytes(encode_jpeg(picture, _QUALITY))
        lines.append(json.dumps(_line(name, at_s, scene.look(at_s))) + "\n")
    (folder / "truth.jsonl").write_text("".join(lines), encoding="utf-8")


def write_sequences(folder: Path, count: int, seed: int, fps: float) -> Iterator[Path]:
    """The kinds in turn; each sequence has a seed of its own, so more of them do not change the first."""
    painter = PlatePainter([])
    kinds = list(KINDS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        target = folder / f"{number:03d}_{kind}"
        write_sequence(target, kind, fps, painter, np.random.default_rng((seed, number)))
        yield target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    for folder in write_sequences(options.output, options.count, options.seed, options.fps):
        print(folder)


if __name__ == "__main__":
    main()
