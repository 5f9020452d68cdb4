"""What receivers of webhooks get: the documented envelope, and coordinates of the picture that goes with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import NOON, make_box, make_pixels, make_plate, make_recognition, make_street, make_vehicle
from openplate.datatypes import Box, Recognition
from openplate.formats import platerecognizer
from openplate.formats.snapshot_config import SnapshotConfig
from openplate.formats.snapshot_request import SnapshotRequest
from openplate.formats.webhook import ImageKind, seen_on, sent_part, webhook_body
from openplate.imaging import Image, crop
from strategies import recognitions

PLAIN = SnapshotRequest()
VEHICLES_TOO = SnapshotRequest(config=SnapshotConfig(vehicles_too=True))


def body(recognition: Recognition, request: SnapshotRequest = PLAIN, sent: Box | None = None) -> dict[str, Any]:
    return webhook_body(
        recognition,
        request,
        target_url="http://10.0.0.2:8081/",
        target_id=7,
        filename="1402_QX2PL_gate.jpg",
        received_at=NOON,
        sent=sent,
    )


def test_the_envelope() -> None:
    message = body(make_street())
    assert list(message) == ["hook", "data"]
    assert message["hook"] == {"target": "http://10.0.0.2:8081/", "id": 7, "event": "image.done"}
    keys = ["processing_time", "timestamp", "results", "filename", "version", "camera_id"]
    assert list(message["data"]) == keys
    assert message["data"]["timestamp"] == "2026-03-05T12:00:00.123Z"
    assert message["data"]["camera_id"] is None


def test_the_data_are_the_answer_but_for_time_camera_and_usage() -> None:
    request = SnapshotRequest(camera_id="gate", mmc=True, direction=True)
    answer = platerecognizer.answer(
        make_street(), request, flavour="sdk", filename="1402_QX2PL_gate.jpg", received_at=NOON, usage=(1, 2)
    )
    data = body(make_street(), request)["data"]
    assert {**data, "timestamp": answer["timestamp"], "usage": answer["usage"]} == answer


def test_a_time_that_was_sent_is_written_in_the_form_that_receivers_parse() -> None:
    sent = datetime(2019, 8, 19, 13, 11, 25, tzinfo=UTC)
    request = SnapshotRequest(timestamp=sent, timestamp_text="2019-08-19T13:11:25")
    assert body(make_street(), request)["data"]["timestamp"] == "2019-08-19T13:11:25.000Z"


def test_a_message_without_plates_has_empty_results() -> None:
    assert body(make_recognition())["data"]["results"] == []


def test_vehicles_without_plates_are_in_the_data_when_asked_for() -> None:
    data = body(make_recognition("a.jpg", vehicles=(make_vehicle(),)), VEHICLES_TOO)["data"]
    assert data["results"][0]["plate"] is None
    assert "version" not in data


# --- the picture that is sent ------------------------------------------------------------------------------


def make_gate() -> Recognition:
    """A car with its plate, then a plate elsewhere."""
    return make_recognition(
        "gate.jpg",
        make_plate("AB12", box=make_box(500.4, 400.2, 600.7, 430), vehicle_index=0),
        make_plate("CD34", box=make_box(10, 20, 60, 40)),
        vehicles=(make_vehicle("van", make_box(300.5, 200.5, 900.5, 650.5)),),
    )


@pytest.mark.parametrize(
    ("image", "part"),
    [
        ("original", (0, 0, 1280, 720)),
        ("vehicle", (300, 200, 901, 651)),
        ("plate", (500, 400, 601, 430)),
    ],
)
def test_the_part_that_is_sent(image: ImageKind, part: tuple[int, int, int, int]) -> None:
    assert sent_part(make_gate(), PLAIN, image).as_tuple() == part


@pytest.mark.parametrize("image", ["vehicle", "plate"])
def test_where_there_is_nothing_to_cut_out_all_is_sent(image: ImageKind) -> None:
    whole = (0, 0, 1280, 720)
    on_no_vehicle = make_recognition("a.jpg", make_plate("CD34", box=make_box(2000, 20, 2060, 40)))
    only_a_vehicle = make_recognition("a.jpg", vehicles=(make_vehicle(),))
    for recognition in (make_recognition(), on_no_vehicle, only_a_vehicle):
        assert sent_part(recognition, PLAIN, image).as_tuple() == whole


def test_a_vehicle_without_a_plate_is_sent_when_it_is_the_first_result() -> None:
    recognition = make_recognition("a.jpg", make_plate(None), vehicles=(make_vehicle(),))
    assert sent_part(recognition, VEHICLES_TOO, "vehicle").as_tuple() == (520, 301, 1240, 720)
    assert sent_part(recognition, VEHICLES_TOO, "plate").as_tuple() == (0, 0, 1280, 720)


def boxes(message: dict[str, Any]) -> list[tuple[int, ...]]:
    return [tuple(result["box"].values()) for result in message["data"]["results"]]


def test_coordinates_are_those_of_the_picture_that_is_sent() -> None:
    whole, vehicle, plate = (
        body(make_gate(), sent=sent_part(make_gate(), PLAIN, image)) for image in ("original", "vehicle", "plate")
    )
    assert whole == body(make_gate())
    assert boxes(whole)[0] == (500, 400, 601, 430)
    assert boxes(vehicle)[0] == (200, 200, 301, 230)
    assert vehicle["data"]["results"][0]["vehicle"]["box"] == {"xmin": 0, "ymin": 0, "xmax": 600, "ymax": 450}
    assert boxes(plate)[0] == (0, 0, 101, 30)
    assert plate["data"]["results"][0]["vehicle"]["box"] == {"xmin": 0, "ymin": 0, "xmax": 101, "ymax": 30}


def test_what_is_not_on_the_picture_has_no_area() -> None:
    elsewhere = boxes(body(make_gate(), sent=sent_part(make_gate(), PLAIN, "vehicle")))[1]
    assert (elsewhere[2] - elsewhere[0]) * (elsewhere[3] - elsewhere[1]) == 0


def test_the_shifted_box_covers_the_same_pixels_of_the_cut_out_picture() -> None:
    picture = Image(make_pixels(1280, 720))
    recognition = make_gate()
    part = sent_part(recognition, PLAIN, "vehicle")
    cut = crop(picture, part)
    assert (cut.width, cut.height) == (part.width, part.height)
    x1, y1, x2, y2 = boxes(body(recognition))[0]
    cut_x1, cut_y1, cut_x2, cut_y2 = boxes(body(recognition, sent=part))[0]
    assert np.array_equal(picture.pixels[y1:y2, x1:x2], cut.pixels[cut_y1:cut_y2, cut_x1:cut_x2])


def every_box(value: Any) -> list[dict[str, int]]:
    """The boxes at any depth of an answer."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) and "xmin" in value else []
    return own + [box for part in parts for box in every_box(part)]


@given(recognitions(exact=False), st.sampled_from(["original", "vehicle", "plate"]), st.booleans())
def test_any_message_is_json_and_stays_on_its_picture(
    recognition: Recognition, image: ImageKind, vehicles_too: bool
) -> None:
    request = SnapshotRequest(config=SnapshotConfig(vehicles_too=vehicles_too, mode="redaction"))
    part = sent_part(recognition, request, image)
    assert part.area > 0
    assert part.clamp(recognition.width, recognition.height) == part
    assert all(value == int(value) for value in part.as_tuple())
    message = body(recognition, request, part)
    assert json.loads(json.dumps(message, allow_nan=False)) == message
    for box in every_box(message["data"]["results"]):
        assert 0 <= box["xmin"] <= box["xmax"] <= part.width
        assert 0 <= box["ymin"] <= box["ymax"] <= part.height


@given(recognitions(exact=False))
def test_seen_on_the_whole_picture_nothing_changes(recognition: Recognition) -> None:
    assert seen_on(recognition, Box(0, 0, recognition.width, recognition.height)) == recognition
