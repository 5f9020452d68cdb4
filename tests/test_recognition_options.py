"""Options beside the mode and the thresholds: which are refused, and recognizers that share their networks."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from openplate import RecognitionOptions
from openplate.datatypes import Box
from openplate.errors import RegionError
from stand_ins import paint_street
from test_pipeline import make_recognizer, only, read_texts, street


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plates_per_vehicle": 0}, "plates_per_vehicle must be 1 or more, not 0"),
        ({"zoom_in_vehicles": -1}, "zoom_in_vehicles must be 0 or more, not -1"),
        ({"text_formats": ("[a-z]", "(")}, r"the text format '\(' cannot be understood: a group is not closed"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        RecognitionOptions(**options)


def test_other_options_with_the_same_networks() -> None:
    recognizer = make_recognizer()
    strict = recognizer.with_options(RecognitionOptions(regions=("br",), strict=True))
    assert read_texts(only(recognizer.recognize([street(0, 2)]))) == ["ABC1234", "XX99"]
    assert read_texts(only(strict.recognize([street(0, 2)]))) == ["ABC1234"]
    assert read_texts(only(recognizer.recognize([street(0, 2)]))) == ["ABC1234", "XX99"]
    assert strict.limits == recognizer.limits


def test_an_unknown_region_is_told_when_options_change() -> None:
    with pytest.raises(RegionError, match="'xx'"):
        make_recognizer().with_options(RecognitionOptions(regions=("xx",)))


def test_threads_with_options_of_their_own_share_the_networks() -> None:
    recognizer = make_recognizer()
    expected = {False: ["ABC1234", "XX99"], True: ["ABC1234"]}
    answers: list[tuple[bool, list[str | None]]] = []

    def work(strict: bool) -> None:
        for _ in range(3):
            own = recognizer.with_options(RecognitionOptions(regions=("br",), strict=strict))
            answers.append((strict, read_texts(only(own.recognize([street(0, 2)])))))

    threads = [threading.Thread(target=work, args=(strict,)) for strict in (False, True, False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 12
    assert all(found == expected[strict] for strict, found in answers)


TRUCK, CAR = Box(100, 100, 1200, 700), Box(200, 350, 600, 650)


def test_plates_are_counted_for_the_smallest_vehicle_that_holds_them() -> None:
    """A car in front of a truck: the plate of each is kept, although the truck's box holds both."""
    plates = [(Box(350, 560, 450, 590), 0), (Box(900, 600, 1000, 630), 1)]
    pixels = paint_street(1280, 720, [CAR, Box(700, 100, 1200, 700)], plates)
    assert read_texts(only(make_recognizer(plates_per_vehicle=1).recognize([pixels]))) == ["ABC1234", "XYZ9876"]


def test_of_the_plates_of_a_vehicle_the_surest_are_kept_in_their_order() -> None:
    plates = [(Box(350, 560, 380, 572), 0), (Box(500, 600, 600, 630), 1), (Box(900, 600, 936, 615), 2)]
    pixels = paint_street(1280, 720, [TRUCK], plates)
    found = {
        most: read_texts(only(make_recognizer(plates_per_vehicle=most).recognize([pixels]))) for most in (1, 2, 3, None)
    }
    assert found[1] == ["XYZ9876"]
    assert found[2] == ["XYZ9876", "XX99"]
    assert found[3] == found[None] == ["ABC1234", "XYZ9876", "XX99"]


def test_plates_on_no_vehicle_are_not_counted() -> None:
    plates = [(Box(350, 560, 450, 590), 0), (Box(900, 600, 1000, 630), 1)]
    pixels = paint_street(1280, 720, [], plates)
    assert read_texts(only(make_recognizer(plates_per_vehicle=1).recognize([pixels]))) == ["ABC1234", "XYZ9876"]
    assert only(make_recognizer(vehicle_required=True).recognize([pixels])).plates == ()
