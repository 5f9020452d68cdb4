"""Writes a trained network as the folder that is shipped: ONNX files and the card.

python -m openplate_training.export detector|reader|region --data DATA --cache CACHE --checkpoint FOLDER --output WEIGHTS

Refuses when the ONNX file and the trained network differ by more than ``TOLERANCE`` on stored pictures.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
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

from openplate.datatypes import VEHICLE_LABELS, Corners
from openplate.detection import to_input
from openplate.imaging import Image, rectify
from openplate.models.card import DataSource, InputDescription, ModelCard, WeightFile
from openplate_training.checkpoint import current_commit, load_mean
from openplate_training.data import PackedPictures, Pixels, pack_pictures
from openplate_training.detector_model import DetectorNetwork
from openplate_training.onnx_graph import fold_constants, fold_pads, take_pixels_as_quantised
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


@dataclass(frozen=True)
class Recipe:
    """How one network is exported. ``fixed`` inputs have one size; ``keep_float`` are ends of node names that stay
    float in the int8 file, because their outputs are the answer.
    """

    network: nn.Module
    outputs: tuple[str, ...]
    inputs: list[Pixels]
    fixed: bool
    card: dict[str, Any]
    keep_float: tuple[str, ...] = ()


def detector_recipe(options: argparse.Namespace) -> Recipe:
    pictures = pack_pictures(options.data / "scenes" / "scenes.jsonl", options.cache / "scenes")
    chosen = pictures.subset(lambda r: r["split"] == "train")[:: max(1, 6700 // CALIBRATION_PICTURES)]
    card = {
        "task": "detection",
        "summary": "Vehicles and plates with four corners, in one pass.",
        "input": InputDescription(640, 640, 3),
        "labels": ("plate", *VEHICLE_LABELS),
        "parameters": {
            "threshold_plate": 0.35,
            "threshold_vehicle": 0.35,
            "plate_overlap": 0.4,
            "vehicle_overlap": 0.6,
        },
    }
    inputs = [to_input(Image.from_array(np.array(pictures.picture(i))), 640)[0] for i in chosen]
    return Recipe(
        DetectorNetwork(),
        ("plates", "vehicles"),
        inputs,
        False,
        card,
        ("plate_heads.0.2", "plate_heads.1.2", "plate_heads.2.2", "vehicle_heads"),
    )


def _crop_inputs(crops: PackedPictures, width: int, height: int) -> list[Pixels]:
    chosen = crops.subset(lambda r: r["split"] == "train" and bool(r["text"]))
    step = max(1, len(chosen) // (2 * CALIBRATION_PICTURES))
    return [
        rectify(crops.picture(i), Corners.from_points(true_corners(crops.records[i])), width, height)[None]
        for i in chosen[::step]
    ]


def reader_recipe(options: argparse.Namespace) -> Recipe:
    crops = pack_pictures(options.data / "plate_crops" / "plate_crops.jsonl", options.cache / "plate_crops")
    card = {
        "task": "reading",
        "summary": "A rectified plate to text, A-Z and 0-9, one or two lines, up to 10 characters.",
        "input": InputDescription(READER_WIDTH, READER_HEIGHT, 3),
        "alphabet": ALPHABET,
        "parameters": {"calibration_slope": 1.0, "calibration_offset": 0.0},
    }
    inputs = _crop_inputs(crops, READER_WIDTH, READER_HEIGHT)
    return Recipe(ReaderNetwork(), ("log_probabilities",), inputs, True, card, ("classify",))


def region_recipe(options: argparse.Namespace) -> Recipe:
    crops = pack_pictures(options.data / "plate_crops" / "plate_crops.jsonl", options.cache / "plate_crops")
    labels = json.loads((options.checkpoint / "labels.json").read_text(encoding="utf-8"))
    card = {
        "task": "region",
        "summary": "The country, US state or territory that issued a plate, by its look.",
        "input": InputDescription(REGION_WIDTH, REGION_HEIGHT, 3),
        "labels": tuple(labels),
        "parameters": {"temperature": 1.0},
    }
    inputs = _crop_inputs(crops, REGION_WIDTH, REGION_HEIGHT)
    return Recipe(RegionNetwork(len(labels)), ("logits",), inputs, True, card, ("classify",))


RECIPES = {"detector": detector_recipe, "reader": reader_recipe, "region": region_recipe}


def write_onnx(recipe: Recipe, file: Path) -> None:
    """The network in evaluation mode as one ONNX file, batch norms and paddings folded into the convolutions."""
    network = recipe.network.eval().to(memory_format=torch.contiguous_format)
    example = torch.from_numpy(recipe.inputs[0])
    free = {0: "pictures"} if recipe.fixed else {0: "pictures", 1: "height", 2: "width"}
    torch.onnx.export(
        network,
        (example,),
        str(file),
        dynamo=False,
        opset_version=17,
        input_names=["images"],
        output_names=list(recipe.outputs),
        dynamic_axes={"images": free, **{name: {0: "pictures"} for name in recipe.outputs}},
    )
    model = fold_constants(onnx.load(file))
    fold_pads(model)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def largest_difference(recipe: Recipe, file: Path) -> float:
    """Between the outputs of torch and of ONNX Runtime, on stored pictures."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    worst = 0.0
    with torch.no_grad():
        for array in recipe.inputs[:12]:
            answers = recipe.network(torch.from_numpy(array))
            expected = answers if isinstance(answers, tuple) else (answers,)
            for ours, theirs in zip(expected, session.run(None, {"images": array}), strict=True):
                worst = max(worst, float(np.abs(ours.numpy() - theirs).max()))
    return worst


