"""Streets in 1080p, drawn from the example pictures and encoded as cameras do: H.264 with the sensor's noise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.results import ROOT

Scene = Literal["busy", "quiet"]
SCENES: Final[tuple[Scene, ...]] = ("busy", "quiet")
WIDTH, HEIGHT = 1920, 1080
PASS_S = 4.0
"""How long a car is seen; the next one of its lane follows at once, that of the other lane half of it later."""

_SCALE = 1.5  # from the example pictures
_NOISE = 1.5  # levels
_NOISES = 7  # different ones, in turn
_KEY_FRAMES_S = 2.0
_QUALITY = {"preset": "veryfast", "crf": "24", "bf": "0"}  # of x264; cameras send no B frames

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Cutout:
    """A car of an example picture, with where its plate is in it: left, top, right, bottom."""

    pixels: Pixels
    plate: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Lane:
    """The middle of a car's foot far away and near, and its size there as a multiple of the cutout's."""

    far: tuple[float, float]
    near: tuple[float, float]
    far_size: float
    near_size: float


_LANES = (Lane((760, 620), (480, 1060), 0.5, 1.25), Lane((1120, 620), (1430, 1060), 0.6, 1.5))
_PLACES = {
    "gate": ((222, 300, 682, 665), (366, 551, 497, 590)),
    "street": ((735, 302, 1090, 590), (880, 496, 984, 521)),
}
"""In the example pictures: the cars and their plates."""


def make_clip(path: Path, scene: Scene, seconds: float, frames_per_s: float) -> Path:
    """A video of a scene that can be shown again and again, as its beginning follows its end.

    Args:
        path: an MP4 file.
        scene: ``busy``: two cars at a time come near, each with a plate of its own; ``quiet``: one is parked.
        seconds: of the busy scene best a multiple of ``PASS_S``.
        frames_per_s: of the video.
    """
    import av

    rate = Fraction(frames_per_s).limit_denominator(1000)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=rate, options=dict(_QUALITY))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.gop_size = max(1, round(_KEY_FRAMES_S * frames_per_s))
        for picture in pictures(scene, seconds, frames_per_s):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def pictures(scene: Scene, seconds: float, frames_per_s: float) -> Iterator[Pixels]:
    """RGB (1080, 1920, 3), each with noise."""
    noises, paint_plate = _noises(), _plate_painter()
    street, cutouts = _empty_street(), [_cutout(name) for name in _PLACES]
    parked = cv2.resize(_example("gate"), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for index in range(max(1, round(seconds * frames_per_s))):
        if scene == "busy":
            still = street.copy()
            for lane, cutout in enumerate(cutouts):
                passed = index / frames_per_s / PASS_S + lane / 2
                _paste(still, _LANES[lane], _with_text(cutout, _text(lane, int(passed)), paint_plate), passed % 1)
        else:
            still = np.asarray(parked, np.uint8)
        yield np.asarray(cv2.add(still, noises[index % _NOISES], dtype=cv2.CV_8U), np.uint8)


def _noises() -> list[npt.NDArray[np.int16]]:
    generator = np.random.default_rng(5)
    shape = HEIGHT, WIDTH, 1
    levels = (np.rint(_NOISE * generator.standard_normal(shape, np.float32)) for _ in range(_NOISES))
    return [np.repeat(each.astype(np.int16), 3, axis=2) for each in levels]


def _example(name: str) -> Pixels:
    picture = cv2.imread(str(ROOT / "examples" / f"{name}.jpg"))
    assert picture is not None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _empty_street() -> Pixels:
    """The example's street; where its car stands each row goes over from what is left of it to what is right."""
    street = _example("gate")
    left, top, right, bottom = _PLACES["gate"][0]
    share = np.linspace(0, 1, right - left)[None, :, None]
    across = street[top:bottom, left - 1 : left] * (1 - share) + street[top:bottom, right : right + 1] * share
    street[top:bottom, left:right] = np.round(across)
    return np.asarray(cv2.resize(street, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def _cutout(name: str) -> Cutout:
    (left, top, right, bottom), plate = _PLACES[name]
    part = _example(name)[top:bottom, left:right]
    size = round((right - left) * _SCALE), round((bottom - top) * _SCALE)
    x1, y1, x2, y2 = (round(_SCALE * value) for value in np.subtract(plate, (left, top, left, top)))
    return Cutout(np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC), np.uint8), (x1, y1, x2, y2))


def _text(lane: int, number: int) -> str:
    """Texts as Polish plates have them, of characters that the example's plates know; none follows one like it."""
    letters, digits = "NAETW", "12345789"
    at = 2 * number + lane
    middle = "".join(digits[(at * step + at // 8 + 3 * place) % 8] for place, step in enumerate((3, 5, 7, 1)))
    return f"K{letters[at % len(letters)]} {middle}{letters[(3 * at + 1) % len(letters)]}"


def _with_text(cutout: Cutout, text: str, paint_plate: Callable[[str], npt.NDArray[np.float32]]) -> Pixels:
    """The car with another plate."""
    left, top, right, bottom = cutout.plate
    plate = 255 * paint_plate(text) ** (1 / 2.2)
    car = cutout.pixels.copy()
    size = right - left, bottom - top
    car[top:bottom, left:right] = np.round(cv2.resize(plate, size, interpolation=cv2.INTER_AREA))
    return car


def _plate_painter() -> Callable[[str], npt.NDArray[np.float32]]:
    """That of the example pictures, which are programs beside this package."""
    examples = str(ROOT / "examples")
    sys.path.insert(0, examples)
    try:
        painter: Callable[[str], npt.NDArray[np.float32]] = import_module("street_scene.plates").paint_plate
    finally:
        sys.path.remove(examples)
    return painter


def _paste(picture: Pixels, lane: Lane, car: Pixels, passed: float) -> None:
    """Puts a car where it is after that share of its way, its edges soft; changes the picture."""
    nearness = passed**2  # it grows faster the nearer it comes
    size = lane.far_size + (lane.near_size - lane.far_size) * nearness
    x, y = (far + (near - far) * nearness for far, near in zip(lane.far, lane.near, strict=True))
    width, height = round(car.shape[1] * size), round(car.shape[0] * size)
    shown = cv2.resize(car, (width, height), interpolation=cv2.INTER_AREA)
    edge = max(3, width // 40)
    mask = np.zeros((height, width, 1), np.float32)
    mask[edge:-edge, edge:-edge] = 1
    mask = cv2.blur(mask, (edge, edge))[..., None]
    left, top = round(x - width / 2), round(y - height)
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + width, WIDTH), min(top + height, HEIGHT)
    inside = np.s_[y1 - top : y2 - top, x1 - left : x2 - left]
    under = picture[y1:y2, x1:x2]
    picture[y1:y2, x1:x2] = np.round(under + (shown[inside] - under.astype(np.float32)) * mask[inside])
