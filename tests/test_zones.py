"""What lies in a zone counts, in pictures of any size, whether it is drawn as polygons or as a mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from factories import make_plate, make_recognition, make_vehicle
from openplate.datatypes import Box
from openplate.errors import ImageError
from openplate.geometry import is_inside
from openplate.imaging import Image, encode_jpeg, encode_png
from openplate.zones import Zone

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
L_SHAPE = [(0, 0), (4, 0), (4, 2), (2, 2), (2, 4), (0, 4)]


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        ((1, 1), True),
        ((3, 1), True),
        ((1, 3), True),
        ((3, 3), False),
        ((5, 1), False),
        ((-1, 1), False),
        ((1, 5), False),
    ],
)
def test_points_in_a_polygon_that_is_not_convex(point: tuple[float, float], inside: bool) -> None:
    assert is_inside([point], L_SHAPE).tolist() == [inside]
    assert is_inside([point], L_SHAPE[::-1]).tolist() == [inside]


def test_neighbours_share_no_point() -> None:
    points = np.stack(np.meshgrid(np.arange(0, 4.1, 0.25), np.arange(0, 4.1, 0.25)), axis=-1).reshape(-1, 2)
    left, right = [(0, 0), (2, 0), (2, 4), (0, 4)], [(2, 0), (4, 0), (4, 4), (2, 4)]
    assert not (is_inside(points, left) & is_inside(points, right)).any()


def test_a_polygon_has_three_corners() -> None:
    with pytest.raises(ValueError, match="three"):
        is_inside([(0, 0)], [(0, 0), (1, 1)])


def zones() -> list[Zone]:
    """The left half, as a polygon and as masks of two kinds."""
    pixels = np.zeros((90, 160, 3), np.uint8)
    pixels[:, :80] = 255
    drawn = Image(pixels)
    lossy = Image.from_bytes(encode_jpeg(drawn, quality=60))
    return [Zone.from_polygons([LEFT_HALF]), Zone.from_image(drawn), Zone.from_image(lossy)]


@pytest.mark.parametrize("zone", zones(), ids=["polygon", "mask", "mask from JPEG"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 480), (97, 33)])
def test_what_has_its_centre_in_the_zone_counts(zone: Zone, width: int, height: int) -> None:
    def box(x: float) -> Box:
        return Box(x * width - 5, 10, x * width + 5, 20)

    assert [zone.has(box(x), width, height) for x in (0.1, 0.45, 0.55, 0.9)] == [True, True, False, False]


@pytest.mark.parametrize("zone", zones(), ids=["polygon", "mask", "mask from JPEG"])
def test_plates_and_vehicles_outside_are_left_out_and_the_others_stay_together(zone: Zone) -> None:
    right, left = make_vehicle(box=Box(800, 100, 1200, 500)), make_vehicle(box=Box(100, 100, 500, 500))
    plates = (
        make_plate("AA111AA", box=Box(950, 400, 1050, 430), vehicle_index=0),
        make_plate("BB222BB", box=Box(250, 400, 350, 430), vehicle_index=1),
    )
    selected = zone.select(make_recognition("street.jpg", *plates, vehicles=(right, left)))
    assert selected.vehicles == (left,)
    assert [(p.reading and p.reading.text, p.vehicle_index) for p in selected.plates] == [("BB222BB", 0)]


def test_a_plate_inside_on_a_vehicle_outside_stays_alone() -> None:
    vehicle = make_vehicle(box=Box(500, 100, 1200, 500))
    plate = make_plate(box=Box(550, 400, 620, 430), vehicle_index=0)
    selected = Zone.from_polygons([LEFT_HALF]).select(make_recognition("a", plate, vehicles=(vehicle,)))
    assert (selected.vehicles, selected.plates[0].vehicle_index) == ((), None)


def test_several_polygons_are_one_zone() -> None:
    zone = Zone.from_polygons([((0, 0), (0.2, 0), (0, 0.2)), ((1, 1), (0.8, 1), (1, 0.8))])
    assert [zone.has(Box(x, x, x, x), 100, 100) for x in (5, 50, 95)] == [True, False, True]


@pytest.mark.parametrize("zone", zones(), ids=["polygon", "mask", "mask from JPEG"])
def test_a_motion_gate_ignores_the_rest(zone: Zone) -> None:
    ignored = zone.ignored()
    assert ignored.dtype == np.uint8
    assert not ignored[:, : ignored.shape[1] // 2 - 3].any()
    assert (ignored[:, ignored.shape[1] // 2 + 3 :] == 255).all()


def test_a_mask_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(encode_png(Image(np.full((10, 10, 3), 255, np.uint8))))
    assert Zone.from_path(tmp_path / "mask.png").has(Box(1, 1, 2, 2), 10, 10)
    with pytest.raises(ImageError, match="no such file"):
        Zone.from_path(tmp_path / "other.png")


@pytest.mark.parametrize("polygon", [((0, 0), (1, 1)), ((0, 0), (1, 0), (640, 480))])
def test_polygons_are_checked(polygon: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match=r"three corners|shares"):
        Zone.from_polygons([polygon])


def test_masks_are_checked() -> None:
    with pytest.raises(ValueError, match="mask"):
        Zone(mask=np.zeros((2, 2, 3), bool))
