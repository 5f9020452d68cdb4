"""Redaction: nothing of a plate can be read afterwards, all else stays as it is."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import make_box, make_picture, make_pixels, make_plate
from openplate import RecognitionOptions, Recognizer
from openplate.datatypes import Box, Corners, Plate
from openplate.imaging import Image
from openplate.redaction import STYLES, Covering, Style, areas_of, join_pieces, pieces, redact

STREET = Path(__file__).parents[1] / "examples" / "street.jpg"
PLATE = Corners((100, 80), (180, 90), (178, 112), (98, 102))
LOGO = Image(np.full((40, 160, 3), (200, 30, 60), np.uint8))


def noise(width: int = 320, height: int = 200) -> Image:
    return Image(np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8))


def spread(image: Image, box: Box) -> float:
    """Standard deviation of grey levels in a part."""
    part = image.pixels[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)]
    return float(part.mean(axis=2).std())


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(RecognitionOptions(threshold_reading=0.05))


@pytest.mark.parametrize(
    "covering", [Covering(), Covering(strength=1), Covering(strength=10), Covering("fill"), Covering("logo", logo=LOGO)]
)
def test_nothing_is_read_any_more(recognizer: Recognizer, covering: Covering) -> None:
    image = Image.from_path(STREET)
    careful = recognizer.with_options(RecognitionOptions(mode="redaction"))
    (before,) = careful.recognize([image.pixels])
    assert {"KN4827T", "WE3159A"} <= {plate.reading.text for plate in before.plates if plate.reading}
    hidden = redact(image, areas_of(before.plates), covering)
    (after,) = recognizer.recognize([hidden.pixels])
    assert [plate.reading for plate in after.plates if plate.reading] == []
    corners = [plate.detection.corners for plate in before.plates if plate.detection.corners]
    readings = [reading for reading in recognizer.read_plates(hidden, corners) if reading]
    assert all(reading.confidence < 0.05 for reading in readings)  # also where it knows that plates are


@pytest.mark.parametrize("style", STYLES)
def test_only_the_plate_and_a_little_around_it_change(style: Style) -> None:
    image = noise()
    before = image.pixels.copy()
    hidden = redact(image, [PLATE], Covering(style, logo=LOGO))
    assert np.array_equal(image.pixels, before)
    rows, columns = np.nonzero((hidden.pixels != before).any(axis=2))
    assert 85 <= columns.min() <= 98
    assert 180 <= columns.max() <= 195
    assert 68 <= rows.min() <= 80
    assert 112 <= rows.max() <= 125


def test_stronger_blurs_leave_less() -> None:
    box = make_box(60, 60, 260, 110)
    image = Image(
        np.kron(np.random.default_rng(5).integers(0, 256, (20, 32, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    )
    left = [spread(redact(image, [box], Covering(strength=s)), box) for s in range(1, 11)]
    assert left[0] < spread(image, box) / 2
    assert left[9] < 1
    assert left[0] > left[4] > left[9]


def test_neighbouring_texts_become_the_same_picture() -> None:
    """What tells two plates apart is gone: at the default they differ by a few grey levels at most."""
    box = make_box(40, 40, 200, 75)
    pictures = []
    for seed in (1, 2):
        pixels = np.full((120, 240, 3), 180, np.uint8)
        bars = np.random.default_rng(seed).permutation([30, 230] * 16)  # as much ink, elsewhere
        pixels[40:75, 40:200] = np.repeat(bars, 5)[None, :, None]
        pictures.append(redact(Image(pixels), [box]).pixels.astype(int))
    assert np.abs(pictures[0] - pictures[1]).mean() < 10


def test_fill_has_its_color_and_fades_out_at_the_rim() -> None:
    hidden = redact(Image(np.full((100, 200, 3), 200, np.uint8)), [make_box(50, 40, 150, 70)], Covering("fill"))
    column = hidden.pixels[:, 100, 0].astype(int)
    assert (column[40:70] == 0).all()
    assert (np.diff(column[70:]) >= 0).all()
    assert 0 < column[76] < 200
    assert column[99] == 200


def test_a_logo_lies_in_the_middle_of_the_plate() -> None:
    hidden = redact(
        Image(np.full((100, 200, 3), 255, np.uint8)), [make_box(50, 40, 150, 65)], Covering("logo", logo=LOGO)
    )
    assert np.abs(hidden.pixels[42:63, 55:145].astype(int) - (200, 30, 60)).max() <= 1


def test_kept_parts_stay() -> None:
    image, kept = noise(), make_box(90, 70, 140, 200)
    hidden = redact(image, [PLATE], kept=[kept]).pixels
    assert np.array_equal(hidden[70:200, 90:140], image.pixels[70:200, 90:140])
    assert not np.array_equal(hidden[90:110, 145:175], image.pixels[90:110, 145:175])


@given(st.lists(st.tuples(st.floats(0, 89), st.floats(0, 59)), min_size=4, max_size=4))
def test_corners_of_any_area_are_covered(points: list[tuple[float, float]]) -> None:
    image = Image(np.full((60, 90, 3), 255, np.uint8))
    hidden = redact(image, [Corners.from_points(points)], Covering("fill"))
    assert hidden.pixels.shape == image.pixels.shape
    for x, y in points:  # each corner that is in the picture is dark
        if 0 <= x < 90 and 0 <= y < 60 and np.ptp(points, axis=0).min() > 3:
            assert hidden.pixels[int(y), int(x)].max() < 60


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"style": "pixels"}, "no style 'pixels'"),
        ({"strength": 0}, "between 1 and 10, not 0"),
        ({"strength": 11}, "between 1 and 10, not 11"),
        ({"style": "logo"}, "a logo is needed"),
    ],
)
def test_impossible_coverings_are_refused(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Covering(**arguments)  # type: ignore[arg-type]


def test_box_and_corners_are_both_hidden_where_they_disagree() -> None:
    plate = make_plate(box=make_box(10, 10, 60, 25))
    assert len(areas_of([plate])) == 1


def test_pieces_cover_the_picture() -> None:
    assert pieces(1000, 200, 1, 0.2) == [Box(0, 0, 1000, 200)]
    three = pieces(1000, 200, 3, 0.2)
    assert (three[0].x1, three[-1].x2) == (0, 1000)
    widths = {round(piece.width / 10) for piece in three}
    assert widths <= {38, 39}
    for left, right in pairwise(three):
        assert left.x2 - right.x1 == pytest.approx(0.2 * left.width, abs=3)
    with pytest.raises(ValueError, match="no 0 pieces"):
        pieces(10, 10, 0, 0.2)


def test_plates_of_pieces_are_joined() -> None:
    left, right = Box(0, 0, 600, 200), Box(400, 0, 1000, 200)

    def at(x: float, confidence: float) -> Plate:
        return make_plate("AB12", box=Box(x, 50, x + 80, 70), confidence=confidence)

    joined = join_pieces([(left, [at(450, 0.6), at(10, 0.7)]), (right, [at(51, 0.9)])])
    assert [plate.detection.box.x1 for plate in joined] == [451, 10]
    assert join_pieces([]) == ()


def test_pictures_without_plates_come_back_unchanged() -> None:
    image = Image.from_bytes(make_picture(pixels=make_pixels())) if False else Image(make_pixels())
    assert np.array_equal(redact(image, []).pixels, image.pixels)