class _Inputs(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, arrays: list[Pixels]) -> None:
        self._arrays: Iterator[npt.NDArray[np.uint8]] = iter(arrays)

    def get_next(self) -> dict[str, Pixels] | None:
        array = next(self._arrays, None)
        return None if array is None else {"images": array}


def write_int8(recipe: Recipe, source: Path, file: Path) -> None:
    """Static quantisation of the convolutions: uint8 activations, int8 weights per channel.

    Signed activations are three times slower on x86 processors, so they are not used.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        nodes = [n.name for n in onnx.load(prepared).graph.node if n.op_type == "Conv"]
        excluded = [n for n in nodes if any(part in n for part in recipe.keep_float)]
        quantize_static(
            str(prepared),
            str(file),
            _Inputs(recipe.inputs[:CALIBRATION_PICTURES]),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Clip", "Relu", "Add", "MaxPool", "Concat", "Resize"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=excluded,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"ActivationSymmetric": False},
        )
    model = onnx.load(file)
    take_pixels_as_quantised(model, 1 / 127.5, 128)
    onnx.save(model, file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=sorted(RECIPES))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="where decoded pictures are kept")
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder that the training wrote")
    parser.add_argument("--output", type=Path, required=True, help="the package's weights folder")
    parser.add_argument("--about", type=Path, required=True, help="TOML with what a person says of the network")
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    recipe = RECIPES[options.network](options)
    load_mean(recipe.network, options.checkpoint)
    folder: Path = options.output / options.network
    folder.mkdir(parents=True, exist_ok=True)
    float_file, int8_file = folder / "model.onnx", folder / "model-int8.onnx"
    write_onnx(recipe, float_file)
    difference = largest_difference(recipe, float_file)
    if difference > TOLERANCE:
        raise SystemExit(f"ONNX and torch differ by {difference:.2g}, more than {TOLERANCE}: not exported")
    write_int8(recipe, float_file, int8_file)
    about = tomllib.loads(options.about.read_text(encoding="utf-8"))
    card = ModelCard(
        name=options.network,
        version=options.version,
        licence=about["licence"],
        origin=about["origin"],
        command=about["command"],
        commit=current_commit(),
        date=datetime.now(UTC).date(),
        outputs=recipe.outputs,
        files={"float": WeightFile.from_path(float_file), "int8": WeightFile.from_path(int8_file)},
        runtime={"onnxruntime": "float", "openvino": "float"},
        limits=tuple(about["limits"]),
        trained_on=tuple(DataSource(**source) for source in about["trained_on"]),
        **recipe.card,
    )
    card = replace(card, **{k: {**getattr(card, k), **about.get(k, {})} for k in ("parameters", "runtime", "measured")})
    card.save(folder)
    print(f"{folder}: torch and ONNX differ by at most {difference:.2g}")


if __name__ == "__main__":
    main()
