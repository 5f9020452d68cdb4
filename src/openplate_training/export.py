"""Writes a trained network as the folder that is shipped: ONNX files and the card.

python -m openplate_training.export NETWORK --data DATA --cache CACHE --checkpoint FOLDER \\
    --output WEIGHTS --about TOML --version VERSION

Refuses when the ONNX file and the trained network differ by more than ``TOLERANCE`` on stored pictures.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from openplate.attributes import HEADS, vehicle_crop
from openplate.corner_refiner import view_of
from openplate.datatypes import VEHICLE_LABELS, Box, Corners
from openplate.detection import to_input
from openplate.imaging import Image, rectify
from openplate.models import Runtime, WeightPrecision
from openplate.models.card import DataSource, InputDescription, ModelCard, Task, WeightFile
from openplate.regions import get
from openplate_training.attributes_model import HEIGHT as ATTRIBUTES_HEIGHT
from openplate_training.attributes_model import WIDTH as ATTRIBUTES_WIDTH
from openplate_training.attributes_model import AttributeNetwork
from openplate_training.checkpoint import average_with_start, current_commit, load_mean, save_start
from openplate_training.corners_data import known_plates, roughly
from openplate_training.corners_model import HEIGHT as CORNERS_HEIGHT
from openplate_training.corners_model import WIDTH as CORNERS_WIDTH
from openplate_training.corners_model import CornerNetwork
from openplate_training.data import Pixels, pack_pictures
from openplate_training.detector_model import DetectorNetwork
from openplate_training.layers import channels_first
from openplate_training.onnx_graph import (
    fold_constants,
    fold_pads,
    move_zero_into_bias,
    take_pixels_as_quantised,
)
from openplate_training.reader_data import true_corners
from openplate_training.reader_model import ALPHABET, ReaderNetwork
from openplate_training.reader_model import HEIGHT as READER_HEIGHT
from openplate_training.reader_model import WIDTH as READER_WIDTH
from openplate_training.region_model import HEIGHT as REGION_HEIGHT
from openplate_training.region_model import WIDTH as REGION_WIDTH
from openplate_training.region_model import RegionNetwork

TOLERANCE = 2e-3
"""Largest difference of an output between torch and ONNX Runtime, in the output's own unit (logits, strides)."""
CALIBRATION_PICTURES = 160
FLOAT_PARTS = ("backbone/first/", "backbone/blocks.0/")
"""The first layers of MobileNet V2 have large weights, as training leaves them alone: in int8 they cost a hundredth."""
VEHICLE_MARGIN = 0.02
"""What is shown around a detected vehicle: the network was taught crops that end where the vehicle does."""
LEAST_SURE = 0.4
"""Below that confidence an attribute is called unknown."""


