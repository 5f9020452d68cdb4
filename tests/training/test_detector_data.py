"""The detector's samples: labels of the list, and windows whose labels stay on the pixels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_data import Pixels, draw_street, make_plate, make_scene
from openplate.datatypes import VEHICLE_LABELS
from openplate_training.data import PackedPictures, Record, pack_pictures
from openplate_training.detector_data import (
    FILL,
    TEACHER_SCORE,
    Labels,
    WindowSampler,
    boxes_of,
    clip_labels,
    degrade_scene,
    flip,
    labels_of,
    quad_of,
)
from openplate_training.detector_train import SET_WEIGHTS, batch_of, build_sampler, picture_weights

BOX = [30.0, 40.0, 70.0, 60.0]
LEANING = [[30.0, 42.0], [69.0, 40.0], [70.0, 58.0], [31.0, 60.0]]


def packed(pixels: Pixels, record: Record) -> PackedPictures:
    """One picture as training finds it."""
    shape = np.array([pixels.shape[:2]])
    return PackedPictures((record,), np.ascontiguousarray(pixels).reshape(-1), np.zeros(1, np.int64), shape)


def make_sampler(pictures: PackedPictures, width: int = 160, height: int = 128, mosaic: float = 0.0) -> WindowSampler:
    indices = np.arange(len(pictures))
    return WindowSampler(pictures, indices, np.full(len(indices), 1 / len(indices)), width, height, mosaic=mosaic)


# --- labels -------------------------------------------------------------------------------------------------------


def test_labels_of_a_record() -> None:
    record = make_scene(
        plates=[make_plate(BOX, corners=LEANING), make_plate([1, 2, 30, 12])],
        vehicles=[{"box": [0, 0, 90, 70], "type": "bus"}, {"box": [5, 5, 50, 50], "type": None}],
        ignore=[[100, 0, 110, 5]],
        ignore_vehicles=[[100, 0, 140, 50]],
    )
    labels = labels_of(record)
    assert labels.plates.tolist() == [LEANING, quad_of([1, 2, 30, 12])]
    assert labels.plate_boxes.tolist() == [quad_of(BOX), quad_of([1, 2, 30, 12])]
    assert labels.has_corners.tolist() == [True, False]
    assert labels.plate_ignore.tolist() == [quad_of([100, 0, 110, 5])]
    assert labels.vehicles.tolist() == [quad_of([0, 0, 90, 70]), quad_of([5, 5, 50, 50])]
    assert labels.vehicle_classes.tolist() == [VEHICLE_LABELS.index("bus"), -1]
    assert labels.vehicle_ignore.tolist() == [quad_of([100, 0, 140, 50])]


@pytest.mark.parametrize(
    ("label", "score", "is_taught"),
    [
        ("human", None, True),
        ("human", 0.1, True),
        ("teacher", TEACHER_SCORE + 0.01, True),
        ("teacher", TEACHER_SCORE - 0.01, False),
    ],
)
def test_weak_plates_of_the_teacher_are_neither_plate_nor_background(
    label: str, score: float | None, is_taught: bool
) -> None:
    labels = labels_of(make_scene(plates=[make_plate(BOX, label=label, score=score)]))
    assert (len(labels.plates), len(labels.plate_ignore)) == ((1, 0) if is_taught else (0, 1))


def test_an_empty_picture_has_labels_of_the_right_form() -> None:
    labels = clip_labels(labels_of(make_scene()), 64, 64)
    for quads in (labels.plates, labels.plate_boxes, labels.plate_ignore, labels.vehicles, labels.vehicle_ignore):
        assert quads.shape == (0, 4, 2)
        assert quads.dtype == np.float32
    assert boxes_of(labels.plates).shape == (0, 4)


@pytest.mark.parametrize(
    ("box", "outcome"),
    [
        ([10, 10, 50, 30], "taught"),
        ([-9, 10, 31, 30], "taught"),  # a little more than three quarters
        ([-11, 10, 29, 30], "ignored"),
        ([90, 10, 130, 30], "ignored"),
        ([10, 10, 50, 13], "ignored"),  # too flat to ask for
        ([-60, 10, -20, 30], "gone"),
    ],
)
def test_plates_at_the_edge_of_a_window(box: list[float], outcome: str) -> None:
    labels = clip_labels(labels_of(make_scene(plates=[make_plate(box)])), 100, 80)
    assert (len(labels.plates), len(labels.plate_ignore)) == {"taught": (1, 0), "ignored": (0, 1), "gone": (0, 0)}[
        outcome
    ]


@pytest.mark.parametrize(
    ("box", "outcome"),
    [
        ([-60, 10, 40, 60], "taught"),  # two fifths
        ([-70, 10, 30, 60], "ignored"),
        ([10, 10, 40, 17], "ignored"),
        ([100, 10, 140, 60], "gone"),
    ],
)
def test_vehicles_at_the_edge_of_a_window(box: list[float], outcome: str) -> None:
    record = make_scene(vehicles=[{"box": box, "type": "car"}])
    labels = clip_labels(labels_of(record), 100, 80)
    found = (len(labels.vehicles), len(labels.vehicle_classes), len(labels.vehicle_ignore))
    assert found == {"taught": (1, 1, 0), "ignored": (0, 0, 1), "gone": (0, 0, 0)}[outcome]


def test_only_corners_reach_over_the_edge() -> None:
    record = make_scene(
        plates=[make_plate([-5, 10, 35, 30]), make_plate([90, 40, 130, 60])],
        vehicles=[{"box": [-20, -20, 90, 70], "type": "car"}, {"box": [95, 0, 300, 300], "type": "car"}],
        ignore=[[-50, -50, 20, 20], [200, 200, 250, 250]],
        ignore_vehicles=[[50, 50, 500, 500]],
    )
    labels = clip_labels(labels_of(record), 100, 80)
    assert labels.plates.tolist() == [quad_of([-5, 10, 35, 30])]
    assert boxes_of(labels.plate_boxes).tolist() == [[0, 10, 35, 30]]
    assert boxes_of(labels.vehicles).tolist() == [[0, 0, 90, 70]]
    assert boxes_of(labels.plate_ignore).tolist() == [[0, 0, 20, 20], [90, 40, 100, 60]]
    assert boxes_of(labels.vehicle_ignore).tolist() == [[50, 50, 100, 80], [95, 0, 100, 80]]


def test_the_mirror_image_of_a_mirror_image() -> None:
    pixels, record = draw_street("KL123", 30, 20)
    labels = labels_of(record)
    mirrored_pixels, mirrored = flip(pixels, labels)
    np.testing.assert_array_equal(mirrored_pixels[:, 0], pixels[:, -1])
    again_pixels, again = flip(mirrored_pixels, mirrored)
    np.testing.assert_array_equal(again_pixels, pixels)
    for name in Labels.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(again, name), getattr(labels, name))


def test_corners_stay_clockwise_from_the_top_left_in_the_mirror() -> None:
    labels = labels_of(make_scene(plates=[make_plate(BOX, corners=LEANING)]))
    _, mirrored = flip(np.zeros((80, 100, 3), np.uint8), labels)
    assert mirrored.plates.tolist() == [[[31.0, 40.0], [70.0, 42.0], [69.0, 60.0], [30.0, 58.0]]]


# --- windows ------------------------------------------------------------------------------------------------------

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
RADIUS = 12


def draw_marks(size: int) -> tuple[Pixels, list[list[float]]]:
    """Four discs of four colours on black, and their middles; drawn large and averaged, so that they lie exactly."""
    finer = 8 // size
    marks = np.array(((90, 70), (190, 80), (185, 150), (85, 140))) * size * finer
    fine = np.zeros((220 * size * finer, 280 * size * finer, 3), np.uint8)
    for center, colour in zip(marks.tolist(), COLOURS, strict=True):
        cv2.circle(fine, center, RADIUS * size * finer, colour, -1)
    pixels = cv2.resize(fine, (280 * size, 220 * size), interpolation=cv2.INTER_AREA)
    # The middle of a disc is the middle of a pixel.
    return np.asarray(pixels, np.uint8), ((marks + 0.5) / finer).tolist()


def disc_near(pixels: Pixels, point: NDArray[np.float32], reach: float) -> tuple[NDArray[np.float64], list[bool]]:
    """Where the middle of the bright spot around a point lies, and which channels are lit there."""
    left, top = (max(0, int(value - reach)) for value in point)
    light = pixels[top : top + 2 * int(reach) + 2, left : left + 2 * int(reach) + 2].astype(np.float64)
    ys, xs = np.mgrid[: light.shape[0], : light.shape[1]] + np.array((top, left)).reshape(2, 1, 1) + 0.5
    light[(light == FILL).all(2) | (np.hypot(xs - point[0], ys - point[1]) > reach)] = 0
    total = light.sum(2)
    middle = np.array(((total * xs).sum(), (total * ys).sum())) / total.sum()
    return middle, (light.sum((0, 1)) > total.sum() / 4).tolist()


@pytest.mark.parametrize("size", [1, 4], ids=["enlarged", "reduced"])
def test_labels_follow_the_pixels(size: int) -> None:
    """Corners come out within a tenth of a pixel of the discs that were drawn around them, each on its own disc."""
    pixels, corners = draw_marks(size)
    record = make_scene(plates=[make_plate([*corners[0], *corners[2]], corners=corners)])
    sampler, random = make_sampler(packed(pixels, record), 320, 288), np.random.default_rng(4)
    width = float(np.linalg.norm(np.subtract(corners[1], corners[0])))
    plain = [[bool(channel) for channel in colour] for colour in COLOURS]
    mirrored = [plain[i] for i in (1, 0, 3, 2)]
    errors, seen = [], {"plain": 0, "mirrored": 0}
    while len(errors) < 400:
        sample = sampler.window(random, sampler.width, sampler.height, whole=0.3)
        if not len(sample.labels.plates):
            continue
        quad = sample.labels.plates[0]
        reach = RADIUS * size * float(np.linalg.norm(quad[1] - quad[0])) / width * 1.25 + 2
        if quad.min() < reach or (quad > np.array((320, 288)) - reach).any():
            continue
        found = [disc_near(sample.pixels, corner, reach) for corner in quad]
        lit = [channels for _, channels in found]
        assert lit in (plain, mirrored)
        seen["plain" if lit == plain else "mirrored"] += 1
        errors += [middle - corner for (middle, _), corner in zip(found, quad, strict=True)]
    assert min(seen.values()) > 10
    assert np.abs(np.mean(errors, 0)).max() < 0.02  # no direction of its own
    assert np.abs(errors).max() < 0.1


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_samples_have_the_asked_size_and_labels_inside(data_folder: Path, tmp_path: Path, mosaic: float) -> None:
    pictures = pack_pictures(data_folder / "scenes" / "scenes.jsonl", tmp_path / "scenes")
    sampler, random = build_sampler(pictures, 160, 128, mosaic), np.random.default_rng(2)
    counts = []
    for _ in range(20):
        sample = sampler.sample(random)
        assert sample.pixels.shape == (128, 160, 3)
        assert sample.pixels.dtype == np.uint8
        labels = sample.labels
        assert len(labels.plates) == len(labels.plate_boxes) == len(labels.has_corners)
        assert len(labels.vehicles) == len(labels.vehicle_classes)
        for quads in (labels.plate_boxes, labels.plate_ignore, labels.vehicles, labels.vehicle_ignore):
            assert quads.dtype == np.float32
            assert (quads >= 0).all()
            assert (quads <= (160, 128)).all()
        counts.append(len(labels.plates))
    assert sum(counts) > 10
    assert batch_of([sampler.sample(random) for _ in range(3)]).shape == (3, 128, 160, 3)


def test_the_pictures_of_a_mosaic_keep_to_their_parts() -> None:
    """An ignored area as large as its picture never reaches into the next part."""
    pixels = np.full((200, 200, 3), 50, np.uint8)
    record = make_scene(ignore=[[-500, -500, 700, 700]], ignore_vehicles=[[-500, -500, 700, 700]])
    sampler, random = make_sampler(packed(pixels, record), mosaic=1.0), np.random.default_rng(5)
    for _ in range(5):
        labels = sampler.sample(random).labels
        for quads in (labels.plate_ignore, labels.vehicle_ignore):
            boxes = boxes_of(quads)
            assert len(boxes) == 4
            areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
            assert areas.sum() == 160 * 128


def test_the_same_seed_gives_the_same_samples(data_folder: Path, tmp_path: Path) -> None:
    pictures = pack_pictures(data_folder / "scenes" / "scenes.jsonl", tmp_path / "scenes")
    sampler = build_sampler(pictures, 96, 96, 0.5)
    first, second = (sampler.sample(np.random.default_rng(seed)) for seed in (3, 3))
    np.testing.assert_array_equal(first.pixels, second.pixels)
    np.testing.assert_array_equal(first.labels.plates, second.labels.plates)


def test_sets_that_say_little_are_drawn_less_often() -> None:
    name, share = next(iter(SET_WEIGHTS.items()))
    weights = picture_weights([make_scene(), make_scene(set=name), make_scene()])
    np.testing.assert_allclose(weights, np.array((1, share, 1)) / (2 + share))


def test_a_sampler_takes_training_pictures_only(data_folder: Path, tmp_path: Path) -> None:
    pictures = pack_pictures(data_folder / "scenes" / "scenes.jsonl", tmp_path / "scenes")
    for record in pictures.records[::2]:
        record["split"] = "val"
    assert build_sampler(pictures, 96, 96, 0.5).indices.tolist() == list(range(1, 12, 2))


def test_degrading_keeps_the_form_and_leaves_the_original() -> None:
    pixels, _ = draw_street("KL123", 30, 20)
    before, random = pixels.copy(), np.random.default_rng(1)
    changed = 0
    for _ in range(30):
        degraded = degrade_scene(pixels, random)
        assert degraded.shape == pixels.shape
        assert degraded.dtype == np.uint8
        changed += not np.array_equal(degraded, pixels)
    assert changed > 15
    np.testing.assert_array_equal(pixels, before)
