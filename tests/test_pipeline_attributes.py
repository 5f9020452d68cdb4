"""Attributes of vehicles in the pipeline: only where they are asked for, and without cost elsewhere."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from openplate import RecognitionOptions, Recognizer
from openplate.attributes import AttributeClassifier
from openplate.datatypes import UNKNOWN, Box
from openplate.errors import ModelLoadFailed, UnknownModel
from openplate.models import catalog
from openplate.settings import Settings
from openplate.settings.building import build_recognizer
from openplate.stages import LateAttributes, Stages
from stand_ins import make_color_teller, make_stages, paint_street

CARS = (Box(40, 200, 440, 500), Box(600, 100, 1100, 420))
ASKED = RecognitionOptions(attributes=True)


def make(stages: Stages | None = None, options: RecognitionOptions = ASKED) -> Recognizer:
    return Recognizer.from_stages(stages or make_stages(["ABC1234"], [{"br": 1.0}]), options)


def test_each_vehicle_has_its_attributes() -> None:
    (recognition,) = make().recognize([paint_street(1280, 720, CARS)])
    assert len(recognition.vehicles) == 2
    for vehicle in recognition.vehicles:
        assert vehicle.attributes is not None
        assert vehicle.attributes.types[0].value == "suv"
        assert vehicle.attributes.colors[0].value == "grey"
        assert (vehicle.attributes.make_models[0].make, vehicle.attributes.make_models[0].model) == ("SEAT", "Leon")
        assert vehicle.attributes.orientations[0].value == "side"
    assert recognition.model_names == ("stand-in 1",) * 5


def test_a_picture_without_vehicles_needs_no_run() -> None:
    (recognition,) = make().recognize([paint_street(640, 480)])
    assert recognition.vehicles == ()


def test_nothing_is_loaded_until_somebody_asks() -> None:
    loads: list[int] = []

    def load() -> AttributeClassifier:
        loads.append(1)
        return make_color_teller()

    stages = replace(make_stages(["ABC1234"], [{"br": 1.0}]), late_attributes=LateAttributes(load))
    recognizer = make(stages, RecognitionOptions())
    (plain,) = recognizer.recognize([paint_street(1280, 720, CARS)])
    assert [vehicle.attributes for vehicle in plain.vehicles] == [None, None]
    assert plain.model_names == ("stand-in 1",) * 4
    assert loads == []
    asking = [recognizer.with_options(ASKED) for _ in range(4)]
    street = paint_street(1280, 720, CARS)
    threads = [threading.Thread(target=one.recognize, args=([street],)) for one in asking]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [1]


def test_what_cannot_be_loaded_is_told_each_time() -> None:
    def load() -> AttributeClassifier:
        raise ModelLoadFailed("damaged")

    stages = replace(make_stages(["ABC1234"], [{"br": 1.0}]), late_attributes=LateAttributes(load))
    for _ in range(2):
        with pytest.raises(ModelLoadFailed, match="damaged"):
            make(stages).recognize([paint_street(640, 480, [Box(10, 10, 300, 300)])])


def test_asking_without_a_network_is_an_error_of_its_own() -> None:
    stages = replace(make_stages(["ABC1234"], [{"br": 1.0}]), late_attributes=LateAttributes(lambda: None))
    with pytest.raises(UnknownModel, match="attributes are asked for"):
        make(stages).recognize([paint_street(640, 480)])


def test_settings_find_the_network_beside_the_others(tmp_path: Path) -> None:
    for name in ("detector", "corners", "reader", "region"):
        (tmp_path / name).symlink_to(catalog.WEIGHTS / name, target_is_directory=True)
    recognizer = build_recognizer(ASKED, Settings(weights=tmp_path), 1)
    assert recognizer.stages.attribute_classifier is None


@pytest.mark.skipif("attributes" not in catalog.names(), reason="no network for attributes is there yet")
def test_the_network_of_the_package_tells_nothing_of_nothing() -> None:
    recognizer = Recognizer(ASKED)
    classifier = recognizer.stages.attribute_classifier
    assert classifier is not None
    picture = paint_street(300, 200)
    boxes = [Box(0, 0, 300, 200), Box(10, 10, 11, 11), Box(299, 199, 400, 300), Box(-5, -5, 0, 0), Box(20, 20, 24, 23)]
    for attributes in classifier.classify([classifier.crop(picture, box) for box in boxes]):
        assert attributes.makes[0].value == UNKNOWN
        assert attributes.make_models[0].make == UNKNOWN
        assert attributes.years[0].value == UNKNOWN


def test_the_module_is_light() -> None:
    """A start without attributes opens no session for them."""
    code = "import openplate.pipeline, sys; print('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
