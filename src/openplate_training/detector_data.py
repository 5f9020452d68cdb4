"""Training samples for the detector: windows and mosaics cut from whole pictures, with their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from openplate.datatypes import VEHICLE_LABELS
from openplate_training import augment
from openplate_training.augment import Random, chance
from openplate_training.data import PackedPictures, Pixels, Record

Floats = npt.NDArray[np.float32]
FILL = 114
STRONG_TURN = float(np.deg2rad(7))
# The teacher's corners leave out the upper band of Egyptian plates, people's do not.
OTHER_CORNERS = {"eg_ealpr"}
TEACHER_SCORE = 0.62  # below it one teacher plate in four is none: neither plate nor background


@dataclass
class Labels:
    """Quads (n, 4, 2) are in pixels, clockwise from the top left as seen; plates without known corners repeat
    their box's corners. ``plate_boxes`` are the boxes as labelled, mostly looser than the corners (quads too, so that
    they can be turned). ``vehicle_classes`` is -1 where the type is unknown.
    """

    plates: Floats
    plate_boxes: Floats
    has_corners: npt.NDArray[np.bool_]
    plate_ignore: Floats
    vehicles: Floats
    vehicle_classes: npt.NDArray[np.int64]
    vehicle_ignore: Floats

    def moved(self, move: Callable[[Floats], Floats]) -> Labels:
        """The labels with all their quads changed by ``move``."""
        return Labels(
            move(self.plates),
            move(self.plate_boxes),
            self.has_corners,
            move(self.plate_ignore),
            move(self.vehicles),
            self.vehicle_classes,
            move(self.vehicle_ignore),
        )

    @classmethod
    def merge(cls, parts: Sequence[Labels]) -> Labels:
        """All labels of several windows that share their pixels' origin."""
        return cls(*(np.concatenate([getattr(p, f) for p in parts]) for f in cls.__dataclass_fields__))


@dataclass
class Sample:
    pixels: Pixels
    labels: Labels


def quad_of(box: Sequence[float]) -> list[list[float]]:
    x1, y1, x2, y2 = box
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def _quads(quads: list[list[list[float]]]) -> Floats:
    return np.array(quads, np.float32).reshape(-1, 4, 2)


def labels_of(record: Record) -> Labels:
    """The labels of one line of the scenes list."""
    sure = [p for p in record["plates"] if p["label"] == "human" or (p["score"] or 1) >= TEACHER_SCORE]
    weak = [p["box"] for p in record["plates"] if p not in sure]
    corners = [None if record["set"] in OTHER_CORNERS else p.get("corners") for p in sure]
    vehicles = record["vehicles"]
    return Labels(
        plates=_quads([known or quad_of(p["box"]) for p, known in zip(sure, corners, strict=True)]),
        plate_boxes=_quads([quad_of(p["box"]) for p in sure]),
        has_corners=np.array([known is not None for known in corners], bool),
        plate_ignore=_quads([quad_of(b) for b in [*record.get("ignore", []), *weak]]),
        vehicles=_quads([quad_of(v["box"]) for v in vehicles]),
        vehicle_classes=np.array([VEHICLE_LABELS.index(v["type"]) if v["type"] else -1 for v in vehicles], np.int64),
        vehicle_ignore=_quads([quad_of(b) for b in record.get("ignore_vehicles", [])]),
    )


def boxes_of(quads: Floats) -> Floats:
    """Smallest boxes (n, 4) around quads (n, 4, 2)."""
    if not len(quads):
        return np.zeros((0, 4), np.float32)
    return np.concatenate((quads.min(1), quads.max(1)), 1)


def flip(pixels: Pixels, labels: Labels) -> tuple[Pixels, Labels]:
    """The mirror image; corners stay clockwise from the top left."""
    width = pixels.shape[1]

    def mirror(quads: Floats) -> Floats:
        out = quads[:, [1, 0, 3, 2]].copy()
        out[..., 0] = width - out[..., 0]
        return out

    return pixels[:, ::-1], labels.moved(mirror)


def _visible(quads: Floats, width: int, height: int) -> Floats:
    """Which part of each quad's box lies inside the window, 0 to 1."""
    boxes = boxes_of(quads)
    inside = np.clip(boxes, 0, (width, height, width, height))
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3), 1)
    return np.asarray(np.prod(inside[:, 2:] - inside[:, :2], 1) / area, np.float32)


