"""Training samples for the attribute network: vehicle crops, vehicles cut from whole pictures, and no vehicles.

Each set of crops answers some questions only, and some answers leave several labels open (a "car" of unknown body
is a sedan or an SUV): a sample names for each head the labels that would be right, none where nothing is known.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from openplate.attributes import HEADS, ORIENTATIONS
from openplate_training import augment
from openplate_training.attributes_model import HEIGHT, WIDTH
from openplate_training.augment import Random, as_pixels, chance
from openplate_training.data import PackedPictures, Pixels, Record

TYPES = ("sedan", "suv", "pickup truck", "van", "bus", "big truck", "motorcycle")
BODIES = ("sedan", "suv", "coupe", "convertible", "pickup", "hatchback", "wagon", "van", "minivan")
COLORS = (
    *("black", "blue", "brown", "gold-beige", "green", "grey", "orange"),
    *("pink", "purple", "red", "silver", "white", "yellow"),
)
VIEWS = ("front", "front_left", "left", "rear_left", "rear", "rear_right", "right", "front_right")
TYPES_OF_WORD = {"car": ("sedan", "suv")}
# A detector that knows five classes calls these by the name on the left.
TYPES_OF_DETECTION = {
    "car": ("sedan", "suv", "van", "pickup truck"),
    "truck": ("big truck", "pickup truck", "van"),
    "bus": ("bus",),
    "motorcycle": ("motorcycle",),
    "van": ("van",),
}
BODIES_OF_TYPE = {
    "sedan": ("sedan", "coupe", "convertible", "hatchback", "wagon"),
    "suv": ("suv",),
    "pickup truck": ("pickup",),
    "van": ("van", "minivan"),
}
COLORS_OF_SET = {("color_vehicles", "silver"): ("silver", "grey")}  # that set has no grey
LEAST_EXAMPLES = 3  # models with fewer training crops count as "some other model" of their make

SHARES = {
    "stanford_cars_crops": 0.33,
    "color_vehicles": 0.17,
    "orientation_views": 0.12,
    "inspection_make_views": 0.10,
    "id_highway_vehicles": 0.07,
    "type_lowres_zenodo": 0.05,
    "type_car_motorcycle": 0.03,
    "th_carparts_views": 0.04,
    "vn_fixed_cam_rear": 0.02,
    "es_seat_models": 0.02,
    "make_eu5": 0.01,
}
"""How often each set is drawn; scenes and crops of nothing share the rest."""
SCENES_SHARE, NOTHING_SHARE = 0.03, 0.01

Allowed = tuple[tuple[int, ...], ...]
"""For each head the labels that would be right; empty where nothing is known."""
NOTHING: Allowed = ()
"""The answer for a crop without a vehicle: no label is likelier than another."""


def is_held_for_calibration(record: Record) -> bool:
    """A few training crops are never trained on: the confidences are fitted to them."""
    return zlib.crc32(record["image"].encode()) % 100 < 4


def year_span(year: int) -> str:
    """The five years that a year belongs to, as "2010-2014"."""
    first = year - year % 5
    return f"{first}-{first + 4}"


def attribute_labels(records: Sequence[Record]) -> dict[str, tuple[str, ...]]:
    """The labels of each head: fixed words, and makes, models and years as the training crops have them.

    A model is "Make|Model"; "Make|" is any other model of that make.
    """
    training = [r for r in records if r["split"] == "train"]
    models = Counter((r["make"], r["model"]) for r in training if r["make"])
    makes = {f"{make}|" for make, _ in models}
    known = {f"{make}|{model}" for (make, model), n in models.items() if model and n >= LEAST_EXAMPLES}
    years = {year_span(r["year"]) for r in training if r["year"]}
    return {
        "type": TYPES,
        "model": tuple(sorted(makes | known)),
        "body": BODIES,
        "year": tuple(sorted(years)),
        "color": COLORS,
        "view": VIEWS,
    }


def _model_words(record: Record, labels: Sequence[str]) -> tuple[str, ...]:
    make, model = record["make"], record["model"]
    if not make:
        return ()
    if model:
        return (f"{make}|{model}",) if f"{make}|{model}" in labels else (f"{make}|",)
    return tuple(label for label in labels if label.startswith(f"{make}|"))


def right_words(record: Record, labels: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The labels that agree with what is known of a crop, by head; none where nothing is known."""
    kind, body, color = record["type"], record["body_type"], record["color"]
    view = record.get("view")
    return {
        "type": TYPES_OF_WORD.get(kind, (kind,)) if kind else (),
        "model": _model_words(record, labels["model"]),
        "body": (body,) if body else BODIES_OF_TYPE.get(kind, ()),
        "year": (year_span(record["year"]),) if record["year"] else (),
        "color": COLORS_OF_SET.get((record["set"], color), (color,)) if color else (),
        "view": (view,) if view else ORIENTATIONS.get(record["orientation"], ()),
    }


