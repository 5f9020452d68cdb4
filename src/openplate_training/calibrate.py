"""Fits the reader's confidence to crops that it never saw and that are not for measuring either.

python -m openplate_training.calibrate --data DATA --cache CACHE --weights WEIGHTS

The probability of a text, as the network gives it, says too much or too little. Slope and offset of its logit are
fitted by maximum likelihood (Platt 1999, with his smoothed targets) on the few training crops that
``reader_data.is_held_for_calibration`` keeps out of the training, as they are and degraded, and go into the card.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from openplate.models.card import ModelCard
from openplate.models.catalog import open_session
from openplate.ocr import Calibration, Reader
from openplate.text import normalise
from openplate_training.data import PackedPictures, pack_pictures
from openplate_training.reader_data import (
    degrade_crop,
    is_held_for_calibration,
    is_readable,
    rectified,
    shaken_corners,
    true_corners,
)

Floats = npt.NDArray[np.float64]


def answers(reader: Reader, crops: PackedPictures) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Probability of the read text and whether it is right, for each held-out crop with a human text.

    Half of them are as they are, half shaken and degraded: fitted to easy crops alone, the confidence would promise
    too much on hard ones.
    """
    random = np.random.default_rng(7)
    probabilities, right = [], []
    for index in crops.subset(lambda r: r["split"] == "train" and is_readable(r) and is_held_for_calibration(r)):
        record = crops.records[index]
        if record["text_label"] != "human":
            continue
        plain = rectified(crops.picture(index), true_corners(record))
        hard = degrade_crop(rectified(crops.picture(index), shaken_corners(record, random)), random, 0.7)
        for spelling in reader.read([plain, hard], top_n=1):
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="where decoded pictures are kept")
    parser.add_argument("--weights", type=Path, required=True, help="the package's weights folder")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    crops = pack_pictures(options.data / "plate_crops" / "plate_crops.jsonl", options.cache / "plate_crops")
    reader = Reader(open_session("reader", "cpu", "float", folder=options.weights))
    calibration = fit(*answers(reader, crops))
    card = ModelCard.load(options.weights / "reader")
    fitted = {"calibration_slope": calibration.slope, "calibration_offset": calibration.offset}
    replace(card, parameters={**card.parameters, **fitted}).save(options.weights / "reader")
    print(f"slope {calibration.slope:.3f} offset {calibration.offset:.3f}")


if __name__ == "__main__":
    main()
