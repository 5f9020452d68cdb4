"""Rewrites ONNX graphs so that the runtimes have less to do, without changing what a network answers."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import ModelProto, NodeProto, numpy_helper


def fold_constants(model: ModelProto) -> ModelProto:
    """Everything that does not depend on the input computed once, by ONNX Runtime's basic optimisations."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "folded.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(file)
        options.log_severity_level = 3
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(file)


def constants_of(model: ModelProto) -> dict[str, npt.NDArray[np.generic]]:
    """The constant tensors by name."""
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return constants


def fold_pads(model: ModelProto) -> None:
    """Moves constant zero paddings into the convolution behind them: one pass over the map less, in place.

    A padding stays where something else takes its map too, where it pads with anything but zeros or other axes than
    height and width, and where the convolution pads by itself.
    """
    graph, constants, consumers = model.graph, constants_of(model), consumers_of(model)
    makers = {output: node for node in graph.node for output in node.output}
    for node in list(graph.node):
        pad = makers.get(node.input[0]) if node.op_type == "Conv" else None
        amounts = zero_padding(pad, constants) if pad is not None and pad.op_type == "Pad" else None
        if pad is None or amounts is None or pads_by_itself(node) or consumers[pad.output[0]] != 1:
            continue
        for attribute in [a for a in node.attribute if a.name == "pads"]:
            node.attribute.remove(attribute)
        node.attribute.append(onnx.helper.make_attribute("pads", amounts))
        node.input[0] = pad.input[0]
        graph.node.remove(pad)
    drop_unused(model)


def consumers_of(model: ModelProto) -> Counter[str]:
    """How often each tensor is taken: by nodes, and as an output of the graph."""
    taken = [name for node in model.graph.node for name in node.input]
    return Counter([*taken, *(output.name for output in model.graph.output)])


def pads_by_itself(convolution: NodeProto) -> bool:
    """The convolution has a padding of its own."""
    attributes = {attribute.name: attribute for attribute in convolution.attribute}
    is_automatic = "auto_pad" in attributes and attributes["auto_pad"].s != b"NOTSET"
    return is_automatic or ("pads" in attributes and any(attributes["pads"].ints))


def zero_padding(pad: NodeProto, constants: Mapping[str, npt.NDArray[np.generic]]) -> list[int] | None:
    """The top, left, bottom and right of a Pad node that puts constant zeros around maps; None where it does else."""
    amounts, value, axes, *_ = [*list(pad.input)[1:], "", "", ""]
    mode = next((a.s for a in pad.attribute if a.name == "mode"), b"constant")
    is_zero = not value or (value in constants and not constants[value].any())
    if mode != b"constant" or not is_zero or axes or amounts not in constants:
        return None
    sizes: list[int] = constants[amounts].tolist()
    if len(sizes) != 8 or any(sizes[:2]) or any(sizes[4:6]) or min(sizes) < 0:
        return None
    return [*sizes[2:4], *sizes[6:8]]


def drop_unused(model: ModelProto) -> None:
    """Removes constants that no node takes any more, in place."""
    used = {name for node in model.graph.node for name in node.input} | {o.name for o in model.graph.output}
    for tensor in list(model.graph.initializer):
        if tensor.name not in used:
            model.graph.initializer.remove(tensor)


def take_pixels_as_quantised(model: ModelProto, scale: float, zero: int) -> bool:
    """Lets a quantised network take the uint8 picture as its first quantised map, in place.

    The picture is already what the scaling and the first QuantizeLinear would make of it, up to half a grey level:
    pixel p stands for (p - zero) * scale. Returns whether the graph has that beginning.
    """
    graph, consumers = model.graph, consumers_of(model)
    makers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        chain = scaling_before(node, makers) if node.op_type == "QuantizeLinear" else []
        readers = [n for n in graph.node if n.op_type == "DequantizeLinear" and n.input[0] == node.output[0]]
        is_alone = all(consumers[n.output[0]] == 1 for n in chain[1:]) and consumers[node.output[0]] == len(readers)
        if not chain or not is_alone:
            continue
        graph.initializer.append(numpy_helper.from_array(np.array(scale, np.float32), "pixel_scale"))
        graph.initializer.append(numpy_helper.from_array(np.array(zero, np.uint8), "pixel_zero"))
        for reader in readers:
            reader.input[:] = [chain[-1].input[0], "pixel_scale", "pixel_zero"]
        for dead in chain:
            graph.node.remove(dead)
        drop_unused(model)
        return True
    return False


