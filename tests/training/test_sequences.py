"""Drawn sequences: truth and pictures agree, and the same seed gives the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from openplate.datatypes import Box
from openplate.evaluation.tracking import read_sequences
from openplate.imaging import Image, crop
from openplate_training.plate_painter import PlatePainter
from openplate_training.sequences import KINDS, draw_background, draw_frame, make_scene, write_sequences
from openplate_training.traffic import NONE, Journey, Scene, Waypoint, detect


@pytest.fixture(scope="module")
def painter() -> PlatePainter:
    return PlatePainter([])


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_shows_what_its_truth_says(kind: str, painter: PlatePainter) -> None:
    """Where the truth has a plate in sight, the picture shows the plate that was drawn."""
    random = np.random.default_rng(3)
    scene, cars = make_scene(kind, painter, random)
    background = draw_background(random)
    at_s = scene.duration_s / 2
    picture = Image(draw_frame(scene, cars, at_s, background, random))
    seen = scene.look(at_s)
    assert seen
    for vehicle in seen:
        if vehicle.plate_box is None or vehicle.plate_seen < 1 or vehicle.plate_box.width < 40:
            continue
        shown = crop(picture, vehicle.plate_box).pixels.astype(float)
        drawn = cars[vehicle.id].plate.pixels.astype(float)
        assert np.allclose(shown.mean((0, 1)), drawn.mean((0, 1)), atol=25)


def test_a_seed_gives_the_same_sequence_however_many_follow(tmp_path: Path) -> None:
    (one,) = write_sequences(tmp_path / "one", 1, 5, 2)
    first, _ = write_sequences(tmp_path / "two", 2, 5, 2)
    assert {p.name: p.read_bytes() for p in one.iterdir()} == {p.name: p.read_bytes() for p in first.iterdir()}
    (sequence, _) = read_sequences(tmp_path / "two")
    assert sequence.name == "000_passing"
    assert any(vehicle.is_legible for frame in sequence.frames for vehicle in frame.vehicles)


def test_who_stands_lower_is_nearer_and_hides_the_others() -> None:
    far = Journey(1, "AA111AA", (Waypoint(0, 300, 300, 200), Waypoint(1, 300, 300, 200)))
    near = Journey(2, "BB222BB", (Waypoint(0, 300, 400, 300), Waypoint(1, 300, 400, 300)))
    behind, before = Scene((near, far)).look(0.5)
    assert (behind.id, before.id, before.seen) == (1, 2, 1.0)
    assert behind.seen < 0.5
    assert behind.plate_seen == 0
    assert behind.plate_box is None


def test_what_is_perfect_finds_all_and_reads_it() -> None:
    journey = Journey(1, "AB123CD", (Waypoint(0, 300, 300, 200), Waypoint(1, 300, 300, 200)))
    (truth,) = Scene((journey,)).look(0)
    (vehicle,), (plate,) = detect([truth], np.random.default_rng(0), NONE)
    assert vehicle.box == truth.box
    assert (plate.detection.box, plate.vehicle_index) == (truth.plate_box, 0)
    assert plate.reading is not None
    assert plate.reading.text == "AB123CD"


def test_a_screen_hides_what_is_behind_it() -> None:
    journey = Journey(1, "AB123CD", (Waypoint(0, 300, 300, 200), Waypoint(1, 300, 300, 200)))
    assert Scene((journey,), screens=(Box(0, 0, 1000, 720),)).look(0) == []