@dataclass(frozen=True)
class Recipe:
    """How one network is exported.

    ``inputs`` are stored pictures, each as the network takes it, alone in its batch; ``is_fixed`` networks take one
    size. The int8 file keeps convolutions and products in float whose names contain one of ``keep_float``: their
    outputs are the answer. The rest goes into the card.
    """

    network: nn.Module
    inputs: list[Pixels]
    is_fixed: bool
    keep_float: tuple[str, ...]
    task: Task
    summary: str
    input: InputDescription
    outputs: tuple[str, ...]
    parameters: Mapping[str, float]
    labels: tuple[str, ...] = ()
    alphabet: str | None = None
    heads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def attributes_recipe(options: argparse.Namespace) -> Recipe:
    labels = json.loads((options.checkpoint / "labels.json").read_text(encoding="utf-8"))
    crops = pack_pictures(options.data / "vehicle_crops" / "vehicle_crops.jsonl", options.cache / "vehicle_crops")
    chosen = crops.subset(lambda r: r["split"] == "train")
    pictures = [crops.picture(i) for i in chosen[:: max(1, len(chosen) // (2 * CALIBRATION_PICTURES))]]
    boxes = [Box(0, 0, picture.shape[1], picture.shape[0]) for picture in pictures]
    return Recipe(
        network=AttributeNetwork([len(labels[head]) for head in HEADS]),
        inputs=[
            vehicle_crop(picture, box, ATTRIBUTES_WIDTH, ATTRIBUTES_HEIGHT, VEHICLE_MARGIN)[None]
            for picture, box in zip(pictures, boxes, strict=True)
        ],
        is_fixed=True,
        keep_float=FLOAT_PARTS,
        task="attributes",
        summary="A vehicle's type, make and model, body, years, colour, and the side that is seen.",
        input=InputDescription(ATTRIBUTES_WIDTH, ATTRIBUTES_HEIGHT, 3),
        outputs=HEADS,
        parameters={
            "margin": VEHICLE_MARGIN,
            **{f"temperature_{head}": 1.0 for head in HEADS},
            **{f"threshold_{name}": LEAST_SURE for name in (*HEADS, "make", "orientation")},
        },
        heads={head: tuple(labels[head]) for head in HEADS},
    )


def detector_recipe(options: argparse.Namespace) -> Recipe:
    pictures = pack_pictures(options.data / "scenes" / "scenes.jsonl", options.cache / "scenes")
    chosen = pictures.subset(lambda r: r["split"] == "train")[:: max(1, 6700 // CALIBRATION_PICTURES)]
    return Recipe(
        network=DetectorNetwork(),
        inputs=[to_input(Image.from_array(np.array(pictures.picture(i))), 640)[0] for i in chosen],
        is_fixed=False,
        keep_float=(*(f"plate_heads.{i}.2" for i in range(3)), *(f"vehicle_heads.{i}.1" for i in range(3))),
        task="detection",
        summary="Vehicles and plates with four corners, in one pass.",
        input=InputDescription(640, 640, 3),
        outputs=("plates", "vehicles"),
        parameters={
            "threshold_plate": 0.3,
            "threshold_vehicle": 0.35,
            "plate_overlap": 0.4,
            "vehicle_overlap": 0.6,
        },
        labels=("plate", *VEHICLE_LABELS),
    )


def _crop_inputs(options: argparse.Namespace, width: int, height: int) -> list[Pixels]:
    crops = pack_pictures(options.data / "plate_crops" / "plate_crops.jsonl", options.cache / "plate_crops")
    chosen = crops.subset(lambda r: r["split"] == "train" and bool(r["text"]))
    step = max(1, len(chosen) // (2 * CALIBRATION_PICTURES))
    return [
        rectify(crops.picture(i), Corners.from_points(true_corners(crops.records[i])), width, height)[None]
        for i in chosen[::step]
    ]


def reader_recipe(options: argparse.Namespace) -> Recipe:
    return Recipe(
        network=ReaderNetwork(),
        inputs=_crop_inputs(options, READER_WIDTH, READER_HEIGHT),
        is_fixed=True,
        keep_float=("classify",),
        task="reading",
        summary="A rectified plate to text, A-Z and 0-9, one or two lines, up to 10 characters.",
        input=InputDescription(READER_WIDTH, READER_HEIGHT, 3),
        outputs=("log_probabilities",),
        parameters={"calibration_slope": 1.0, "calibration_offset": 0.0},
        alphabet=ALPHABET,
    )


def region_recipe(options: argparse.Namespace) -> Recipe:
    labels = json.loads((options.checkpoint / "labels.json").read_text(encoding="utf-8"))
    return Recipe(
        network=RegionNetwork(len(labels)),
        inputs=_crop_inputs(options, REGION_WIDTH, REGION_HEIGHT),
        is_fixed=True,
        keep_float=FLOAT_PARTS,
        task="region",
        summary="The country, US state or territory that issued a plate, by its look.",
        input=InputDescription(REGION_WIDTH, REGION_HEIGHT, 3),
        outputs=("logits",),
        parameters={"temperature": 1.0},
        labels=tuple(get(label).code for label in labels),
    )


def corners_recipe(options: argparse.Namespace) -> Recipe:
    scenes = pack_pictures(options.data / "scenes" / "scenes.jsonl", options.cache / "scenes")
    plates = known_plates(scenes)
    random = np.random.default_rng(1)
    return Recipe(
        network=CornerNetwork(),
        inputs=[
            view_of(
                plate.pictures.picture(plate.index),
                Corners.from_points(roughly(plate.corners, random)),
                CORNERS_WIDTH,
                CORNERS_HEIGHT,
            )[0][None]
            for plate in plates[:: max(1, len(plates) // (2 * CALIBRATION_PICTURES))]
        ],
        is_fixed=True,
        keep_float=(),
        task="corners",
        summary="The four corners of a plate from close up, from where they were about to where they are.",
        input=InputDescription(CORNERS_WIDTH, CORNERS_HEIGHT, 3),
        outputs=("offsets",),
        parameters={},
    )


RECIPES = {
    "attributes": attributes_recipe,
    "corners": corners_recipe,
    "detector": detector_recipe,
    "reader": reader_recipe,
    "region": region_recipe,
}


def traced(recipe: Recipe) -> onnx.ModelProto:
    """The network in evaluation mode as an ONNX graph, batch norms folded into the convolutions."""
    network = channels_first(recipe.network.eval())
    free = {0: "pictures"} if recipe.is_fixed else {0: "pictures", 1: "height", 2: "width"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The exporter that torch calls old writes the leaner graph, with names that follow the network's. It warns of
        # its age, and that it cannot compute paddings beforehand: fold_constants does.
        for message in ("You are using the legacy TorchScript", "The feature will be removed", "Constant folding - "):
            warnings.filterwarnings("ignore", message)
        file = Path(folder) / "traced.onnx"
        torch.onnx.export(
            network,
            (torch.from_numpy(recipe.inputs[0]),),
            str(file),
            dynamo=False,
            opset_version=17,
            input_names=["images"],
            output_names=list(recipe.outputs),
            dynamic_axes={"images": free, **{name: {0: "pictures"} for name in recipe.outputs}},
        )
        return fold_constants(onnx.load(file))


def write_onnx(recipe: Recipe, file: Path) -> None:
    """The network as one ONNX file, with as little left to do as possible."""
    model = traced(recipe)
    fold_pads(model)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def largest_difference(recipe: Recipe, file: Path) -> float:
    """Between the outputs of torch and of ONNX Runtime, on stored pictures; not a number where one of them is none."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    differences = []
    with torch.no_grad():
        for array in recipe.inputs[:12]:
            answers = recipe.network(torch.from_numpy(array))
            expected = answers if isinstance(answers, tuple) else (answers,)
            for ours, theirs in zip(expected, session.run(None, {"images": array}), strict=True):
                differences.append(np.abs(ours.numpy() - theirs).max())
    return float(np.max(differences))


def require_agreement(recipe: Recipe, file: Path) -> float:
    """The largest difference between torch and the ONNX file.

    Raises:
        SystemExit: it is more than ``TOLERANCE``, or no number.
    """
    difference = largest_difference(recipe, file)
    if not difference <= TOLERANCE:
        raise SystemExit(f"ONNX and torch differ by {difference:.2g}, more than {TOLERANCE}: not exported")
    return difference


class _Inputs(CalibrationDataReader):  # type: ignore[misc]  # a base class without types
    def __init__(self, arrays: list[Pixels]) -> None:
        self._arrays = iter(arrays)

    def get_next(self) -> dict[str, Pixels] | None:
        array = next(self._arrays, None)
        return None if array is None else {"images": array}


def float_nodes(model: onnx.ModelProto, parts: Sequence[str]) -> list[str]:
    """Nodes that stay float: those that make an output, whose steps would else be coarse, and the named ones."""
    outputs = {output.name for output in model.graph.output}
    return [
        node.name
        for node in model.graph.node
        if outputs & set(node.output)
        or (node.op_type in {"Conv", "MatMul"} and any(part in node.name for part in parts))
    ]


def quantised(recipe: Recipe, source: Path) -> onnx.ModelProto:
    """The float file ``source`` after static quantisation: uint8 activations, int8 weights per channel.

    Signed activations are three times slower on x86 processors, so they are not used.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared, file = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        kept = float_nodes(onnx.load(prepared), recipe.keep_float)
        quantize_static(
            str(prepared),
            str(file),
            _Inputs(recipe.inputs[:CALIBRATION_PICTURES]),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "MatMul", "Clip", "Relu", "Add", "MaxPool", "Concat", "Resize"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=kept,
            calibrate_method=CalibrationMethod.MinMax,
            # Products of two maps, as attention has them, stay float.
            extra_options={"ActivationSymmetric": False, "MatMulConstBOnly": True},
        )
        return onnx.load(file)


def write_int8(recipe: Recipe, source: Path, file: Path) -> None:
    """The quantised network; where it can, it takes the picture as its first quantised map."""
    model = quantised(recipe, source)
    take_pixels_as_quantised(model, 1 / 127.5, 128)
    move_zero_into_bias(model)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def build_card(
    recipe: Recipe, name: str, version: str, about: Mapping[str, Any], files: Mapping[WeightPrecision, WeightFile]
) -> ModelCard:
    """The network's card; ``about`` is what a person says of it (the form of ``runs/about/*.toml``)."""
    runtime: dict[Runtime, WeightPrecision] = {"onnxruntime": "float", "openvino": "float"}
    return ModelCard(
        name=name,
        version=version,
        task=recipe.task,
        summary=recipe.summary,
        licence=about["licence"],
        origin=about["origin"],
        command=about["command"],
        commit=current_commit(),
        date=datetime.now(UTC).date(),
        outputs=recipe.outputs,
        files=files,
        runtime={**runtime, **about.get("runtime", {})},
        input=recipe.input,
        labels=recipe.labels,
        alphabet=recipe.alphabet,
        heads=recipe.heads,
        parameters={**recipe.parameters, **about.get("parameters", {})},
        measured=about.get("measured", {}),
        limits=tuple(about["limits"]),
        trained_on=tuple(DataSource(source["name"], source["licence"]) for source in about["trained_on"]),
    )


def write_folder(recipe: Recipe, folder: Path, version: str, about: Mapping[str, Any]) -> float:
    """Writes both files and the card; returns the largest difference between torch and ONNX.

    Raises:
        SystemExit: that is too large; the folder is left as it was.
    """
    with tempfile.TemporaryDirectory() as temporary:
        float_file, int8_file = Path(temporary) / "model.onnx", Path(temporary) / "model-int8.onnx"
        write_onnx(recipe, float_file)
        difference = require_agreement(recipe, float_file)
        write_int8(recipe, float_file, int8_file)
        folder.mkdir(parents=True, exist_ok=True)
        written = [Path(shutil.copy(file, folder)) for file in (float_file, int8_file)]
    files: dict[WeightPrecision, WeightFile] = {
        "float": WeightFile.from_path(written[0]),
        "int8": WeightFile.from_path(written[1]),
    }
    build_card(recipe, folder.name, version, about, files).save(folder)
    return difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=sorted(RECIPES))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="where decoded pictures are kept")
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder that the training wrote")
    parser.add_argument("--output", type=Path, required=True, help="the package's weights folder")
    parser.add_argument("--about", type=Path, required=True, help="TOML with what a person says of the network")
    parser.add_argument("--average-with", type=Path, help="average the weights with those of this start")
    parser.add_argument("--start", type=Path, help="also write the weights there, to start further training from")
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    recipe = RECIPES[options.network](options)
    load_mean(recipe.network, options.checkpoint)
    if options.average_with is not None:
        average_with_start(recipe.network, options.average_with)
    if options.start is not None:
        save_start(recipe.network, options.start)
    about = tomllib.loads(options.about.read_text(encoding="utf-8"))
    folder = options.output / options.network
    difference = write_folder(recipe, folder, options.version, about)
    print(f"{folder}: torch and ONNX differ by at most {difference:.2g}")


if __name__ == "__main__":
    main()
