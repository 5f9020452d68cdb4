"""Fits confidences to crops that the networks never saw and that are not for measuring.

python -m openplate_training.calibrate reader region attributes --data DATA --cache CACHE --weights WEIGHTS

The probability of a text, as the network gives it, says too much or too little. Slope and offset of its logit are
fitted by maximum likelihood (Platt 1999, with his smoothed targets) on the few training crops that
``reader_data.is_held_for_calibration`` keeps out of the training, as they are and degraded, and go into the card.
So do the temperatures of the region network and of each head of the attribute network (Guo et al. 2017).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from openplate.attributes import HEADS, AttributeClassifier
from openplate.corner_refiner import CornerRefiner
from openplate.datatypes import Box, Corners
from openplate.models.card import ModelCard
from openplate.models.catalog import open_session
from openplate.ocr import Calibration, Reader
from openplate.reading import read_plates
from openplate.region_classifier import RegionClassifier
from openplate.regions import get
from openplate.text import normalise
from openplate_training import attributes_data
from openplate_training.data import PackedPictures, pack_pictures
from openplate_training.found_corners import found_corners
from openplate_training.reader_data import (
    degrade_crop,
    is_held_for_calibration,
    is_readable,
    shaken_corners,
)
from openplate_training.region_train import region_of

Floats = npt.NDArray[np.float64]


def answers(
    reader: Reader, refiner: CornerRefiner, crops: PackedPictures, cache: Path
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Probability of the read text and whether it is right, for each held-out crop with a human text.

    Half of them are as they are, half shaken and degraded: fitted to easy crops alone, the confidence would promise
    too much on hard ones.
    """
    random = np.random.default_rng(7)
    probabilities, right = [], []
    found = found_corners(crops, cache)
    for index in crops.subset(lambda r: r["split"] == "train" and is_readable(r) and is_held_for_calibration(r)):
        record = crops.records[index]
        if record["text_label"] != "human":
            continue
        pixels, shaken = crops.picture(index), shaken_corners(record, random, found[index])
        hard = degrade_crop(np.ascontiguousarray(pixels), random, 0.7)
        for picture, corners in ((pixels, found[index]), (hard, shaken)):
            places, boxes = [Corners.from_points(corners)], [Box(*record["box"])]
            ((spelling, _),) = read_plates(reader, refiner, picture, places, boxes, top_n=1)
            probabilities.append(spelling.probability)
            right.append(spelling.reading.text == normalise(record["text"]))
    return np.array(probabilities), np.array(right)


