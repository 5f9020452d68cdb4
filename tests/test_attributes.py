"""The attributes of vehicles: logits to words with probabilities, and the crops that they are told by."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper

from openplate.attributes import HEADS, AttributeClassifier, stretch, vehicle_crop
from openplate.datatypes import UNKNOWN, Box, Guess, VehicleAttributes
from openplate.errors import ModelLoadFailed
from openplate.models import Device, catalog
from openplate.models.card import WeightFile
from stand_ins import ATTRIBUTE_LABELS, StandInSession, make_attribute_classifier, make_attributes_card

Pixels = NDArray[np.uint8]
CROP = np.zeros((24, 40, 3), np.uint8)


def attributes_of(logits: dict[str, list[float]], **parameters: float) -> VehicleAttributes:
    (attributes,) = make_attribute_classifier([logits], **parameters).classify([CROP])
    return attributes


def close(*pairs: tuple[str, float]) -> list[Any]:
    return [(value, pytest.approx(confidence, abs=1e-6)) for value, confidence in pairs]


def pairs_of(guesses: tuple[Guess, ...]) -> list[tuple[str, float]]:
    return [(guess.value, guess.confidence) for guess in guesses]


def odds(*numbers: float) -> list[float]:
    """Logits whose probabilities are as these numbers."""
    return [math.log(number) if number else -1000.0 for number in numbers]


def test_each_head_is_told_best_first() -> None:
    found = attributes_of({"color": odds(2, 5, 3), "type": odds(1, 0, 3), "year": odds(1, 1), "body": odds(9, 1)})
    assert pairs_of(found.colors) == close(("grey", 0.5), ("red", 0.3), ("black", 0.2))
    assert pairs_of(found.types) == close(("bus", 0.75), ("sedan", 0.25), ("suv", 0))
    assert pairs_of(found.years) == close(("1990-1994", 0.5), ("1995-1999", 0.5))
    assert pairs_of(found.body_types) == close(("coupe", 0.9), ("wagon", 0.1))


def test_a_make_is_the_sum_of_its_models() -> None:
    found = attributes_of({"model": odds(3, 3, 4, 0)})  # SEAT Leon, some SEAT, MINI Countryman, some Ford
    assert pairs_of(found.makes) == close(("SEAT", 0.6), ("MINI", 0.4), ("Ford", 0))
    assert [(guess.make, guess.model) for guess in found.make_models[:3]] == [
        ("MINI", "Countryman"),
        ("SEAT", "Leon"),
        ("SEAT", None),
    ]


def test_an_orientation_is_the_sum_of_its_views() -> None:
    found = attributes_of({"view": odds(1, 3, 4, 0.5, 0.5, 0.5, 0.25, 0.75)})
    assert pairs_of(found.views)[:2] == close(("left", 4 / 10.5), ("front_left", 3 / 10.5))
    assert pairs_of(found.orientations) == close(("front", 4.75 / 10.5), ("side", 4.25 / 10.5), ("rear", 1.5 / 10.5))


def test_the_temperature_of_a_head_is_its_own() -> None:
    found = attributes_of({"color": odds(81, 9, 0), "type": odds(81, 9, 0)}, temperature_color=2)
    assert pairs_of(found.colors)[:2] == close(("black", 0.75), ("grey", 0.25))
    assert pairs_of(found.types)[:2] == close(("sedan", 0.9), ("suv", 0.1))


@pytest.mark.parametrize(
    ("threshold", "name"),
    [
        ("threshold_type", "types"),
        ("threshold_make", "makes"),
        ("threshold_body", "body_types"),
        ("threshold_year", "years"),
        ("threshold_color", "colors"),
        ("threshold_view", "views"),
        ("threshold_orientation", "orientations"),
    ],
)
def test_an_unsure_head_begins_with_unknown(threshold: str, name: str) -> None:
    sure = attributes_of({}, **{threshold: 0.05})
    unsure = attributes_of({}, **{threshold: 0.95})
    best = getattr(sure, name)[0]
    assert getattr(unsure, name) == (Guess(UNKNOWN, 1 - best.confidence), *getattr(sure, name))
    for other in fields(VehicleAttributes):
        if other.name != name:
            assert getattr(unsure, other.name) == getattr(sure, other.name)


def test_an_unsure_model_begins_with_unknown_though_its_make_is_sure() -> None:
    found = attributes_of({"model": odds(3, 3, 1, 1)}, threshold_model=0.5, threshold_make=0.7)
    first, second = found.make_models[:2]
    assert (first.make, first.model, first.confidence) == (UNKNOWN, None, pytest.approx(0.625))
    assert (second.make, second.model, second.confidence) == ("SEAT", "Leon", pytest.approx(0.375))
    assert pairs_of(found.makes)[0] == close(("SEAT", 0.75))[0]


def test_long_lists_keep_five_and_what_is_likely() -> None:
    views = attributes_of({"view": odds(1000, 0, 0, 0, 0, 0, 0, 0)}).views
    assert [guess.value for guess in views] == list(ATTRIBUTE_LABELS["view"][:5])
    assert len(attributes_of({"view": odds(*[1] * 8)}).views) == 8


LOGITS = st.fixed_dictionaries(
    {
        head: st.lists(st.floats(-1e4, 1e4, width=32), min_size=len(labels), max_size=len(labels))
        for head, labels in ATTRIBUTE_LABELS.items()
    }
)


@given(LOGITS)
def test_confidences_are_probabilities_best_first(logits: dict[str, list[float]]) -> None:
    found = attributes_of(logits)
    for name in (field.name for field in fields(VehicleAttributes)):
        confidences = [guess.confidence for guess in getattr(found, name)]
        assert confidences == sorted(confidences, reverse=True)
        assert 0.9 <= sum(confidences) <= 1 + 1e-9


@pytest.mark.parametrize("count", [0, 1, 16, 17, 35])
def test_any_number_of_crops_is_classified_in_order(count: int) -> None:
    rows = [{"type": odds(number + 1, 1, 0)} for number in range(35)]
    classifier = make_attribute_classifier(rows)
    found = classifier.classify([np.full((24, 40, 3), number, np.uint8) for number in range(count)])
    assert [attributes.types[0].confidence for attributes in found] == [
        pytest.approx((number + 1) / (number + 2)) for number in range(count)
    ]


# --- crops --------------------------------------------------------------------------------------------------


def striped(width: int = 100, height: int = 50) -> Pixels:
    """Each pixel tells its column and row."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(width), np.arange(height)[:, None]
    return pixels


