"""Drawing: everything is seen, nothing leaves the picture, the given picture stays as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from factories import (
    make_attributes,
    make_box,
    make_known_street,
    make_pixels,
    make_plate,
    make_reading,
    make_recognition,
    make_vehicle,
)
from openplate.annotation import PLATE_COLOR, UNREAD_COLOR, VEHICLE_COLOR, annotate, look_of
from openplate.datatypes import (
    UNKNOWN,
    Box,
    Corners,
    Detection,
    Guess,
    MakeModel,
    Plate,
    Recognition,
    VehicleAttributes,
)
from openplate.imaging import Image
from strategies import recognitions


def grey(width: int = 640, height: int = 360, level: int = 128) -> Image:
    return Image(np.full((height, width, 3), level, dtype=np.uint8))


def color_of(image: Image, color: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Which pixels (height, width) have exactly that colour."""
    mask: NDArray[np.bool_] = (image.pixels == color).all(axis=2)
    return mask


def bounds(mask: NDArray[np.bool_]) -> Box:
    rows, columns = np.nonzero(mask)
    return Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def only_plate(box: Box, text: str | None = "AB12CDE") -> Recognition:
    return make_recognition("a.jpg", make_plate(text, box=box))


def test_given_picture_stays_as_it_is() -> None:
    image = Image(make_pixels(640, 360))
    before = image.pixels.copy()
    drawn = annotate(image, only_plate(make_box(100, 100, 200, 130)))
    assert np.array_equal(image.pixels, before)
    assert not np.array_equal(drawn.pixels, before)
    assert (drawn.width, drawn.height) == (640, 360)


def test_nothing_found_is_the_same_picture() -> None:
    image = Image(make_pixels(640, 360))
    assert np.array_equal(annotate(image, make_recognition()).pixels, image.pixels)


def test_plate_is_outlined_on_its_corners() -> None:
    corners = Corners((100, 100), (220, 120), (218, 160), (98, 140))
    plate = Plate(Detection("plate", "plate", corners.box, 0.9, corners), make_reading("AB1"))
    drawn = color_of(annotate(grey(), make_recognition("a.jpg", plate)), PLATE_COLOR)
    for x, y in corners.as_tuple():
        assert drawn[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].any()
    assert drawn[109:112, 160].any(), "the upper edge leans from corner to corner"
    assert not drawn[125:135, 140:180].any(), "the plate itself stays visible"


def test_each_kind_has_its_colour() -> None:
    boxes = [make_box(100, 100, 200, 130), make_box(300, 200, 380, 220)]
    recognition = make_recognition(
        "a.jpg",
        make_plate(box=boxes[0]),
        make_plate(None, box=boxes[1]),
        vehicles=(make_vehicle(box=make_box(50, 20, 600, 340)),),
    )
    drawn = annotate(grey(), recognition)
    for color in (PLATE_COLOR, UNREAD_COLOR, VEHICLE_COLOR):
        assert color_of(drawn, color).any()


@pytest.mark.parametrize("level", [0, 60, 128, 200, 255])
def test_labels_are_legible_on_any_ground(level: int) -> None:
    """Letters stand on a ground of their own: what lies under the label makes no difference."""
    box = make_box(200, 150, 320, 180)
    drawn = annotate(grey(level=level), only_plate(box))
    reference = annotate(grey(level=90), only_plate(box))
    label = bounds(color_of(reference, PLATE_COLOR)[:145])
    part = np.s_[int(label.y1) : 145, int(label.x1) : int(label.x2)]
    assert np.array_equal(drawn.pixels[part][:12], reference.pixels[part][:12])
    luminance = drawn.pixels[part].mean(axis=2)
    assert luminance.max() - luminance.min() > 120


@pytest.mark.parametrize(("width", "height"), [(320, 240), (640, 480), (1920, 1080), (4000, 3000)])
def test_letters_grow_with_the_picture(width: int, height: int) -> None:
    drawn = annotate(
        grey(width, height),
        only_plate(Box(width * 0.4, height * 0.7, width * 0.6, height * 0.8)),
    )
    label = bounds(color_of(drawn, PLATE_COLOR)[: int(height * 0.7) - 8])
    assert label.height >= max(14, height / 50)
    assert label.height < height / 8
    assert label.width < width