def fit(probabilities: Floats, right: npt.NDArray[np.bool_]) -> Calibration:
    """Slope and offset of the logit by Newton's method."""
    clipped = np.clip(probabilities, 1e-7, 1 - 1e-7)
    logits = np.log(clipped / (1 - clipped))
    design = np.stack((logits, np.ones_like(logits)), 1)
    positives, negatives = right.sum(), (~right).sum()
    target = np.where(right, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    weights = np.array((1.0, 0.0))
    for _ in range(50):
        predicted = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (predicted - target)
        curvature = (design * (predicted * (1 - predicted))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights -= np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return Calibration(float(weights[0]), float(weights[1]))


def region_answers(
    classifier: RegionClassifier, crops: PackedPictures, cache: Path
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Logits (n, labels) and which label is right (same shape), for each held-out crop with a human region, as it is
    and degraded.
    """
    random = np.random.default_rng(7)
    inputs, right = [], []
    found = found_corners(crops, cache)
    for index in crops.subset(lambda r: r["split"] == "train" and bool(r["region"]) and is_held_for_calibration(r)):
        record = crops.records[index]
        code = get(region_of(record) or "").code
        if code not in classifier.labels:
            continue
        pixels, shaken = crops.picture(index), Corners.from_points(shaken_corners(record, random, found[index]))
        inputs.append(classifier.rectify(pixels, Corners.from_points(found[index])))
        inputs.append(degrade_crop(classifier.rectify(pixels, shaken), random, 0.6, grey=0.1))
        right += [[label == code for label in classifier.labels]] * 2
    return np.asarray(classifier.logits(inputs), np.float64), np.array(right, np.bool_)


def attribute_answers(
    classifier: AttributeClassifier, crops: PackedPictures
) -> dict[str, tuple[Floats, npt.NDArray[np.bool_]]]:
    """For each head logits (n, labels) and which labels are right, of the held-out crops that answer its question;
    each as it is, and shaken and degraded.
    """
    random = np.random.default_rng(7)
    inputs, right = [], []
    for index in crops.subset(lambda r: r["split"] == "train" and attributes_data.is_held_for_calibration(r)):
        pixels = crops.picture(index)
        allowed = attributes_data.to_indices(
            attributes_data.right_words(crops.records[index], classifier.heads), classifier.heads
        )
        inputs.append(classifier.crop(pixels, Box(0, 0, pixels.shape[1], pixels.shape[0])))
        inputs.append(attributes_data.degraded(attributes_data.shaken(pixels, random), random))
        right += [allowed] * 2
    logits, answers = classifier.logits(inputs), {}
    for place, head in enumerate(HEADS):
        known = [row for row, allowed in enumerate(right) if allowed[place]]
        is_right = np.zeros((len(known), len(classifier.heads[head])), np.bool_)
        for row, source in enumerate(known):
            is_right[row, list(right[source][place])] = True
        answers[head] = np.asarray(logits[head][known], np.float64), is_right
    return answers


def fit_temperature(logits: Floats, is_right: npt.NDArray[np.bool_]) -> float:
    """The divisor of the logits (n, labels) under which the right labels together are likeliest, 0.2 to 5, to a
    hundredth.
    """

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        powers = np.exp(scaled - scaled.max(1, keepdims=True))
        return float(-np.log((powers * is_right).sum(1) / powers.sum(1) + 1e-12).mean())

    return min((round(0.01 * step, 2) for step in range(20, 501)), key=loss)


def save_parameters(folder: Path, **fitted: float) -> None:
    card = ModelCard.load(folder)
    replace(card, parameters={**card.parameters, **fitted}).save(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="where decoded pictures are kept")
    parser.add_argument("--weights", type=Path, required=True, help="the package's weights folder")
    parser.add_argument("networks", nargs="+", choices=["reader", "region", "attributes"])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    for network in options.networks:
        {"reader": fit_reader, "region": fit_region, "attributes": fit_attributes}[network](options)


def fit_reader(options: argparse.Namespace) -> None:
    cache = options.cache / "plate_crops"
    crops = pack_pictures(options.data / "plate_crops" / "plate_crops.jsonl", cache)
    reader = Reader(open_session("reader", "cpu", "float", folder=options.weights))
    refiner = CornerRefiner.open("cpu", "float")
    calibration = fit(*answers(reader, refiner, crops, cache))
    fitted = {"calibration_slope": calibration.slope, "calibration_offset": calibration.offset}
    save_parameters(options.weights / "reader", **fitted)
    print(f"reader: slope {calibration.slope:.3f} offset {calibration.offset:.3f}")


def fit_region(options: argparse.Namespace) -> None:
    cache = options.cache / "plate_crops"
    crops = pack_pictures(options.data / "plate_crops" / "plate_crops.jsonl", cache)
    classifier = RegionClassifier(open_session("region", "cpu", "float", folder=options.weights))
    logits, is_right = region_answers(classifier, crops, cache)
    if not len(is_right):
        raise SystemExit("error: none of the crops held out has a region that the network knows")
    temperature = fit_temperature(logits, is_right)
    save_parameters(options.weights / "region", temperature=temperature)
    print(f"region: temperature {temperature:.2f}")


def fit_attributes(options: argparse.Namespace) -> None:
    crops = pack_pictures(options.data / "vehicle_crops" / "vehicle_crops.jsonl", options.cache / "vehicle_crops")
    classifier = AttributeClassifier(open_session("attributes", "cpu", "float", folder=options.weights))
    fitted = {
        f"temperature_{head}": fit_temperature(logits, is_right)
        for head, (logits, is_right) in attribute_answers(classifier, crops).items()
        if len(is_right)
    }
    save_parameters(options.weights / "attributes", **fitted)
    print("attributes: " + ", ".join(f"{name} {value:.2f}" for name, value in fitted.items()))


if __name__ == "__main__":
    main()
