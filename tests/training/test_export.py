"""The shipped folder: ONNX files that answer as the trained network does, or none."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from openplate.attributes import HEADS
from openplate.datatypes import Corners
from openplate.detection import to_input
from openplate.imaging import Image
from openplate.models.card import InputDescription, ModelCard
from openplate.models.catalog import open_session
from openplate_training.backbone import MobileNetV1, MobileNetV2
from openplate_training.data import load_records
from openplate_training.detector_model import DetectorNetwork
from openplate_training.export import (
    RECIPES,
    TOLERANCE,
    Recipe,
    largest_difference,
    quantised,
    require_agreement,
    traced,
    write_folder,
    write_onnx,
)
from openplate_training.onnx_graph import fold_pads, move_zero_into_bias, take_pixels_as_quantised
from openplate_training.reader_model import ALPHABET, ReaderNetwork
from openplate_training.region_model import RegionNetwork
from served import make_classifier, make_reader

ABOUT = {
    "licence": "Apache-2.0",
    "origin": "drawn",
    "command": "none",
    "limits": ["Knows drawn plates only."],
    "runtime": {"openvino": "int8"},
    "parameters": {"more": 0.5},
    "measured": {"exact": 0.25},
    "trained_on": [{"name": "drawn", "licence": "Apache-2.0"}],
}


def make_recipe(name: str) -> Recipe:
    """A small network of each kind, with random weights and so that its answers vary with the picture."""
    random = np.random.default_rng(1)

    def pictures(*shape: int) -> list[NDArray[np.uint8]]:
        small = random.integers(0, 256, (6, 1, shape[0] // 8, shape[1] // 8, 3), dtype=np.uint8)
        return list(small.repeat(8, 2).repeat(8, 3))

    recipe = {
        "detector": lambda: Recipe(
            network=DetectorNetwork((16, 16, 16)),
            inputs=pictures(64, 96),
            is_fixed=False,
            keep_float=("plate_heads.0.2", "plate_heads.1.2", "plate_heads.2.2", "vehicle_heads"),
            task="detection",
            summary="drawn",
            input=InputDescription(96, 96),
            outputs=("plates", "vehicles"),
            parameters={"threshold_plate": 0.5},
            labels=("plate", "car"),
        ),
        "reader": lambda: Recipe(
            network=ReaderNetwork((8, 8, 16, 16, 16)),
            inputs=pictures(64, 160),
            is_fixed=True,
            keep_float=("classify",),
            task="reading",
            summary="drawn",
            input=InputDescription(160, 64),
            outputs=("log_probabilities",),
            parameters={},
            alphabet=ALPHABET,
        ),
        "region": lambda: Recipe(
            network=RegionNetwork(3),
            inputs=pictures(96, 160),
            is_fixed=True,
            keep_float=("classify",),
            task="region",
            summary="drawn",
            input=InputDescription(160, 96),
            outputs=("logits",),
            parameters={"temperature": 1.0},
            labels=("de", "fr", "vn"),
        ),
    }[name]()
    for module in recipe.network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if isinstance(module, MobileNetV1 | MobileNetV2):
            module.settle_norms((torch.from_numpy(np.concatenate(recipe.inputs)).permute(0, 3, 1, 2) - 127.5) / 127.5)
    return recipe


@pytest.fixture(scope="module", params=["detector", "reader", "region"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """A recipe and the folder that was written by it."""
    torch.manual_seed(1)
    recipe, folder = make_recipe(request.param), tmp_path_factory.mktemp("weights") / request.param
    assert write_folder(recipe, folder, "0.1.0", ABOUT) <= TOLERANCE
    return recipe, folder


def torch_answers(recipe: Recipe, array: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
    with torch.no_grad():
        answers = recipe.network.eval()(torch.from_numpy(array))
    return tuple(answer.numpy() for answer in (answers if isinstance(answers, tuple) else (answers,)))


def onnx_answers(model: onnx.ModelProto, array: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"images": array}))


def error_share(ours: Any, theirs: Any) -> float:
    """The typical difference between two answers, as a share of how much the answers vary."""
    return float(np.sqrt(np.mean((ours - theirs) ** 2)) / np.std(theirs))


def test_the_served_float_network_answers_as_torch_does(exported: tuple[Recipe, Path]) -> None:
    recipe, folder = exported
    session = open_session(folder.name, "cpu", "float", folder=folder.parent)
    batch = np.concatenate(recipe.inputs[:3])
    for ours, theirs in zip(session.run(batch), torch_answers(recipe, batch), strict=True):
        assert theirs.std() > 0.05  # there is something to compare
        np.testing.assert_allclose(ours, theirs, atol=TOLERANCE)


def test_the_served_int8_network_answers_nearly_as_torch_does(exported: tuple[Recipe, Path]) -> None:
    recipe, folder = exported
    session = open_session(folder.name, "cpu", "int8", folder=folder.parent)
    for array in recipe.inputs[:3]:
        for ours, theirs in zip(session.run(array), torch_answers(recipe, array), strict=True):
            assert error_share(ours, theirs) < 0.35


def test_the_card_says_what_the_recipe_and_the_person_say(exported: tuple[Recipe, Path]) -> None:
    recipe, folder = exported
    card = ModelCard.load(folder)
    assert (card.name, card.version, card.task) == (folder.name, "0.1.0", recipe.task)
    assert (card.outputs, card.labels, card.alphabet) == (recipe.outputs, recipe.labels, recipe.alphabet)
    assert card.parameters == {**recipe.parameters, "more": 0.5}
    assert card.runtime == {"onnxruntime": "float", "openvino": "int8"}
    assert card.measured == {"exact": 0.25}
    assert card.limits == ("Knows drawn plates only.",)
    assert sorted(file.name for file in folder.iterdir()) == ["card.toml", "model-int8.onnx", "model.onnx"]


def test_paddings_and_norms_are_folded(exported: tuple[Recipe, Path]) -> None:
    _, folder = exported
    kinds = {node.op_type for node in onnx.load(folder / "model.onnx").graph.node}
    assert "Conv" in kinds
    assert not kinds & {"Pad", "BatchNormalization", "Constant"}


def test_int8_files_have_unsigned_activations_and_signed_weights(exported: tuple[Recipe, Path]) -> None:
    _, folder = exported
    graph = onnx.load(folder / "model-int8.onnx").graph
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    zeros = [types[node.input[2]] for node in graph.node if node.op_type == "QuantizeLinear"]
    assert zeros
    assert set(zeros) == {onnx.TensorProto.UINT8}
    weights = [t for t in graph.initializer if t.data_type == onnx.TensorProto.INT8 and len(t.dims) == 4]
    assert weights


def test_the_readers_int8_file_multiplies_maps_with_bytes_but_for_attention_and_the_answer(tmp_path: Path) -> None:
    recipe = make_recipe("reader")
    write_onnx(recipe, tmp_path / "model.onnx")
    graph = quantised(recipe, tmp_path / "model.onnx").graph
    bytes_ = {t.name for t in graph.initializer if t.data_type == onnx.TensorProto.INT8}
    matrices = {n.output[0] for n in graph.node if n.op_type == "DequantizeLinear" and n.input[0] in bytes_}
    products = {n.name: bool(matrices & set(n.input)) for n in graph.node if n.op_type == "MatMul"}
    assert {name.split("/")[-2] for name, is_in_bytes in products.items() if is_in_bytes} == {
        *("to_qkv", "project", "feed.0", "feed.2")
    }
    assert "/classify/MatMul" in products


def test_a_detector_takes_any_size_and_any_number(tmp_path: Path) -> None:
    recipe = make_recipe("detector")
    write_onnx(recipe, tmp_path / "model.onnx")
    other = np.random.default_rng(2).integers(0, 256, (2, 96, 64, 3), dtype=np.uint8)
    model = onnx.load(tmp_path / "model.onnx")
    for ours, theirs in zip(onnx_answers(model, other), torch_answers(recipe, other), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=TOLERANCE)


def test_folding_paddings_changes_no_answer() -> None:
    recipe = make_recipe("detector")
    model = traced(recipe)
    assert sum(node.op_type == "Pad" for node in model.graph.node) == 5
    before = [onnx_answers(model, array) for array in recipe.inputs]
    fold_pads(model)
    assert not any(node.op_type == "Pad" for node in model.graph.node)
    for array, theirs in zip(recipe.inputs, before, strict=True):
        for ours, expected in zip(onnx_answers(model, array), theirs, strict=True):
            np.testing.assert_array_equal(ours, expected)


def test_taking_pixels_as_quantised_keeps_the_answer_close(exported: tuple[Recipe, Path]) -> None:
    """The reader's first step is no scaling, so its graph stays as it is."""
    recipe, folder = exported
    takes_pixels = recipe.task != "reading"
    model = quantised(recipe, folder / "model.onnx")
    before = [onnx_answers(model, array) for array in recipe.inputs]
    assert take_pixels_as_quantised(model, 1 / 127.5, 128) is takes_pixels
    onnx.checker.check_model(model)
    assert ("Cast" in {node.op_type for node in model.graph.node}) is not takes_pixels
    for array, theirs in zip(recipe.inputs, before, strict=True):
        for ours, expected in zip(onnx_answers(model, array), theirs, strict=True):
            assert error_share(ours, expected) < 0.25
    taken = [onnx_answers(model, array) for array in recipe.inputs]
    is_moved = move_zero_into_bias(model)
    assert is_moved is takes_pixels
    onnx.checker.check_model(model)
    for array, theirs in zip(recipe.inputs, taken, strict=True):
        for ours, expected in zip(onnx_answers(model, array), theirs, strict=True):
            np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4)
    assert onnx.load(folder / "model-int8.onnx") == model  # the shipped file has both


