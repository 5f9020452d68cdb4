"""The commands from drawn pictures to networks that serve: train, resume, export, calibrate."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from drawn_data import REGIONS, draw_street, draw_vehicle
from openplate.attributes import AttributeClassifier
from openplate.corner_refiner import CornerRefiner
from openplate.datatypes import UNKNOWN, Box, Corners
from openplate.detection import Detector
from openplate.imaging import Image
from openplate.models.card import ModelCard
from openplate.models.catalog import open_session
from openplate.ocr import Reader
from openplate.region_classifier import RegionClassifier
from openplate_training import attributes_data, calibrate, export
from openplate_training.checkpoint import load_checkpoint

ABOUT = """
licence = "Apache-2.0"
origin = "drawn"
command = "none"
limits = []
[runtime]
onnxruntime = "int8"
[[trained_on]]
name = "drawn"
licence = "Apache-2.0"
"""


class Workplace:
    """Runs commands as a person does, on the drawn data."""

    def __init__(self, data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data, self.folder, self._monkeypatch = data, folder, monkeypatch
        (folder / "about.toml").write_text(ABOUT, encoding="utf-8")
        self.weights = folder / "weights"

    def call(self, module: str, *arguments: object) -> None:
        common = ("--data", self.data, "--cache", self.folder / "cache")
        self._monkeypatch.setattr("sys.argv", [module, *map(str, (*arguments, *common))])
        importlib.import_module(f"openplate_training.{module}").main()

    def train(self, name: str, minutes: float) -> None:
        rendered = ("--rendered", self.data / "rendered") if name == "reader" else ()
        output = ("--output", self.folder / name, "--minutes", minutes, "--batch", 4)
        self.call(f"{name}_train", *output, *rendered)

    def export(self, name: str) -> Path:
        checkpoint = ("--checkpoint", self.folder / name, "--output", self.weights)
        self.call("export", name, *checkpoint, "--about", self.folder / "about.toml", "--version", "0.0.1")
        return self.weights / name


@pytest.fixture
def workplace(data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    return Workplace(data_folder, tmp_path, monkeypatch)


def train_twice_and_export(workplace: Workplace, name: str) -> ModelCard:
    """Trains for two seconds, goes on for one, exports; checks what is left behind on the way."""
    workplace.train(name, 0.033)
    first = load_checkpoint(workplace.folder / name)
    assert first is not None
    minutes = first["spent_s"] / 60 + 0.017  # a slow machine may have overrun the first budget
    workplace.train(name, minutes)
    second = load_checkpoint(workplace.folder / name)
    assert second is not None
    assert 0 < first["step"] < second["step"]
    assert 1.9 <= first["spent_s"] < second["spent_s"]
    config = json.loads((workplace.folder / name / "config.json").read_text(encoding="utf-8"))
    assert config["minutes"] == minutes
    card = ModelCard.load(workplace.export(name))
    assert (card.version, card.runtime["onnxruntime"]) == ("0.0.1", "int8")
    return card


def test_the_detector_from_pictures_to_detections(workplace: Workplace) -> None:
    card = train_twice_and_export(workplace, "detector")
    assert card.labels[0] == "plate"
    for precision in ("float", "int8"):
        detector = Detector(open_session("detector", "cpu", precision, folder=workplace.weights))
        pixels, _ = draw_street("KL123", 30, 40)
        detections = detector.detect([Image.from_array(pixels)])
        assert len(detections) == 1


def test_the_reader_from_crops_to_a_calibrated_reading(workplace: Workplace) -> None:
    before = train_twice_and_export(workplace, "reader")
    assert before.parameters == {"calibration_slope": 1.0, "calibration_offset": 0.0}
    workplace.call("calibrate", "reader", "--weights", workplace.weights)
    after = ModelCard.load(workplace.weights / "reader")
    assert after.parameters != before.parameters
    reader = Reader(open_session("reader", "cpu", "auto", folder=workplace.weights))
    assert reader.calibration.slope == after.parameters["calibration_slope"]
    pixels, record = draw_street("KL123", 30, 40)
    crop = reader.rectify(pixels, Corners.from_points(record["plates"][0]["corners"]))
    (spelling,) = reader.read([crop])
    assert 0 <= spelling.reading.confidence <= 1


def test_the_region_network_from_crops_to_guesses(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    card = train_twice_and_export(workplace, "region")
    assert card.labels == tuple(sorted(REGIONS))
    assert card.parameters == {"temperature": 1.0}
    monkeypatch.setattr(calibrate, "is_held_for_calibration", lambda record: record["split"] == "train")
    workplace.call("calibrate", "region", "--weights", workplace.weights)
    assert 0.2 <= ModelCard.load(workplace.weights / "region").parameters["temperature"] <= 5.0
    monkeypatch.setattr(calibrate, "is_held_for_calibration", lambda _: False)
    with pytest.raises(SystemExit, match="none of the crops held out"):
        workplace.call("calibrate", "region", "--weights", workplace.weights)
    classifier = RegionClassifier(open_session("region", "cpu", "float", folder=workplace.weights))
    crop = np.full((classifier.height, classifier.width, 3), 128, np.uint8)
    (guesses,) = classifier.classify([crop])
    assert {guess.value for guess in guesses} <= set(REGIONS)


def test_the_corner_network_from_scenes_to_corners(workplace: Workplace) -> None:
    train_twice_and_export(workplace, "corners")
    refiner = CornerRefiner(open_session("corners", "cpu", "float", folder=workplace.weights))
    pixels, record = draw_street("KL123", 30, 40)
    truth = Corners.from_points(record["plates"][0]["corners"])
    (found,) = refiner.refine(pixels, [truth])
    assert np.isfinite(found.as_tuple()).all()


def test_the_attribute_network_from_vehicles_to_guesses(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    card = train_twice_and_export(workplace, "attributes")
    assert card.heads["model"] == ("Dacia|", "Seat|", "Seat|Leon")
    assert card.heads["year"] == ("2005-2009", "2010-2014")
    monkeypatch.setattr(attributes_data, "is_held_for_calibration", lambda record: record["split"] == "train")
    workplace.call("calibrate", "attributes", "--weights", workplace.weights)
    fitted = ModelCard.load(workplace.weights / "attributes").parameters
    assert all(0.2 <= fitted[f"temperature_{head}"] <= 5.0 for head in card.heads)
    classifier = AttributeClassifier(open_session("attributes", "cpu", "int8", folder=workplace.weights))
    pixels = draw_vehicle((190, 20, 20))
    (attributes,) = classifier.classify([classifier.crop(pixels, Box(0, 0, 96, 64))])
    assert {guess.value for guess in attributes.makes} <= {"Dacia", "Seat", UNKNOWN}


def test_a_network_without_a_checkpoint_is_not_exported(workplace: Workplace) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint in"):
        workplace.export("reader")
    assert not workplace.weights.exists()


@pytest.mark.parametrize("module", [export, calibrate])
def test_commands_say_what_they_need(
    module: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["command"])
    with pytest.raises(SystemExit, match="2"):
        module.main()  # type: ignore[attr-defined]
    assert "required: " in capsys.readouterr().err
