"""What counts as motion, on drawn scenes over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from openplate.datatypes import Box
from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.video.motion import MotionGate, MotionOptions

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
STEP_S = 0.2
CAR = (200, 90)  # pixels


class Scene:
    """A street of 640x360 seen by one gate, five times a second; ``light`` is added to every pixel."""

    def __init__(self, gate: MotionGate | None = None, noise: float = 2.0, size: tuple[int, int] = (640, 360)) -> None:
        self.generator = np.random.default_rng(5)
        self.gate = gate or MotionGate()
        self.time_s = 0.0
        coarse = self.generator.integers(60, 170, (9, 16), dtype=np.uint8)
        self.grains = [self.generator.normal(0, noise, size[::-1]).astype(np.float32) for _ in range(9)]
        self.street = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)

    def show(
        self, car: float | None = None, light: float = 0.0, gain: float = 1.0, extra: object = None
    ) -> tuple[Box, ...]:
        levels = self.street.copy()
        if car is not None:
            left = round(car)
            paint(levels, left, 200, *CAR, 225)
            paint(levels, left + 40, 210, 60, 25, 40)  # its window
        if callable(extra):
            extra(levels)
        levels = levels * np.float32(gain) + np.float32(light) + self.grains[self.generator.integers(9)]
        grey = np.clip(levels, 0, 255).astype(np.uint8)
        frame = Frame(Image(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)), "gate", 0, NOON + timedelta(seconds=self.time_s))
        self.time_s += STEP_S
        return self.gate.update(frame)

    def settle(self, **shown: float) -> None:
        for _ in range(20):
            self.show(**shown)  # type: ignore[arg-type]


def paint(levels: NDArray[np.float32], left: int, top: int, width: int, height: int, level: float) -> None:
    levels[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = level


def settled(**options: float) -> Scene:
    scene = Scene(MotionGate(MotionOptions(**options)))
    scene.settle()
    return scene


def test_the_first_picture_is_looked_at_whole() -> None:
    assert Scene().show() == (Box(0, 0, 640, 360),)


@pytest.mark.parametrize(("noise", "learning"), [(0, 0), (2, 0), (6, 0), (15, 40)])
def test_noise_is_no_motion_once_it_is_known(noise: float, learning: int) -> None:
    scene = Scene(noise=noise)
    scene.show()
    assert [scene.show() for _ in range(learning + 60)][learning:] == [()] * 60


def test_a_car_that_drives_by_is_seen_as_long_as_it_does_and_no_longer() -> None:
    scene = settled()
    for left in range(-160, 640, 30):
        boxes = scene.show(car=left)
        visible = Box(max(left, 0), 200, min(left + CAR[0], 640), 290)
        assert any(box.intersect(visible).area >= 0.5 * visible.area for box in boxes), left
    gone = [scene.show() for _ in range(50)]
    assert gone[3:] == [()] * 47


def test_a_car_that_stops_counts_until_it_stands_and_again_when_it_leaves() -> None:
    scene = settled()
    for left in range(0, 300, 30):
        assert scene.show(car=left)
    standing = [scene.show(car=300) for _ in range(100)]
    assert standing[10:] == [()] * 90
    leaving = [scene.show(car=300 + 15 * number) for number in range(1, 10)]
    assert all(leaving[1:])
    assert [scene.show() for _ in range(60)][10:] == [()] * 50  # the place that it has left


def test_a_car_that_creeps_is_seen() -> None:
    scene = settled()
    assert all([scene.show(car=100 + 2 * number) for number in range(60)][3:])


def test_a_light_that_is_switched_on_counts_for_moments() -> None:
    scene = settled()
    switched = [scene.show(light=60, gain=1.2) for _ in range(50)]
    assert switched[0] == (Box(0, 0, 640, 360),)
    assert switched[6:] == [()] * 44
    assert scene.show(car=200, light=60, gain=1.2)


def test_a_lamp_that_lights_a_part_counts_for_moments() -> None:
    def lamp(levels: NDArray[np.float32]) -> None:
        levels[100:250, 400:600] += 50

    scene = settled()
    lit = [scene.show(extra=lamp) for _ in range(60)]
    assert lit[0]
    assert lit[10:] == [()] * 50


def test_clouds_dusk_and_exposure_are_no_motion() -> None:
    scene = settled()
    assert [scene.show(light=0.8 * number) for number in range(60)] == [()] * 60
    assert [scene.show(light=48 - 1.5 * number) for number in range(60)] == [()] * 60
    assert [scene.show(light=-42 + (30 if number % 20 > 10 else 0)) for number in range(100)] == [()] * 100


def test_key_frames_that_look_a_little_different_are_no_motion() -> None:
    def blocks(levels: NDArray[np.float32]) -> None:
        rough = np.random.default_rng(int(scene.time_s * 10)).normal(0, 4, (45, 80)).astype(np.float32)
        levels += cv2.resize(rough, (640, 360), interpolation=cv2.INTER_NEAREST)

    scene = settled()
    assert [scene.show(extra=blocks if number % 10 == 0 else None) for number in range(100)] == [()] * 100


def test_a_car_is_seen_in_front_of_trees_in_the_wind() -> None:
    def trees(levels: NDArray[np.float32]) -> None:
        sway = np.random.default_rng(int(scene.time_s * 100)).normal(0, 8, (36, 64)).astype(np.float32)
        levels[150:300] += cv2.resize(sway, (640, 360), interpolation=cv2.INTER_CUBIC)[150:300]

    scene = settled()
    for _ in range(50):
        scene.show(extra=trees)
    assert sum(bool(scene.show(extra=trees)) for _ in range(50)) < 15
    assert all(scene.show(car=left, extra=trees) for left in range(0, 400, 30))


def test_what_is_too_small_does_not_count() -> None:
    def bird(levels: NDArray[np.float32]) -> None:
        left = round(scene.time_s * 100) % 600
        levels[50:58, left : left + 8] = 0

    scene = settled()
    assert [scene.show(extra=bird) for _ in range(40)] == [()] * 40
    scene = settled(min_area=0.0001)
    assert any(scene.show(extra=bird) for _ in range(40))


def test_ignored_parts_do_not_count() -> None:
    ignored = np.zeros((36, 64), np.uint8)
    ignored[18:] = 255
    scene = Scene(MotionGate(ignored=ignored))
    scene.settle()
    assert [scene.show(car=left) for left in range(0, 600, 30)] == [()] * 20

    def above(levels: NDArray[np.float32]) -> None:
        paint(levels, round(scene.time_s * 60) % 400, 40, 150, 60, 230)

    assert any(scene.show(extra=above) for _ in range(5))


def test_after_a_gap_or_with_another_size_all_is_learnt_anew() -> None:
    scene = settled()
    scene.time_s += 30
    assert scene.show() == (Box(0, 0, 640, 360),)
    assert scene.show() == ()
    small = Scene(scene.gate, size=(320, 180))
    small.time_s = scene.time_s
    assert small.show() == (Box(0, 0, 320, 180),)
    small.time_s -= 100  # the clock was set back
    assert small.show() == (Box(0, 0, 320, 180),)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (101, 77), (3840, 2160), (360, 640), (2000, 2)])
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    gate = MotionGate()
    for number in range(4):
        pixels = np.full((size[1], size[0], 3), 60 if number < 3 else 200, np.uint8)
        boxes = gate.update(Frame(Image(pixels), "gate", number, NOON + timedelta(seconds=number)))
        for box in boxes:
            assert 0 <= box.x1 < box.x2 <= size[0]
            assert 0 <= box.y1 < box.y2 <= size[1]


@pytest.mark.parametrize(
    "wrong", [{"threshold": 0}, {"min_area": 0}, {"min_area": 1}, {"light_share": 0}, {"adaptation": 0}]
)
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MotionOptions(**wrong)


def test_a_clock_that_the_camera_writes_into_its_picture_is_no_motion() -> None:
    """Of the usual size: else a frame would be analysed each second, day and night."""

    def clock(levels: NDArray[np.float32]) -> None:
        text = (NOON + timedelta(seconds=scene.time_s)).strftime("%Y-%m-%d %H:%M:%S")
        written = np.zeros(levels.shape, np.uint8)
        cv2.putText(written, text, (40, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 255.0, 4)
        levels[written > 0] = 250

    scene = Scene(size=(1920, 1080))
    for _ in range(10):
        scene.show(extra=clock)
    assert [scene.show(extra=clock) for _ in range(70)] == [()] * 70
