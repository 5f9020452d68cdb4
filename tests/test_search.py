"""Search: where it looks, how often, and that what it finds lies where it was painted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factories import make_detection
from openplate.datatypes import Box, Mode
from openplate.detection import Detector, Thresholds
from openplate.imaging import Image
from openplate.search import GLANCE_REACH, PLANS, Found, SearchPlan, search, tiles, vehicle_of, zoom_windows
from stand_ins import NO_SCORE, StandInSession, make_detector, paint_street, see_painted

REACH = 640
NORMAL, REDACTION = PLANS["normal"], PLANS["redaction"]


# --- tiles ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "size", "columns", "rows"),
    [
        ("fast", (20_000, 20_000), 0, 0),
        ("normal", (1920, 1080), 0, 0),
        ("normal", (2048, 2048), 0, 0),  # 3.2 times the reach
        ("normal", (2049, 1080), 2, 1),
        ("normal", (1080, 2049), 1, 2),
        ("normal", (3840, 2160), 4, 2),
        ("normal", (4000, 3000), 4, 3),
        ("normal", (30_000, 200), 12, 1),
        ("redaction", (768, 768), 0, 0),  # 1.2 times
        ("redaction", (1280, 720), 3, 2),
        ("redaction", (1920, 1080), 4, 2),
    ],
)
def test_table_of_tiles(plan: Mode, size: tuple[int, int], columns: int, rows: int) -> None:
    found = tiles(*size, REACH, PLANS[plan])
    assert len(found) == columns * rows
    assert len({tile.x1 for tile in found}) == columns
    assert len({tile.y1 for tile in found}) == rows


SIZES = st.integers(1, 30_000)
PLANS_WITH_TILES = st.sampled_from([NORMAL, REDACTION, replace(NORMAL, most_tiles=1), replace(NORMAL, most_tiles=3)])


@given(SIZES, SIZES, PLANS_WITH_TILES, st.data())
def test_whatever_is_smaller_than_the_overlap_lies_whole_in_a_tile(
    width: int, height: int, plan: SearchPlan, data: st.DataObject
) -> None:
    found = tiles(width, height, REACH, plan)
    if max(width, height) <= plan.tiles_from * REACH:
        assert found == []
        return
    assert 1 <= len(found) <= plan.most_tiles
    side = max(max(tile.width, tile.height) for tile in found)
    reach_x, reach_y = (min(size, data.draw(st.floats(1, 0.199 * side))) for size in (width, height))
    x, y = data.draw(st.floats(0, width - reach_x)), data.draw(st.floats(0, height - reach_y))
    assert any(
        tile.x1 <= x and tile.y1 <= y and x + reach_x <= tile.x2 + 1e-6 and y + reach_y <= tile.y2 + 1e-6
        for tile in found
    )
    whole = Box(0, 0, width, height)
    assert all(tile.intersect(whole) == tile for tile in found)


# --- zooms ----------------------------------------------------------------------------------------------------

CAR = Box(500, 300, 800, 500)


@pytest.mark.parametrize(
    ("box", "plate", "is_looked_at"),
    [
        (CAR, None, True),
        (CAR, (Box(600, 440, 680, 460), 0.9), False),  # it has a sure plate
        (CAR, (Box(600, 440, 680, 460), 0.49), True),  # it has one that is not sure
        (CAR, (Box(100, 440, 180, 460), 0.9), True),  # the plate is elsewhere
        (CAR, (Box(480, 440, 530, 460), 0.9), False),  # three fifths of it are on the car
        (CAR, (Box(479, 440, 529, 460), 0.9), True),  # less
        (Box(500, 300, 583, 390), None, True),  # 96.3 pixels wide with its surroundings
        (Box(500, 300, 582, 390), None, False),  # 95.1: too small for its plate to be read
        (Box(500, 300, 583, 340), None, True),  # its height does not matter
        (Box(500, 300, 582, 500), None, False),
        (Box(300, 100, 740, 400), None, True),  # 510 pixels wide with its surroundings: 1.506 times larger
        (Box(300, 100, 744, 400), None, False),  # 515: less than 1.5 times
        (Box(0, 0, 1280, 720), None, False),  # nothing to gain
    ],
)
def test_table_of_zooms(box: Box, plate: tuple[Box, float] | None, is_looked_at: bool) -> None:
    image = Image(np.zeros((720, 1280, 3), np.uint8))
    vehicles = [make_detection("car", box)]
    plates = [make_detection(box=plate[0], confidence=plate[1])] if plate else []
    windows = zoom_windows(plates, vehicles, image, REACH, NORMAL)
    expected = box.expand(0.08).clamp(1280, 720)
    assert windows == ([expected] if is_looked_at else [])


def test_the_largest_vehicles_are_looked_at_first_and_not_too_many() -> None:
    image = Image(np.zeros((720, 1280, 3), np.uint8))
    vehicles = [make_detection("car", Box(50 * i + 20, 50, 50 * i + 120 + i, 150 + i)) for i in range(20)]
    windows = zoom_windows([], vehicles, image, REACH, NORMAL)
    assert windows == [vehicle.box.expand(0.08) for vehicle in vehicles[:-5:-1]]
    assert len(zoom_windows([], vehicles, image, REACH, REDACTION)) == 16
    assert zoom_windows([], vehicles, image, REACH, PLANS["fast"]) == []


def test_redaction_looks_again_at_vehicles_whose_plates_cannot_be_read() -> None:
    image = Image(np.zeros((720, 1280, 3), np.uint8))
    for width, is_looked_at in ((22, True), (20, False)):  # 25.5 and 23.2 pixels with its surroundings
        vehicle = make_detection("car", Box(500, 300, 500 + width, 330))
        assert bool(zoom_windows([], [vehicle], image, REACH, REDACTION)) is is_looked_at
        assert zoom_windows([], [vehicle], image, REACH, NORMAL) == []


def test_a_zoom_must_show_more_than_the_tiles_did() -> None:
    """Vehicles that a tile had shown larger were looked at again, smaller."""
    image = Image(np.zeros((3000, 4000, 3), np.uint8))
    for width, is_looked_at in ((400, True), (460, False), (1000, False)):
        vehicle = make_detection("car", Box(1500, 1500, 1500 + width, 1800))
        assert bool(zoom_windows([], [vehicle], image, REACH, NORMAL)) is is_looked_at


def test_a_picture_that_is_enlarged_as_far_as_sensible_needs_no_zoom() -> None:
    image = Image(np.zeros((90, 120, 3), np.uint8))
    assert zoom_windows([], [make_detection("car", Box(20, 20, 60, 50))], image, REACH, REDACTION) == []


# --- vehicles -------------------------------------------------------------------------------------------------

TRUCK = Box(100, 100, 600, 500)
CAR_BEFORE_IT = Box(300, 250, 550, 480)


@pytest.mark.parametrize(
    ("plate", "vehicles", "expected"),
    [
        (Box(400, 400, 450, 415), [], None),
        (Box(400, 400, 450, 415), [TRUCK, CAR_BEFORE_IT], 1),  # the smaller one
        (Box(400, 400, 450, 415), [CAR_BEFORE_IT, TRUCK], 0),
        (Box(150, 400, 200, 415), [TRUCK, CAR_BEFORE_IT], 0),
        (Box(700, 400, 750, 415), [TRUCK, CAR_BEFORE_IT], None),
        (Box(580, 400, 620, 415), [TRUCK], None),  # half of it
        (Box(576, 400, 616, 415), [TRUCK], 0),  # three fifths of it
    ],
)
def test_a_plate_belongs_to_the_smallest_vehicle_that_holds_it(
    plate: Box, vehicles: list[Box], expected: int | None
) -> None:
    assert vehicle_of(make_detection(box=plate), [make_detection("car", box) for box in vehicles]) == expected


# --- thresholds -----------------------------------------------------------------------------------------------


def test_thresholds_are_those_of_the_card_and_of_the_plan() -> None:
    detector, _ = make_detector()
    for plan in (PLANS["fast"], NORMAL):
        assert plan.thresholds(detector) == Thresholds(0.35, 0.35)
    assert REDACTION.thresholds(detector) == Thresholds(pytest.approx(0.14), pytest.approx(0.245))


@pytest.mark.parametrize("mode", PLANS)
def test_a_threshold_that_is_asked_for_holds_in_every_mode(mode: Mode) -> None:
    """In redaction, plates came with four tenths of the confidence that was asked for."""
    detector, _ = make_detector()
    assert PLANS[mode].thresholds(detector, 0.6).plate == 0.6


# --- the whole search -----------------------------------------------------------------------------------------


def look(pixels: np.ndarray, mode: Mode) -> tuple[Found, int]:
    """What is found and how many times the network ran."""
    detector, session = make_detector()
    plan = PLANS[mode]
    found = search(detector, Image(pixels), plan, plan.thresholds(detector))
    assert set(session.batches) == {1}
    return found, len(session.batches)


def check_close(found: Box, painted: Box, within: float) -> None:
    assert found.as_tuple() == pytest.approx(painted.as_tuple(), abs=within)


NEAR_CAR, NEAR_PLATE = Box(300, 200, 900, 650), Box(550, 500, 650, 530)
FAR_CAR, FAR_PLATE = Box(100, 200, 300, 350), Box(188, 310, 212, 318)


@pytest.mark.parametrize(
    ("mode", "runs"), [("fast", 1), ("normal", 1), ("redaction", 1 + 1 + 1 + 6)], ids=lambda value: str(value)
)
def test_a_plate_that_is_plain_to_see_is_found_in_every_mode(mode: Mode, runs: int) -> None:
    painted = Box(500, 480, 680, 535)
    found, count = look(paint_street(1280, 720, [NEAR_CAR], [(painted, 1)]), mode)
    assert count == runs
    ((plate,), (vehicle,)) = found.plates, found.vehicles
    assert (plate.kind, vehicle.kind) == ("plate", "vehicle")
    assert plate.confidence == pytest.approx(0.95, abs=1e-3)
    pixel_of_a_glance = 1280 / (REACH * GLANCE_REACH)
    check_close(plate.box, painted, within=pixel_of_a_glance)
    check_close(vehicle.box, NEAR_CAR, within=pixel_of_a_glance)


def test_fast_is_one_pass_whatever_there_is() -> None:
    for size in ((1280, 720), (3000, 2000), (40, 30)):
        pixels = paint_street(*size, [Box(size[0] * 0.1, size[1] * 0.1, size[0] * 0.3, size[1] * 0.3)])
        assert look(pixels, "fast")[1] == 1


def test_a_second_look_finds_the_plate_of_a_vehicle_far_away() -> None:
    pixels = paint_street(1280, 720, [FAR_CAR], [(FAR_PLATE, 1)])
    assert look(pixels, "fast")[0].plates == ()
    found, count = look(pixels, "normal")
    (plate,) = found.plates
    assert count == 1 + 1 + 1 + 1  # from afar, the whole, from further away, the vehicle
    assert plate.confidence > 0.9
    check_close(plate.box, FAR_PLATE, within=1)
    check_close(plate.corners.box, FAR_PLATE, within=1)


def test_only_vehicles_without_a_plate_are_looked_at_again() -> None:
    pixels = paint_street(1280, 720, [NEAR_CAR, Box(50, 100, 250, 190)], [(NEAR_PLATE, 1)])
    assert look(pixels, "normal")[1] == 3  # from afar, the whole, the vehicle without a plate


def test_vehicles_too_small_for_a_legible_plate_are_not_looked_at_again() -> None:
    for width, zooms in ((70, 0), (110, 1)):
        found, count = look(paint_street(1280, 720, [Box(50, 100, 50 + width, 180)]), "normal")
        assert (len(found.vehicles), count) == (1, 1 + 1 + 1 + zooms)


def test_a_large_picture_is_looked_at_tile_by_tile() -> None:
    plates = [(Box(x, y, x + 60, y + 16), 1) for x in (0, 1240, 2940) for y in (0, 1272, 2084)]  # tiles end at 1280
    pixels = paint_street(3000, 2100, [], plates)
    assert look(pixels, "fast")[0].plates == ()
    found, count = look(pixels, "normal")
    assert count == 1 + 1 + 1 + 3 * 2
    assert len(found.plates) == len(plates)
    for box, _ in plates:
        closest = min(found.plates, key=lambda plate: abs(plate.box.x1 - box.x1) + abs(plate.box.y1 - box.y1))
        check_close(closest.box, box, within=2.5)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_what_the_edge_of_a_tile_cuts_is_not_found_twice(share: float) -> None:
    left_of_edge = round(1280 - 200 * share)  # the first tile ends at 1280
    painted = Box(left_of_edge, 400, left_of_edge + 200, 560)
    found, _ = look(paint_street(4000, 900, [painted]), "normal")
    (vehicle,) = found.vehicles
    check_close(vehicle.box, painted, within=6.5)  # a pixel of the first canvas


def test_a_plate_in_a_zoom_is_not_found_twice() -> None:
    car, plate = Box(100, 200, 400, 400), Box(220, 340, 256, 352)
    found, count = look(paint_street(1280, 720, [car], [(plate, 1)]), "normal")
    assert count == 1 + 1 + 1 + 1
    assert len(found.plates) == 1


def see_nothing_huge(pictures: np.ndarray) -> tuple[np.ndarray, ...]:
    """A detecting network for painted streets that knows no plates wider than half its usual canvas."""
    plates, vehicles = see_painted(pictures)
    stride, log_widths = 8, plates[0, 3]
    plates[0, 0, log_widths > np.log(REACH / 2 / stride)] = NO_SCORE
    return plates, vehicles


@pytest.mark.parametrize("mode", PLANS)
def test_a_plate_that_fills_the_picture_is_found_from_afar(mode: Mode) -> None:
    _, painted_street = make_detector()
    detector = Detector(StandInSession(painted_street.card, see_nothing_huge))
    painted = Box(40, 200, 1240, 520)
    image = Image(paint_street(1280, 720, [], [(painted, 1)]))
    found = search(detector, image, PLANS[mode], PLANS[mode].thresholds(detector))
    (plate,) = found.plates
    check_close(plate.box, painted, within=1280 / (REACH * GLANCE_REACH))


@pytest.mark.parametrize(
    ("mode", "width", "cars", "widths_of_canvases"),
    [
        ("normal", 120, [], [288]),  # 27 pixels from afar: a confidence of 0.64
        ("normal", 100, [], [288, 640]),  # 0.53: not sure
        ("normal", 0, [], [288, 640, 160]),
        ("normal", 120, [Box(550, 300, 800, 500)], [288]),  # the vehicle that carries it
        ("normal", 120, [Box(550, 300, 800, 500), Box(30, 300, 100, 400)], [288, 640]),  # another one, without
        ("redaction", 120, [], [288, 640, 160] + [640] * 6),
        ("fast", 120, [], [320]),
    ],
)
def test_a_sure_plate_seen_from_afar_settles_a_picture(
    mode: Mode, width: int, cars: list[Box], widths_of_canvases: list[int]
) -> None:
    detector, session = make_detector()
    plates = [(Box(600, 400, 600 + width, 430), 1)] if width else []
    pixels = paint_street(1280, 720, cars, plates)
    found = search(detector, Image(pixels), PLANS[mode], PLANS[mode].thresholds(detector))
    assert (len(found.plates), len(found.vehicles)) == (len(plates), len(cars))
    assert [inputs.shape[2] for inputs in session.inputs] == widths_of_canvases


def test_a_settled_picture_has_no_more_than_the_thresholds_let_through() -> None:
    """A plate alone in a picture came with a vehicle of a confidence of 0.16."""
    detector, _ = make_detector()
    pixels = paint_street(1280, 720, [Box(550, 300, 800, 500)], [(Box(600, 400, 720, 430), 1)])
    for plate, vehicle, counts in ((0.3, 0.3, (1, 1)), (0.3, 0.999, (1, 0)), (0.9, 0.3, (1, 1))):
        found = search(detector, Image(pixels), NORMAL, Thresholds(plate, vehicle))
        assert (len(found.plates), len(found.vehicles)) == counts
        assert all(p.confidence >= plate for p in found.plates)


def test_what_a_glance_only_suspects_is_not_reported() -> None:
    """The plate at the right is no more than a suspicion from afar: it is looked at, and found only if it is one."""
    pixels = paint_street(1280, 720, [], [(Box(600, 400, 720, 430), 1), (Box(100, 400, 130, 408), 1)])
    found, count = look(pixels, "normal")
    assert count == 2
    assert len(found.plates) == 2
    pixels = paint_street(1280, 720, [], [(Box(100, 400, 121, 408), 1)])  # 0.25 in a whole pass, 0.11 from afar
    found, count = look(pixels, "normal")
    assert (found.plates, count) == ((), 3)


def test_redaction_keeps_what_it_is_less_sure_of() -> None:
    pixels = paint_street(700, 500, [], [(Box(300, 200, 310, 206), 1)])
    assert look(pixels, "normal")[0].plates == ()
    (plate,) = look(pixels, "redaction")[0].plates
    assert plate.confidence < 0.35


def test_a_part_of_a_plate_seen_from_nearer_is_dropped() -> None:
    class Seeing:
        """A detector that takes a character for a plate."""

        reach, plate_overlap, vehicle_overlap = REACH, 0.4, 0.6

        def detect(self, _images: list[Image], *_: object, **__: object) -> list[list[object]]:
            whole, part = Box(100, 100, 200, 130), Box(105, 105, 125, 125)
            return [[make_detection(box=whole, confidence=0.9), make_detection(box=part, confidence=0.6)]]

    image = Image(np.zeros((360, 640, 3), np.uint8))
    found = search(Seeing(), image, PLANS["fast"], Thresholds(0.3, 0.3))
    assert [plate.box for plate in found.plates] == [Box(100, 100, 200, 130)]


@settings(max_examples=20)
@given(
    # A plate on the longest of these has 16 pixels on the smallest canvas: one pass must see it.
    size=st.tuples(st.integers(570, 1700), st.integers(570, 1700)),
    mode=st.sampled_from(sorted(PLANS)),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    share=st.floats(0.3, 0.6),
)
@example(size=(3000, 400), mode="normal", place=(1.0, 1.0), share=0.3)
@example(size=(500, 2500), mode="redaction", place=(0.0, 0.0), share=0.3)
def test_everything_lies_where_it_was_painted(
    size: tuple[int, int], mode: Mode, place: tuple[float, float], share: float
) -> None:
    width, height = size
    side = share * min(size)
    left, top = round(place[0] * (width - side)), round(place[1] * (height - side))
    car = Box(left, top, round(left + side), round(top + side))
    plate = Box(round(left + 0.2 * side), round(top + 0.6 * side), round(left + 0.7 * side), round(top + 0.75 * side))
    found, _ = look(paint_street(width, height, [car], [(plate, 3)]), mode)
    within = 1.5 * max(1, max(size) / (REACH * GLANCE_REACH))
    assert (len(found.plates), len(found.vehicles)) == (1, 1)
    check_close(found.plates[0].box, plate, within)
    check_close(found.plates[0].corners.box, plate, within)
    check_close(found.vehicles[0].box, car, within)
    assert vehicle_of(found.plates[0], found.vehicles) == 0