def to_indices(words: dict[str, tuple[str, ...]], labels: dict[str, tuple[str, ...]]) -> Allowed:
    return tuple(tuple(labels[head].index(word) for word in words.get(head, ())) for head in HEADS)


def mirrored(words: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """What is right of the mirror image: left and right change places."""
    swap = {"left": "right", "right": "left"}
    views = tuple("_".join(swap.get(part, part) for part in view.split("_")) for view in words.get("view", ()))
    return {**words, "view": views}


def shaken(pixels: Pixels, random: Random) -> Pixels:
    """The network's input (HEIGHT, WIDTH, 3) from a crop, as imperfect boxes would have cut it."""
    height, width = pixels.shape[:2]
    size = np.array((width, height)) * (1 + random.normal(0.0, 0.07, 2))
    center = np.array((width, height)) * (0.5 + random.normal(0, 0.035, 2))
    if chance(random, 0.12):  # cut off by the frame's edge
        axis, cut = int(random.integers(2)), random.uniform(0.1, 0.4)
        center[axis] += size[axis] * cut / 2 * random.choice((-1, 1))
        size[axis] *= 1 - cut
    turn = np.deg2rad(random.normal(0, 2.5))
    across = np.array((np.cos(turn), np.sin(turn))) * size[0] / 2
    down = np.array((-np.sin(turn), np.cos(turn))) * size[1] / 2
    source = np.array((center - across - down, center + across - down, center - across + down), np.float32)
    target = np.array(((0, 0), (WIDTH, 0), (0, HEIGHT)), np.float32)
    factor = max(size[0] / WIDTH, size[1] / HEIGHT)
    if factor > 1.5:  # an affine warp samples too sparsely there
        pixels = as_pixels(cv2.resize(pixels, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA))
        source /= np.float32(factor)
    matrix = cv2.getAffineTransform(source, target)
    border = cv2.BORDER_REPLICATE if chance(random, 0.7) else cv2.BORDER_REFLECT
    return as_pixels(cv2.warpAffine(pixels, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=border))


def _glare(pixels: Pixels, random: Random) -> Pixels:
    """A lamp or the sun: a bright spot that fades."""
    height, width = pixels.shape[:2]
    x, y = random.uniform(0, width), random.uniform(0, height)
    radius = random.uniform(0.08, 0.4) * width
    xs, ys = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
    light = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * radius**2)) * random.uniform(80, 260)
    return np.asarray(np.clip(pixels + light[..., None], 0, 255), np.uint8)


def _rain(pixels: Pixels, random: Random) -> Pixels:
    """Bright streaks, all in one direction."""
    layer = np.zeros(pixels.shape[:2], np.uint8)
    lean, length = random.normal(0, 4), random.uniform(6, 22)
    for x, y in random.uniform((0, 0), (WIDTH, HEIGHT), (int(random.integers(15, 90)), 2)):
        cv2.line(layer, (int(x), int(y)), (int(x + lean), int(y + length)), int(random.integers(40, 140)), 1)
    return as_pixels(cv2.add(pixels, cv2.merge((layer, layer, layer))))


def _cover(pixels: Pixels, random: Random) -> Pixels:
    """Something in front of the vehicle (random erasing, Zhong et al. 2017)."""
    w, h = int(random.uniform(0.1, 0.4) * WIDTH), int(random.uniform(0.1, 0.5) * HEIGHT)
    x, y = int(random.integers(WIDTH - w)), int(random.integers(HEIGHT - h))
    covered = pixels.copy()
    covered[y : y + h, x : x + w] = random.integers(0, 256, 3)
    return covered


def degraded(pixels: Pixels, random: Random) -> Pixels:
    """What cameras and weather do to a vehicle."""
    if chance(random, 0.5):
        pixels = augment.change_light(pixels, random)
    for probability, change in ((0.1, augment.cast_shadow), (0.06, _glare), (0.04, _rain), (0.12, _cover)):
        if chance(random, probability):
            pixels = change(pixels, random)
    if chance(random, 0.12):
        pixels = augment.blur(pixels, random, 3)
    if chance(random, 0.2):
        pixels = augment.lose_resolution(pixels, random, 0.25)
    if chance(random, 0.15):
        pixels = augment.add_noise(pixels, random, random.uniform(2, 20))
    if chance(random, 0.15):
        pixels = augment.compress(pixels, random, 15)
    return pixels


@dataclass(frozen=True)
class SceneVehicle:
    """A vehicle in a whole picture: whole pixels (x1, y1, x2, y2), and the class that it has there."""

    picture: int
    box: tuple[int, int, int, int]
    kind: str


