"""Rewritten graphs answer as before: paddings folded only where that is exact, pixels taken as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from openplate_training.onnx_graph import constants_of, drop_unused, fold_constants, fold_pads, take_pixels_as_quantised

RANDOM = np.random.default_rng(1)
KERNEL = RANDOM.normal(size=(2, 3, 3, 3)).astype(np.float32)
TFLITE_PADS = [0, 0, 0, 0, 0, 0, 1, 1]  # one row below, one column to the right
OPSET = 17


def make_model(
    nodes: list[NodeProto],
    constants: dict[str, NDArray[Any]],
    outputs: tuple[str, ...] = ("y",),
    input_type: int = TensorProto.FLOAT,
) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", input_type, [1, 3, 8, 10])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list("nchw")) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def padded_convolution(mode: str = "constant", **attributes: Any) -> list[NodeProto]:
    return [
        helper.make_node("Pad", ["x", "pads", "value"], ["padded"], mode=mode),
        helper.make_node("Conv", ["padded", "kernel"], ["y"], strides=[2, 2], **attributes),
    ]


def padded_constants(pads: list[int] = TFLITE_PADS, value: float = 0.0) -> dict[str, NDArray[Any]]:
    return {"pads": np.array(pads, np.int64), "value": np.array(value, np.float32), "kernel": KERNEL}


def answers(model: ModelProto, pixels: NDArray[Any]) -> list[NDArray[Any]]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(session.run(None, {"x": pixels}))


def some_pixels() -> NDArray[np.float32]:
    return RANDOM.normal(size=(1, 3, 8, 10)).astype(np.float32)


def kinds(model: ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def assert_same_answers(model: ModelProto, before: list[NDArray[Any]], pixels: NDArray[Any]) -> None:
    onnx.checker.check_model(model)
    for ours, theirs in zip(answers(model, pixels), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("pads", [TFLITE_PADS, [0, 0, 1, 2, 0, 0, 3, 0], [0] * 8])
@pytest.mark.parametrize("own", [{}, {"pads": [0, 0, 0, 0]}, {"auto_pad": "NOTSET"}])
def test_zero_paddings_go_into_the_convolution(pads: list[int], own: dict[str, Any]) -> None:
    model, pixels = make_model(padded_convolution(**own), padded_constants(pads)), some_pixels()
    before = answers(model, pixels)
    fold_pads(model)
    assert kinds(model) == ["Conv"]
    assert set(constants_of(model)) == {"kernel"}
    assert_same_answers(model, before, pixels)


def test_a_padding_without_a_value_pads_with_zeros() -> None:
    nodes = padded_convolution()
    del nodes[0].input[2]
    constants = padded_constants()
    del constants["value"]
    model, pixels = make_model(nodes, constants), some_pixels()
    before = answers(model, pixels)
    fold_pads(model)
    assert kinds(model) == ["Conv"]
    assert_same_answers(model, before, pixels)


def test_constants_may_be_nodes() -> None:
    constants = padded_constants()
    made = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(constants.pop(name)))
        for name in ("pads", "value")
    ]
    model, pixels = make_model([*made, *padded_convolution()], constants), some_pixels()
    before = answers(model, pixels)
    fold_pads(model)
    assert "Pad" not in kinds(model)
    assert_same_answers(model, before, pixels)


@pytest.mark.parametrize(
    ("nodes", "constants", "outputs"),
    [
        pytest.param(padded_convolution(mode="reflect"), padded_constants(), ("y",), id="reflects"),
        pytest.param(padded_convolution(mode="edge"), padded_constants(), ("y",), id="repeats the edge"),
        pytest.param(padded_convolution(), padded_constants(value=0.5), ("y",), id="another value than zero"),
        pytest.param(padded_convolution(pads=[1, 1, 1, 1]), padded_constants(), ("y",), id="the convolution pads too"),
        pytest.param(
            padded_convolution(auto_pad="SAME_UPPER"), padded_constants(), ("y",), id="the convolution pads by itself"
        ),
        pytest.param(padded_convolution(), padded_constants(), ("y", "padded"), id="the padded map is an answer"),
        pytest.param(
            [*padded_convolution(), helper.make_node("Relu", ["padded"], ["z"])],
            padded_constants(),
            ("y", "z"),
            id="another node takes the padded map",
        ),
        pytest.param(
            padded_convolution(),
            padded_constants([0, 0, -1, 0, 0, 0, 1, 1]),
            ("y",),
            id="a padding that cuts",
        ),
        pytest.param(
            [
                padded_convolution()[0],
                helper.make_node("Conv", ["padded", "kernel"], ["y"]),
            ],
            {
                "pads": np.array([0, 1, 0, 0, 0, 0, 0, 0]),
                "value": np.array(0, np.float32),
                "kernel": np.ones((2, 4, 1, 1), np.float32),
            },
            ("y",),
            id="a channel more",
        ),
    ],
)
def test_other_paddings_stay(
    nodes: list[NodeProto], constants: dict[str, NDArray[Any]], outputs: tuple[str, ...]
) -> None:
    model, pixels = make_model(nodes, constants, outputs), some_pixels()
    before = answers(model, pixels)
    fold_pads(model)
    assert "Pad" in kinds(model)
    assert_same_answers(model, before, pixels)


def test_two_convolutions_behind_one_padding_keep_it() -> None:
    nodes = [*padded_convolution(), helper.make_node("Conv", ["padded", "kernel"], ["z"])]
    model, pixels = make_model(nodes, padded_constants(), ("y", "z")), some_pixels()
    before = answers(model, pixels)
    fold_pads(model)
    assert kinds(model).count("Pad") == 1
    assert_same_answers(model, before, pixels)


def test_constants_that_nothing_takes_are_dropped() -> None:
    model = make_model([helper.make_node("Relu", ["x"], ["y"])], {"idle": np.ones(3, np.float32)})
    drop_unused(model)
    assert not constants_of(model)


def test_what_does_not_depend_on_the_input_is_computed_beforehand() -> None:
    nodes = [
        helper.make_node("Mul", ["two", "three"], ["six"]),
        helper.make_node("Add", ["x", "six"], ["y"]),
    ]
    constants = {"two": np.array(2, np.float32), "three": np.array(3, np.float32)}
    model, pixels = make_model(nodes, constants), some_pixels()
    folded = fold_constants(model)
    assert kinds(folded) == ["Add"]
    assert [value.item() for value in constants_of(folded).values()] == [6.0]
    assert_same_answers(folded, answers(model, pixels), pixels)


# --- pixels as the first quantised map ----------------------------------------------------------------------------

SCALED = {
    "middle": np.array(127.5, np.float32),
    "share": np.array(1 / 127.5, np.float32),
    "scale": np.array(2 / 255, np.float32),
    "zero": np.array(128, np.uint8),
}


def quantised_picture(*further: NodeProto) -> list[NodeProto]:
    return [
        helper.make_node("Cast", ["x"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["float", "middle"], ["centred"]),
        helper.make_node("Mul", ["centred", "share"], ["scaled"]),
        helper.make_node("QuantizeLinear", ["scaled", "scale", "zero"], ["quantised"]),
        helper.make_node("DequantizeLinear", ["quantised", "scale", "zero"], ["y"]),
        *further,
    ]


def all_pixels() -> NDArray[np.uint8]:
    return np.resize(np.arange(256, dtype=np.uint8), (1, 3, 8, 10))


def test_pixels_are_taken_to_within_half_a_grey_level() -> None:
    model = make_model(quantised_picture(), SCALED, input_type=TensorProto.UINT8)
    (before,) = answers(model, all_pixels())
    assert take_pixels_as_quantised(model, 1 / 127.5, 128)
    onnx.checker.check_model(model)
    assert kinds(model) == ["DequantizeLinear"]
    (after,) = answers(model, all_pixels())
    exact = (all_pixels().astype(np.float64) - 127.5) / 127.5
    assert np.abs(after - exact).max() <= 0.5 / 127.5 + 1e-6
    assert np.abs(after - before).max() <= 1 / 127.5 + 1e-6


def test_scaled_pixels_that_something_else_takes_stay() -> None:
    nodes = quantised_picture(helper.make_node("Relu", ["scaled"], ["z"]))
    model = make_model(nodes, SCALED, ("y", "z"), TensorProto.UINT8)
    before = answers(model, all_pixels())
    assert not take_pixels_as_quantised(model, 1 / 127.5, 128)
    assert_same_answers(model, before, all_pixels())


def test_a_graph_without_that_beginning_stays() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node("QuantizeLinear", ["positive", "scale", "zero"], ["quantised"]),
        helper.make_node("DequantizeLinear", ["quantised", "scale", "zero"], ["y"]),
    ]
    model, pixels = make_model(nodes, SCALED), some_pixels()
    before = answers(model, pixels)
    assert not take_pixels_as_quantised(model, 1 / 127.5, 128)
    assert_same_answers(model, before, pixels)