@pytest.mark.parametrize(
    ("box", "margin", "columns", "rows"),
    [
        (Box(20, 10, 60, 30), 0.0, (20, 59), (10, 29)),
        (Box(20, 10, 60, 30), 0.1, (16, 63), (8, 31)),
        (Box(-20, -10, 20, 10), 0.0, (0, 19), (0, 9)),  # cut by the edge
        (Box(0, 0, 100, 50), 0.2, (0, 99), (0, 49)),
        (Box(20.4, 10.4, 20.4, 10.4), 0.1, (20, 20), (10, 10)),  # nothing
        (Box(300, 200, 400, 300), 0.0, (99, 99), (49, 49)),  # outside
        (Box(-300, -200, -200, -100), 0.0, (0, 0), (0, 0)),
        (Box(40, -200, 42, 200), 0.0, (40, 41), (0, 49)),
    ],
)
def test_table_of_crops(box: Box, margin: float, columns: tuple[int, int], rows: tuple[int, int]) -> None:
    width, height = columns[1] - columns[0] + 1, rows[1] - rows[0] + 1
    crop = vehicle_crop(striped(), box, width, height, margin)
    assert crop.shape == (height, width, 3)
    assert (crop[0, 0, 0], crop[0, -1, 0]) == columns
    assert (crop[0, 0, 1], crop[-1, 0, 1]) == rows


@given(
    st.tuples(*[st.floats(-1e5, 1e5)] * 4),
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.floats(0, 2),
)
def test_any_box_of_any_picture_gives_a_crop(numbers: tuple[float, ...], size: tuple[int, int], margin: float) -> None:
    (x1, x2), (y1, y2) = sorted(numbers[:2]), sorted(numbers[2:])
    crop = vehicle_crop(striped(*size), Box(x1, y1, x2, y2), 40, 24, margin)
    assert (crop.shape, crop.dtype) == ((24, 40, 3), np.uint8)