@pytest.mark.parametrize(
    "box", [Box(0, 0, 60, 15), Box(580, 0, 640, 15), Box(0, 345, 60, 360), Box(580, 345, 640, 360)]
)
def test_labels_at_the_rim_stay_inside(box: Box) -> None:
    """All of the label is there: as many of its pixels as in the middle of the picture."""

    def label_pixels(where: Box) -> int:
        drawn = color_of(annotate(grey(), only_plate(where)), PLATE_COLOR)
        drawn[max(0, int(where.y1) - 6) : int(where.y2) + 6, max(0, int(where.x1) - 6) : int(where.x2) + 6] = 0
        return int(drawn.sum())

    middle = label_pixels(Box(300, 150, 360, 165))
    assert label_pixels(box) == pytest.approx(middle, rel=0.05)


def test_labels_avoid_each_other_and_the_plates() -> None:
    """Two plates above each other once had the lower one's label on the upper one."""
    upper, lower = make_box(200, 100, 320, 130), make_box(200, 140, 320, 170)
    recognition = make_recognition("a.jpg", make_plate(box=upper), make_plate(box=lower))
    drawn = annotate(grey(), recognition)
    for box in (upper, lower):
        inner = drawn.pixels[int(box.y1) + 6 : int(box.y2) - 6, int(box.x1) + 6 : int(box.x2) - 8]
        assert (inner == 128).all()


@pytest.mark.parametrize(("width", "height", "factor"), [(64, 48, 5), (319, 100, 2), (320, 100, 1), (1, 1, 320)])
def test_narrow_pictures_are_enlarged_by_a_whole_factor(width: int, height: int, factor: int) -> None:
    drawn = annotate(grey(width, height), only_plate(Box(0, 0, width, height)))
    assert (drawn.width, drawn.height) == (width * factor, height * factor)


def test_enlarging_has_a_limit() -> None:
    drawn = annotate(grey(2, 5000), only_plate(Box(0, 0, 2, 10)))
    assert drawn.width * drawn.height <= 4_000_000


def test_names_beyond_ascii_do_not_fail() -> None:
    reading = make_reading("京A12345", region=("cn", 0.9))
    annotate(grey(), make_recognition("a.jpg", make_plate(reading=reading)))


@given(recognitions(exact=False), st.sampled_from([(1, 1), (33, 400), (320, 20), (700, 500)]))
@example(only_plate(Box(-1e9, -1e9, 1e9, 1e9)), (320, 240))
def test_any_recognition_can_be_drawn(recognition: Recognition, size: tuple[int, int]) -> None:
    drawn = annotate(grey(*size), recognition)
    assert drawn.width % size[0] == 0
    assert drawn.height % size[1] == 0


@pytest.mark.parametrize(
    ("changes", "look"),
    [
        ({}, "grey Toyota RAV4"),
        ({"make_models": (MakeModel("Toyota", None, 0.9),)}, "grey Toyota"),
        ({"make_models": (MakeModel(UNKNOWN, None, 0.6),)}, "grey Toyota"),
        ({"make_models": (), "makes": ()}, "grey"),
        ({"colors": (Guess(UNKNOWN, 0.6), Guess("red", 0.4))}, "Toyota RAV4"),
        ({"colors": (), "makes": (Guess(UNKNOWN, 0.6),), "make_models": (MakeModel(UNKNOWN, None, 0.6),)}, ""),
    ],
)
def test_table_of_looks(changes: dict[str, tuple[Guess, ...]], look: str) -> None:
    assert look_of(make_attributes(**changes)) == look


def test_the_look_of_a_vehicle_is_written_beside_it() -> None:
    assert look_of(None) == look_of(VehicleAttributes()) == ""
    known, street = make_known_street(), replace(make_known_street(), vehicles=(make_vehicle(),))
    ground = grey(1280, 720)
    ink = [int(color_of(annotate(ground, each), VEHICLE_COLOR).sum()) for each in (street, known)]
    assert ink[1] > 1.2 * ink[0]