def clip_labels(labels: Labels, width: int, height: int) -> Labels:
    """What remains in a window; objects mostly outside it or too small to ask for are to be ignored.

    Only the corners of plates may lie outside. Ignored areas end at the window's edge, because in a mosaic another
    picture begins there.
    """
    plates = (_visible(labels.plates, width, height) > 0.75) & (_smaller_sides(labels.plates) >= 4)
    vehicles = (_visible(labels.vehicles, width, height) > 0.35) & (_smaller_sides(labels.vehicles) >= 8)
    limits = np.array((width, height), np.float32)

    def ignored(areas: Floats, objects: Floats) -> Floats:
        quads = np.concatenate((areas, objects))
        return np.clip(quads[_visible(quads, width, height) > 0], 0, limits)

    return Labels(
        labels.plates[plates],
        np.clip(labels.plate_boxes[plates], 0, limits),
        labels.has_corners[plates],
        ignored(labels.plate_ignore, labels.plates[~plates]),
        np.clip(labels.vehicles[vehicles], 0, limits),
        labels.vehicle_classes[vehicles],
        ignored(labels.vehicle_ignore, labels.vehicles[~vehicles]),
    )


def _smaller_sides(quads: Floats) -> Floats:
    """The smaller side of each quad's box, in pixels."""
    boxes = boxes_of(quads)
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).min(1), np.float32)


def _mapped(labels: Labels, matrix: Floats) -> Labels:
    """The labels after the affine map ``matrix`` (2, 3)."""
    return labels.moved(lambda quads: (quads @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32))


@dataclass(frozen=True)
class WindowSampler:
    """Cuts training windows (uint8, size x size x 3). ``reach`` is the longest side that a whole picture is scaled
    to where it is served (pixels); windows are cut at scales around it, so objects appear in the sizes of serving.
    """

    pictures: PackedPictures
    indices: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    width: int
    height: int
    reach: int = 640
    mosaic: float = 0.35

    def sample(self, random: Random) -> Sample:
        """A window or a mosaic, with a camera's faults."""
        if chance(random, self.mosaic):
            sample = self._mosaic(random)
        else:
            sample = self.window(random, self.width, self.height, whole=0.3)
        return Sample(degrade_scene(sample.pixels, random), sample.labels)

    def _mosaic(self, random: Random) -> Sample:
        """Four pictures in one (Bochkovskiy et al. 2020): small objects and many backgrounds at once."""
        canvas = np.full((self.height, self.width, 3), FILL, np.uint8)
        cut_x, cut_y = (int(random.uniform(0.3, 0.7) * s) for s in (self.width, self.height))
        parts = []
        for x1, x2 in ((0, cut_x), (cut_x, self.width)):
            for y1, y2 in ((0, cut_y), (cut_y, self.height)):
                part = self.window(random, x2 - x1, y2 - y1, whole=0.6)
                canvas[y1:y2, x1:x2] = part.pixels
                parts.append(_mapped(part.labels, np.array(((1, 0, x1), (0, 1, y1)), np.float32)))
        return Sample(canvas, Labels.merge(parts))

    def window(self, random: Random, width: int, height: int, whole: float) -> Sample:
        """A window of one picture, as sharp as that is; ``whole`` is how often it shows about all of it."""
        index = int(random.choice(self.indices, p=self.weights))
        pixels, labels = self.pictures.picture(index), labels_of(self.pictures.records[index])
        if chance(random, 0.5):
            pixels, labels = flip(pixels, labels)
        fit = min(width / pixels.shape[1], height / pixels.shape[0])
        native = self.reach / max(pixels.shape[:2])
        if chance(random, whole):
            scale = fit * random.uniform(0.75, 1.05)
        else:
            most = 2.4 if chance(random, 0.15) else 1.35  # now and then a close-up
            scale = float(np.exp(random.uniform(np.log(max(fit * 0.9, 0.3 * native)), np.log(most * native))))
        return _warped(pixels, labels, scale, width, height, random)