def move_zero_into_bias(model: ModelProto) -> bool:
    """Lets the first convolution take pixels whose zero is 0, its bias doing the rest, in place and exactly.

    Runtimes that have no kernel for a zero point other than 0 else compute that convolution in float. Its padding,
    which stood for the old zero, becomes a node of its own. Returns whether the graph begins as
    ``take_pixels_as_quantised`` leaves it, with a quantised convolution that alone takes the pixels.
    """
    graph, constants, consumers = model.graph, constants_of(model), consumers_of(model)
    makers = {output: node for node in graph.node for output in node.output}
    pixels = next((n for n in graph.node if n.op_type == "DequantizeLinear" and n.input[1] == "pixel_scale"), None)
    takers = [n for n in graph.node if pixels is not None and pixels.output[0] in n.input]
    if pixels is None or len(takers) != 1 or takers[0].op_type != "Conv" or consumers[pixels.output[0]] != 1:
        return False
    convolution = takers[0]
    parts = [makers.get(name) for name in convolution.input[1:3]]
    weights, bias, *_ = [*parts, None, None]
    if weights is None or bias is None or consumers[bias.output[0]] != 1:
        return False
    zero, scale = constants[pixels.input[2]], constants[pixels.input[1]]
    levels = constants[weights.input[0]].astype(np.int64)
    steps = scale.astype(np.float64) * constants[weights.input[1]].astype(np.float64)
    old = constants[bias.input[0]].astype(np.float64) * constants[bias.input[1]].astype(np.float64)
    moved = np.round(old / steps) - int(zero) * levels.reshape(len(levels), -1).sum(1)
    for name, array in (
        ("first_bias", moved.astype(np.int32)),
        ("first_bias_scale", steps.astype(np.float32)),
        ("pixel_nought", np.zeros((), np.uint8)),
    ):
        graph.initializer.append(numpy_helper.from_array(array, name))
    bias.input[0], bias.input[1], pixels.input[2] = "first_bias", "first_bias_scale", "pixel_nought"
    _pad_pixels(graph, pixels, convolution, zero)
    drop_unused(model)
    return True


def _pad_pixels(
    graph: onnx.GraphProto, pixels: NodeProto, convolution: NodeProto, zero: npt.NDArray[np.generic]
) -> None:
    """The convolution's padding as a node before the pixels are scaled, with the pixel that stands for nought."""
    pads = next((a for a in convolution.attribute if a.name == "pads"), None)
    if pads is None or not any(pads.ints):
        return
    top, left, bottom, right = pads.ints
    amounts = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
    pads.ints[:] = [0, 0, 0, 0]
    graph.initializer.append(numpy_helper.from_array(amounts, "pixel_padding"))
    graph.initializer.append(numpy_helper.from_array(np.asarray(zero), "pixel_of_nought"))
    source = pixels.input[0]
    node = onnx.helper.make_node("Pad", [source, "pixel_padding", "pixel_of_nought"], ["padded_pixels"], "pad_pixels")
    pixels.input[0] = "padded_pixels"
    makers = [place for place, maker in enumerate(graph.node) if source in maker.output]
    graph.node.insert(makers[0] + 1 if makers else 0, node)


def scaling_before(quantizer: NodeProto, makers: Mapping[str, NodeProto]) -> list[NodeProto]:
    """A QuantizeLinear node and, back from it, what scales pixels before it, to their Cast; empty without that."""
    chain, source = [quantizer], quantizer.input[0]
    while source in makers and makers[source].op_type in ("Mul", "Sub", "Cast"):
        chain.append(makers[source])
        source = makers[source].input[0]
    return chain if chain[-1].op_type == "Cast" else []
