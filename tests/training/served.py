"""The reader and the region classifier as they are served, of the sizes that are trained for, without weights."""

from __future__ import annotations

from openplate.ocr import Reader
from openplate.region_classifier import RegionClassifier
from openplate_training import reader_model, region_model
from stand_ins import StandInSession, make_model_card


def make_reader() -> Reader:
    card = make_model_card(
        "reading",
        reader_model.WIDTH,
        reader_model.HEIGHT,
        ("log_probabilities",),
        alphabet=reader_model.ALPHABET,
        parameters={"calibration_slope": 1.0, "calibration_offset": 0.0},
    )
    return Reader(StandInSession(card, lambda _: ()))  # type: ignore[arg-type]


def make_classifier(labels: tuple[str, ...] = ("us-ny", "vn")) -> RegionClassifier:
    card = make_model_card(
        "region",
        region_model.WIDTH,
        region_model.HEIGHT,
        ("logits",),
        labels=labels,
        parameters={"temperature": 1.0},
    )
    return RegionClassifier(StandInSession(card, lambda _: ()))  # type: ignore[arg-type]