def _warped(pixels: Pixels, labels: Labels, scale: float, width: int, height: int, random: Random) -> Sample:
    stretch = float(np.exp(random.normal(0, 0.08)))
    turn = np.deg2rad(random.normal(0, 4 if chance(random, 0.7) else 12)) if chance(random, 0.5) else 0.0
    shear = random.normal(0, 0.06) if chance(random, 0.3) else 0.0
    linear = np.array(((np.cos(turn), -np.sin(turn) + shear), (np.sin(turn), np.cos(turn))), np.float32)
    linear = linear * np.array(((scale * stretch,), (scale / stretch,)), np.float32)
    focus = _focus(pixels, labels, random)
    target = random.uniform((0.2, 0.2), (0.8, 0.8)) * (width, height)
    corners = quad_of((0, 0, pixels.shape[1], pixels.shape[0])) @ linear.T
    low, high = corners.min(0), corners.max(0)
    shift = target - linear @ focus
    # Keep the window on the picture: no wider grey border than needed.
    free = np.array((width, height)) - (high - low)
    shift = np.where(free > 0, random.uniform(0, 1, 2) * free - low, np.clip(shift, free - low, -low))
    matrix = np.concatenate((linear, shift[:, None]), 1).astype(np.float32)
    view = matrix.copy()
    if scale < 0.55:
        pixels = augment.as_pixels(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        view[:, :2] *= 2
    # OpenCV counts from the centres of pixels, labels from their edges.
    view[:, 2] += view[:, :2] @ (0.5, 0.5) - 0.5
    out = cv2.warpAffine(
        np.ascontiguousarray(pixels), view, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=(FILL,) * 3
    )
    moved = _mapped(labels, matrix)
    moved.plate_boxes = refitted_boxes(labels, moved)
    if abs(turn) > STRONG_TURN:
        moved = without_vehicles(moved)
    return Sample(augment.as_pixels(out), clip_labels(moved, width, height))


def refitted_boxes(before: Labels, after: Labels) -> Floats:
    """Plate boxes after a turn, as loose around the turned corners as they were around the corners before.

    A box around a turned box would be looser than any label; without known corners there is nothing better.
    """
    if not len(before.plates):
        return after.plate_boxes
    hull, turned = boxes_of(before.plates), boxes_of(after.plates)
    sizes, turned_sizes = (np.tile(b[:, 2:] - b[:, :2], 2) for b in (hull, turned))
    boxes = turned + (boxes_of(before.plate_boxes) - hull) / np.maximum(sizes, 1e-3) * turned_sizes
    fitted = _quads([quad_of(box) for box in boxes.tolist()])
    return np.where(before.has_corners[:, None, None], fitted, after.plate_boxes).astype(np.float32)


def without_vehicles(labels: Labels) -> Labels:
    """Vehicles become areas to ignore: the box around a turned box says little of where the vehicle ends."""
    return replace(
        labels,
        vehicles=labels.vehicles[:0],
        vehicle_classes=labels.vehicle_classes[:0],
        vehicle_ignore=np.concatenate((labels.vehicle_ignore, labels.vehicles)),
    )


def _focus(pixels: Pixels, labels: Labels, random: Random) -> npt.NDArray[np.float64]:
    """A point worth seeing: mostly a plate, else a vehicle, else anywhere."""
    if len(labels.plates) and chance(random, 0.75):
        return np.asarray(labels.plates[random.integers(len(labels.plates))].mean(0), np.float64)
    if len(labels.vehicles) and chance(random, 0.7):
        return np.asarray(labels.vehicles[random.integers(len(labels.vehicles))].mean(0), np.float64)
    return random.uniform((0, 0), (pixels.shape[1], pixels.shape[0]))


def degrade_scene(pixels: Pixels, random: Random) -> Pixels:
    if chance(random, 0.7):
        pixels = augment.change_light(pixels, random)
    if chance(random, 0.12):
        pixels = augment.drop_colour(pixels, random)
    if chance(random, 0.12):
        pixels = augment.blur(pixels, random, 3)
    if chance(random, 0.15):
        pixels = augment.add_noise(pixels, random, random.uniform(2, 14))
    if chance(random, 0.15):
        pixels = augment.compress(pixels, random, 25)
    return pixels
