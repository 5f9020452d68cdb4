"""The example picture is what its code draws, and Openplate reads it."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from openplate import Recognizer
from openplate.imaging import Image

EXAMPLES = Path(__file__).parents[1] / "examples"
SCALE = 0.125


@pytest.mark.parametrize("scene", ["street", "gate"])
def test_the_code_draws_the_picture_that_is_there(scene: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import draw_street

    drawn = draw_street.draw(SCALE, 1, scene).astype(np.float32)
    picture = Image.from_path(EXAMPLES / f"{scene}.jpg").pixels
    small = cv2.resize(picture, drawn.shape[1::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    assert np.abs(drawn - small).mean() < 8  # grey levels: noise of the small drawing and of the compression
    assert np.corrcoef(drawn.ravel(), small.ravel())[0, 1] > 0.94
    for name in [name for name in sys.modules if name.split(".")[0] in ("draw_street", "street_scene")]:
        del sys.modules[name]


def test_its_two_near_cars_are_found_and_their_plates_read() -> None:
    (recognition,) = Recognizer().recognize([EXAMPLES / "street.jpg"])
    texts = {plate.reading.text for plate in recognition.plates if plate.reading}
    assert texts == {"KN4827T", "WE3159A"}
    near = [vehicle.detection for vehicle in recognition.vehicles if vehicle.detection.box.width > 250]
    assert [detection.label for detection in near] == ["car", "car"]
    assert {plate.vehicle_index for plate in recognition.plates} <= set(range(len(recognition.vehicles)))


def test_the_one_car_at_the_gate_is_read() -> None:
    (recognition,) = Recognizer().recognize([EXAMPLES / "gate.jpg"])
    assert [plate.reading.text for plate in recognition.plates if plate.reading] == ["WE3159A"]
    assert [plate.vehicle_index for plate in recognition.plates] == [0]