def scene_vehicles(scenes: PackedPictures, least_px: int = 36) -> list[SceneVehicle]:
    """The vehicles of the training pictures whose class is known well and that are large enough to tell."""
    found = []
    for index in scenes.subset(lambda r: r["split"] == "train"):
        height, width = scenes.shapes[index]
        for vehicle in scenes.records[index]["vehicles"]:
            x1, y1, x2, y2 = (round(v) for v in vehicle["box"])
            box = (max(x1, 0), max(y1, 0), min(x2, int(width)), min(y2, int(height)))
            is_sure = vehicle["label"] == "human" or (vehicle["score"] or 0) >= 0.6
            if vehicle["type"] and is_sure and min(box[2] - box[0], box[3] - box[1]) >= least_px:
                found.append(SceneVehicle(int(index), box, vehicle["type"]))
    return found


@dataclass
class AttributeSampler:
    """Mixes the sets; within a set, rare answers come more often than their share."""

    crops: PackedPictures
    scenes: PackedPictures
    labels: dict[str, tuple[str, ...]]
    indices: npt.NDArray[np.int64] = field(init=False)
    weights: npt.NDArray[np.float64] = field(init=False)
    vehicles: list[SceneVehicle] = field(init=False)
    vehicle_weights: npt.NDArray[np.float64] = field(init=False)
    empty: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.indices = self.crops.subset(lambda r: r["split"] == "train" and not is_held_for_calibration(r))
        records = [self.crops.records[i] for i in self.indices]
        keys = [(r["set"], r["type"], r["color"], r.get("view"), r["model"]) for r in records]
        counts, sizes = Counter(keys), Counter[str]()
        rarity = np.array([counts[key] ** -0.4 for key in keys])
        for record, value in zip(records, rarity, strict=True):
            sizes[record["set"]] += value
        weights = np.array([SHARES.get(r["set"], 0.02) / sizes[r["set"]] for r in records]) * rarity
        self.weights = weights / weights.sum()
        self.vehicles = scene_vehicles(self.scenes)
        kinds = Counter(vehicle.kind for vehicle in self.vehicles)
        chances = np.array([kinds[vehicle.kind] ** -0.7 for vehicle in self.vehicles])
        self.vehicle_weights = chances / chances.sum() if len(chances) else chances
        self.empty = self.scenes.subset(lambda r: r["split"] == "train" and r["vehicles_exhaustive"])

    def sample(self, random: Random) -> tuple[Pixels, Allowed]:
        """A crop (HEIGHT, WIDTH, 3) and its right labels, NOTHING where there is no vehicle."""
        dice = random.random()
        if dice < NOTHING_SHARE and len(self.empty):
            return degraded(shaken(self._nothing(random), random), random), NOTHING
        if dice < NOTHING_SHARE + SCENES_SHARE and self.vehicles:
            pixels, words = self._from_scene(random)
        else:
            index = int(random.choice(self.indices, p=self.weights))
            pixels, words = self.crops.picture(index), right_words(self.crops.records[index], self.labels)
        pixels = shaken(pixels, random)
        if chance(random, 0.5):
            pixels, words = np.ascontiguousarray(pixels[:, ::-1]), mirrored(words)
        if chance(random, 0.06):
            pixels, words = augment.drop_colour(pixels, random), {**words, "color": ()}
        return degraded(pixels, random), to_indices(words, self.labels)

    def _from_scene(self, random: Random) -> tuple[Pixels, dict[str, tuple[str, ...]]]:
        vehicle = self.vehicles[int(random.choice(len(self.vehicles), p=self.vehicle_weights))]
        x1, y1, x2, y2 = vehicle.box
        return self.scenes.picture(vehicle.picture)[y1:y2, x1:x2], {"type": TYPES_OF_DETECTION[vehicle.kind]}

    def _nothing(self, random: Random) -> Pixels:
        """A piece of a picture that no vehicle touches; noise where there is no such piece."""
        index = int(random.choice(self.empty))
        record, pixels = self.scenes.records[index], self.scenes.picture(index)
        height, width = pixels.shape[:2]
        taken = [v["box"] for v in record["vehicles"]] + list(record.get("ignore_vehicles") or ())
        for _ in range(8):
            w, h = int(random.uniform(0.1, 0.5) * width), int(random.uniform(0.1, 0.5) * height)
            x, y = int(random.integers(width - w)), int(random.integers(height - h))
            if not any(x < x2 and x1 < x + w and y < y2 and y1 < y + h for x1, y1, x2, y2 in taken):
                return pixels[y : y + h, x : x + w]
        return np.asarray(random.integers(0, 256, (16, 20, 3)), np.uint8)