def test_shrinking_averages_and_keeps_no_aspect() -> None:
    pixels = np.zeros((60, 400, 3), np.uint8)
    pixels[:, ::2] = 200
    assert np.array_equal(stretch(pixels, 20, 30), np.full((30, 20, 3), 100, np.uint8))
    assert np.array_equal(stretch(pixels, 400, 60), pixels)
    assert np.array_equal(stretch(pixels, 20, 60), np.full((60, 20, 3), 100, np.uint8))
    assert np.array_equal(stretch(pixels, 399, 1)[:, 0], stretch(pixels[:1], 399, 1)[:, 0])
    assert stretch(pixels[:1, :1], 40, 24).min() == 200


def test_a_crop_has_the_size_and_margin_of_the_card() -> None:
    classifier = make_attribute_classifier([{}], margin=0.5)
    crop = classifier.crop(striped(), Box(40, 20, 60, 30))
    assert crop.shape == (24, 40, 3)
    assert np.array_equal(crop, vehicle_crop(striped(), Box(30, 15, 70, 35), 40, 24, 0))


# --- the card -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "parameters", "expected"),
    [
        ({"color": None}, {}, "no head color"),
        ({"model": ("SEAT", "MINI|")}, {}, "'Make|Model' or 'Make|', not 'SEAT'"),
        ({"model": ("|Leon", "MINI|")}, {}, "not '|Leon'"),
        ({"model": ("SEAT|Leon|", "MINI|")}, {}, "not 'SEAT|Leon|'"),
        ({"view": ("front", "above")}, {}, "'above'"),
        ({}, {"threshold_make": None}, r"parameters.threshold_make"),
        ({}, {"temperature_year": None}, r"parameters.temperature_year"),
        ({}, {"margin": None}, r"parameters.margin"),
    ],
)
def test_what_a_card_lacks_is_named(changes: dict[str, Any], parameters: dict[str, Any], expected: str) -> None:
    labels = {head: names for head, names in (ATTRIBUTE_LABELS | changes).items() if names is not None}
    card = make_attributes_card(labels, **parameters)
    with pytest.raises(ModelLoadFailed) as failure:
        AttributeClassifier(StandInSession(card, lambda _: ()))  # type: ignore[arg-type]
    assert expected in str(failure.value)


def write_network(path: Path) -> None:
    """Every head's logits are the mean red, green and blue of the crop, times some numbers."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Cast", ["picture"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["number"], ["means"], axes=[1, 2], keepdims=0),
    ]
    weights, outputs = [], []
    for head, labels in ATTRIBUTE_LABELS.items():
        numbers = rng.normal(0, 0.1, (3, len(labels))).astype(np.float32)
        weights.append(onnx.numpy_helper.from_array(numbers, f"weights_{head}"))
        nodes.append(helper.make_node("MatMul", ["means", f"weights_{head}"], [head]))
        outputs.append(helper.make_tensor_value_info(head, TensorProto.FLOAT, ["n", len(labels)]))
    inputs = [helper.make_tensor_value_info("picture", TensorProto.UINT8, ["n", 24, 40, 3])]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.mark.parametrize("device", ["cpu", "openvino"])
def test_a_network_in_a_file_gives_the_same_on_every_runtime(tmp_path: Path, device: Device) -> None:
    folder = tmp_path / "attributes"
    folder.mkdir()
    write_network(folder / "model.onnx")
    files = {"float": WeightFile.from_path(folder / "model.onnx")}
    make_attributes_card(ATTRIBUTE_LABELS, name="attributes", files=files).save(folder)
    classifier = AttributeClassifier(catalog.open_session("attributes", device, folder=tmp_path))
    picture = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    crops = [classifier.crop(picture, Box(x, x, x + 30, x + 20)) for x in range(0, 40, 2)]
    logits = classifier.logits(crops)
    assert {head: array.shape for head, array in logits.items()} == {
        head: (20, len(ATTRIBUTE_LABELS[head])) for head in HEADS
    }
    expected = np.random.default_rng(0).normal(0, 0.1, (3, len(ATTRIBUTE_LABELS["type"]))).astype(np.float32)
    means = np.stack([crop.mean(axis=(0, 1)) for crop in crops])
    assert np.allclose(logits["type"], means @ expected, atol=1e-2)
    assert classifier.name == "attributes 1"
    assert len(classifier.classify(crops)) == 20
