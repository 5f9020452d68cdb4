"""Rewrites ONNX graphs so that the runtimes have less to do, without changing what a network answers."""

from __future__ import annotations

import tempfile
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
    """Moves constant zero paddings into the convolution behind them: one pass over the map less, in place."""
    graph, constants = model.graph, constants_of(model)
    pads = {n.output[0]: n for n in graph.node if n.op_type == "Pad" and n.input[1] in constants}
    for node in list(graph.node):
        pad = pads.get(node.input[0]) if node.op_type == "Conv" else None
        if pad is None:
            continue
        amounts = constants[pad.input[1]].tolist()
        own = next((a for a in node.attribute if a.name == "pads"), None)
        if any(amounts[:2]) or any(amounts[4:6]) or (own is not None and any(own.ints)):
            continue
        if own is not None:
            node.attribute.remove(own)
        node.attribute.append(onnx.helper.make_attribute("pads", [*amounts[2:4], *amounts[6:8]]))
        node.input[0] = pad.input[0]
        graph.node.remove(pad)
    drop_unused(model)


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
    graph = model.graph
    makers: dict[str, NodeProto] = {o: n for n in graph.node for o in n.output}
    for node in graph.node:
        if node.op_type != "QuantizeLinear":
            continue
        chain, source = [node], node.input[0]
        while source in makers and makers[source].op_type in ("Mul", "Sub", "Cast"):
            chain.append(makers[source])
            source = makers[source].input[0]
        if chain[-1].op_type != "Cast":
            continue
        graph.initializer.append(numpy_helper.from_array(np.array(scale, np.float32), "pixel_scale"))
        graph.initializer.append(numpy_helper.from_array(np.array(zero, np.uint8), "pixel_zero"))
        for reader in graph.node:
            if reader.op_type == "DequantizeLinear" and reader.input[0] == node.output[0]:
                reader.input[:] = [source, "pixel_scale", "pixel_zero"]
        for dead in chain:
            graph.node.remove(dead)
        drop_unused(model)
        return True
    return False