def test_a_file_that_differs_from_the_network_is_refused(tmp_path: Path) -> None:
    recipe, file = make_recipe("region"), tmp_path / "model.onnx"
    write_onnx(recipe, file)
    assert require_agreement(recipe, file) == largest_difference(recipe, file) <= TOLERANCE
    with torch.no_grad():
        recipe.network.get_parameter("classify.bias")[1] += 3 * TOLERANCE
    with pytest.raises(SystemExit, match=r"differ by 0\.006, more than 0\.002: not exported"):
        require_agreement(recipe, file)


def test_a_network_of_no_numbers_is_refused_and_the_old_folder_stays(tmp_path: Path) -> None:
    recipe, folder = make_recipe("region"), tmp_path / "region"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"the old one")
    with torch.no_grad():
        recipe.network.get_parameter("classify.weight")[:] = torch.nan
    with pytest.raises(SystemExit, match="not exported"):
        write_folder(recipe, folder, "0.1.0", ABOUT)
    assert [file.name for file in folder.iterdir()] == ["model.onnx"]
    assert (folder / "model.onnx").read_bytes() == b"the old one"


# --- what is calibrated on is what is served ----------------------------------------------------------------------


def make_options(data: Path, cache: Path, name: str = "region") -> Namespace:
    labels: object = ["us-ny", "vn"]
    if name == "attributes":
        labels = {head: ["one", "two"] for head in HEADS}
    (cache / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    return Namespace(data=data, cache=cache, checkpoint=cache)


def test_the_detector_is_calibrated_on_what_serving_gives_it(data_folder: Path, tmp_path: Path) -> None:
    recipe = RECIPES["detector"](make_options(data_folder, tmp_path))
    first = load_records(data_folder / "scenes" / "scenes.jsonl")[0]
    served, _ = to_input(Image.from_path(data_folder / "scenes" / first["image"]), recipe.input.width)
    np.testing.assert_array_equal(recipe.inputs[0], served)


@pytest.mark.parametrize(
    ("name", "rectify"), [("reader", make_reader().rectify), ("region", make_classifier().rectify)]
)
def test_the_crop_networks_are_calibrated_on_what_serving_gives_them(
    name: str, rectify: Callable[[NDArray[np.uint8], Corners], NDArray[np.uint8]], data_folder: Path, tmp_path: Path
) -> None:
    recipe = RECIPES[name](make_options(data_folder, tmp_path))
    records = load_records(data_folder / "plate_crops" / "plate_crops.jsonl")
    taught = [record for record in records if record["split"] == "train"]
    assert len(recipe.inputs) == len(taught)
    for array, record in zip(recipe.inputs, taught, strict=True):
        image = Image.from_path(data_folder / "plate_crops" / record["image"])
        corners = Corners.from_points([(4, 4), (116, 4), (116, 36), (4, 36)])
        np.testing.assert_array_equal(array, rectify(image.pixels, corners)[None])


def test_cards_describe_the_networks_they_come_with(data_folder: Path, tmp_path: Path) -> None:
    for name, build in RECIPES.items():
        recipe = build(make_options(data_folder, tmp_path, name))
        assert recipe.inputs[0].shape[1:] == (recipe.input.height, recipe.input.width, 3) or not recipe.is_fixed
        answers = torch_answers(recipe, recipe.inputs[0])
        assert len(answers) == len(recipe.outputs), name
