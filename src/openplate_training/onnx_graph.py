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


def scaling_before(quantizer: NodeProto, makers: Mapping[str, NodeProto]) -> list[NodeProto]:
    """A QuantizeLinear node and, back from it, what scales pixels before it, to their Cast; empty without that."""
    chain, source = [quantizer], quantizer.input[0]
    while source in makers and makers[source].op_type in ("Mul", "Sub", "Cast"):
        chain.append(makers[source])
        source = makers[source].input[0]
    return chain if chain[-1].op_type == "Cast" else []
