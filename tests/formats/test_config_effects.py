"""Each key of a request's config changes the answer: the form in, the answer out, all between as it is served.

Painted streets with stand-in networks where the networks' own judgement would be in the way, the shipped networks
on the example picture where it is the point.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from factories import NOON
from openplate import Recognizer
from openplate.datatypes import Box
from openplate.errors import RequestError
from openplate.formats.platerecognizer import answer
from openplate.formats.snapshot_request import parse_snapshot_request
from openplate.service.calls import options_of
from stand_ins import paint_street
from test_pipeline import NO_LOOKS, TEXTS, make_recognizer

STREET = Path(__file__).parents[2] / "examples" / "street.jpg"


def ask(recognizer: Recognizer, picture: Any, regions: str = "", **config: Any) -> list[dict[str, Any]]:
    """The results for a form with that config."""
    request = parse_snapshot_request({"regions": [regions], "config": [json.dumps(config)]})
    (recognition,) = recognizer.with_options(options_of(request)).recognize([picture])
    body: Any = answer(recognition, request, flavour="sdk", filename="street.jpg", received_at=NOON)
    return list(body["results"])


def texts(results: list[dict[str, Any]]) -> list[str]:
    """The plates from left to right."""
    return [result["plate"] for result in sorted(results, key=lambda result: result["box"]["xmin"])]


# --- stand-ins ------------------------------------------------------------------------------------------------

CAR = Box(300, 200, 900, 650)


def painted(*plates: tuple[Box, int], vehicles: tuple[Box, ...] = (CAR,)) -> NDArray[np.uint8]:
    return paint_street(1280, 720, vehicles, plates)


ON_CAR, ALSO_ON_CAR, BESIDE = Box(550, 500, 650, 530), Box(400, 300, 480, 325), Box(1100, 600, 1200, 630)


def test_threshold_d() -> None:
    faint = Box(400, 300, 424, 308)  # seen with 0.57
    picture = painted((ON_CAR, 0), (faint, 1), vehicles=())
    recognizer = make_recognizer()
    assert texts(ask(recognizer, picture)) == ["xyz9876", "abc1234"]
    assert texts(ask(recognizer, picture, threshold_d=0.9)) == ["abc1234"]
    assert ask(recognizer, picture, threshold_d=0.99) == []


def test_threshold_o() -> None:
    recognizer = make_recognizer(looks=NO_LOOKS, confidence=0.9)  # seven characters: 0.48
    assert ask(recognizer, painted((ON_CAR, 0))) == []
    assert texts(ask(recognizer, painted((ON_CAR, 0)), threshold_o=0.4)) == ["abc1234"]
    assert ask(recognizer, painted((ON_CAR, 0)), threshold_o=0.5) == []


def test_region_strict() -> None:
    recognizer, picture = make_recognizer(), painted((ON_CAR, 0), (BESIDE, 2))
    assert texts(ask(recognizer, picture, regions="br")) == ["abc1234", "xx99"]
    assert texts(ask(recognizer, picture, regions="br", region="strict")) == ["abc1234"]
    assert texts(ask(recognizer, picture, regions="fr", region="strict")) == []


def test_region_strict_without_regions_changes_nothing() -> None:
    recognizer, picture = make_recognizer(), painted((ON_CAR, 0), (BESIDE, 2))
    assert texts(ask(recognizer, picture, region="strict")) == ["abc1234", "xx99"]


def test_region_strict_with_a_region_of_no_known_form_drops_everything() -> None:
    from openplate.regions import all_regions, patterns

    unknown = next(region.code for region in all_regions() if not patterns(region.code))
    recognizer, picture = make_recognizer(), painted((ON_CAR, 0))
    assert texts(ask(recognizer, picture, regions=unknown)) == ["abc1234"]
    assert ask(recognizer, picture, regions=unknown, region="strict") == []


def test_detection_rule() -> None:
    recognizer, picture = make_recognizer(), painted((ON_CAR, 0), (BESIDE, 1))
    assert texts(ask(recognizer, picture)) == ["abc1234", "xyz9876"]
    assert texts(ask(recognizer, picture, detection_rule="strict")) == ["abc1234"]


def test_detection_mode() -> None:
    recognizer, picture = make_recognizer(), painted((ON_CAR, 0), vehicles=(CAR, Box(1000, 200, 1200, 400)))
    assert "box" in ask(recognizer, picture)[0]
    read, bare = ask(recognizer, picture, detection_mode="vehicle")
    assert read["plate"]["props"]["plate"][0]["value"] == "abc1234"
    assert bare["plate"] is None
    assert bare["vehicle"]["box"]["xmin"] == pytest.approx(1000, abs=3)


def test_plates_per_vehicle() -> None:
    recognizer, picture = make_recognizer(), painted((ON_CAR, 0), (ALSO_ON_CAR, 1), (BESIDE, 2))
    assert len(ask(recognizer, picture)) == 2
    assert texts(ask(recognizer, picture, plates_per_vehicle=2)) == ["xyz9876", "abc1234", "xx99"]


def test_of_several_plates_on_a_vehicle_one_that_was_read_is_kept() -> None:
    recognizer, picture = make_recognizer(), painted((ON_CAR, 3), (ALSO_ON_CAR, 0))
    assert TEXTS[3] == ""
    assert texts(ask(recognizer, picture)) == ["abc1234"]


def test_redaction_lists_every_plate_read_or_not() -> None:
    recognizer, picture = make_recognizer(), painted((ON_CAR, 0), (ALSO_ON_CAR, 3), (BESIDE, 2))
    assert texts(ask(recognizer, picture, mode="redaction")) == ["", "abc1234", "xx99"]


FAR = paint_street(1280, 720, [Box(100, 200, 300, 350)], [(Box(188, 310, 212, 318), 0)])
"""A plate that is seen surely only when its vehicle is looked at again."""


def test_zoom_in_vehicles_and_mode() -> None:
    recognizer = make_recognizer()
    assert texts(ask(recognizer, FAR, threshold_d=0.8)) == ["abc1234"]
    assert ask(recognizer, FAR, threshold_d=0.8, zoom_in_vehicles=0) == []
    assert texts(ask(recognizer, FAR, threshold_d=0.8, zoom_in_vehicles=1)) == ["abc1234"]
    assert ask(recognizer, FAR, threshold_d=0.8, mode="fast") == []
    assert ask(recognizer, FAR, threshold_d=0.8, mode="fast", zoom_in_vehicles=4) == []
    assert texts(ask(recognizer, FAR, threshold_d=0.8, mode="redaction")) == ["abc1234"]
    assert ask(recognizer, FAR, threshold_d=0.8, mode="redaction", zoom_in_vehicles=0) == []


DOUBTFUL = {"confidence": 0.6, "doubts": {"O": "0"}}


def test_text_formats_guide() -> None:
    recognizer = make_recognizer(("ABC12O4",), NO_LOOKS, **DOUBTFUL)  # type: ignore[arg-type]
    picture = painted((ON_CAR, 0))
    assert texts(ask(recognizer, picture, threshold_o=0)) == ["abc12o4"]
    assert texts(ask(recognizer, picture, threshold_o=0, text_formats=["[a-z]{3}[0-9]{4}"])) == ["abc1204"]
    assert texts(ask(recognizer, picture, threshold_o=0, text_formats=["[0-9]{9}"])) == ["abc12o4"]


def test_text_formats_and_strict() -> None:
    recognizer, picture = make_recognizer(), painted((ON_CAR, 0), (BESIDE, 2))
    formats = ["[a-z]{2}-[0-9]{2}"]
    assert texts(ask(recognizer, picture, text_formats=formats)) == ["abc1234", "xx99"]
    assert texts(ask(recognizer, picture, text_formats=formats, region="strict")) == ["xx99"]
    assert texts(ask(recognizer, picture, text_formats=formats, region="strict", regions="br")) == ["abc1234", "xx99"]


def test_regions_guide() -> None:
    recognizer = make_recognizer(("ABC12O4",), NO_LOOKS, **DOUBTFUL)  # type: ignore[arg-type]
    assert texts(ask(recognizer, painted((ON_CAR, 0)), threshold_o=0)) == ["abc12o4"]
    assert texts(ask(recognizer, painted((ON_CAR, 0)), threshold_o=0, regions="br")) == ["abc1204"]


def test_a_form_that_cannot_be_followed_never_reaches_the_recognizer() -> None:
    with pytest.raises(RequestError, match="did you mean"):
        ask(make_recognizer(), painted((ON_CAR, 0)), regions="br,xx")


# --- the shipped networks on the example picture --------------------------------------------------------------


@cache
def shipped() -> Recognizer:
    return Recognizer()


def on_the_street(regions: str = "", **config: Any) -> list[dict[str, Any]]:
    return ask(shipped(), STREET, regions, **config)


def test_the_example_picture() -> None:
    results = on_the_street()
    assert len(results) == 2
    assert {result["region"]["code"] for result in results} == {"pl"}
    best, least = (pick(result["dscore"] for result in results) for pick in (max, min))
    between = (best + least) / 2
    assert len(on_the_street(threshold_d=between)) == 1
    assert on_the_street(threshold_o=1) == []
    assert texts(on_the_street("pl", region="strict")) == texts(results)
    assert on_the_street("br", region="strict") == []
    assert texts(on_the_street(text_formats=["kn.*"], region="strict")) == ["kn4827t"]
    assert len(on_the_street(mode="redaction")) > 2
    assert [result["plate"] is None for result in on_the_street(detection_mode="vehicle")][:3] == [False, False, True]
