"""How well vehicles are found: average precision as one class and per type.

Detections mostly inside an ``ignore_vehicles`` area that match no vehicle are dropped. For one type, vehicles
whose type is not labelled are ignored. Machines gave the labels' types in part: a van may stand as a car.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from openplate.datatypes import VEHICLE_LABELS, Detection
from openplate.evaluation.average_precision import (
    MatchedPicture,
    average_precision,
    box_array,
    match_picture,
)
from openplate.evaluation.dataset import ScenePicture
from openplate.evaluation.report import Share


@dataclass(frozen=True, slots=True)
class TypeScore:
    """Average precision of one type of vehicle at an IoU of 0.5."""

    type: str
    labels: int
    ap50: float | None


@dataclass(frozen=True, slots=True)
class VehicleScores:
    """Vehicle detection over some pictures; ``found`` is the recall at IoU 0.5 and the given confidence
    threshold, ``ap50_exhaustive`` counts the pictures whose vehicles are all labelled.
    """

    pictures: int
    found: Share
    ap50: float | None
    ap50_95: float | None
    ap50_exhaustive: float | None
    exhaustive_pictures: int
    by_type: tuple[TypeScore, ...]


@dataclass(frozen=True, eq=False)
class PictureVehicles:
    """One picture's vehicles and detections, matched once: as one class, and at IoU 0.5 per type."""

    exhaustive: bool
    one_class: MatchedPicture
    by_type: tuple[MatchedPicture, ...]


def match_vehicles(picture: ScenePicture, detections: Sequence[Detection]) -> PictureVehicles:
    """Compare the vehicles among ``detections`` (plates are passed over) with the picture's labels."""
    found = [detection for detection in detections if detection.kind == "vehicle"]
    boxes, labels = box_array(d.box for d in found), box_array(v.box for v in picture.vehicles)
    areas = box_array(picture.ignore_vehicles)
    confidence = np.array([detection.confidence for detection in found], dtype=np.float64)
    types = np.array([vehicle.type or "" for vehicle in picture.vehicles], dtype=object)
    answers = np.array([detection.label for detection in found], dtype=object)
    by_type = tuple(
        match_picture(
            boxes[answers == name],
            confidence[answers == name],
            labels[types == name],
            ignored_labels=labels[types == ""],
            ignore_areas=areas,
            thresholds=(0.5,),
        )
        for name in VEHICLE_LABELS
    )
    one_class = match_picture(boxes, confidence, labels, ignore_areas=areas)
    return PictureVehicles(picture.vehicles_exhaustive, one_class, by_type)


def score_vehicles(pictures: Sequence[PictureVehicles], threshold: float) -> VehicleScores:
    """Sum up matched pictures; detections below ``threshold`` count for the average precisions only."""
    precisions = average_precision([picture.one_class for picture in pictures])
    exhaustive = [picture.one_class for picture in pictures if picture.exhaustive]
    precisions_exhaustive = average_precision(exhaustive)
    return VehicleScores(
        pictures=len(pictures),
        found=_found([picture.one_class for picture in pictures], threshold),
        ap50=precisions[0] if precisions else None,
        ap50_95=fmean(precisions) if precisions else None,
        ap50_exhaustive=precisions_exhaustive[0] if precisions_exhaustive else None,
        exhaustive_pictures=len(exhaustive),
        by_type=tuple(_type_score(pictures, index) for index in range(len(VEHICLE_LABELS))),
    )


def _found(pictures: Sequence[MatchedPicture], threshold: float) -> Share:
    found = sum(int((p.true_positive[0] & (p.scores >= threshold)).sum()) for p in pictures)
    return Share(found, sum(picture.positives for picture in pictures))


def _type_score(pictures: Sequence[PictureVehicles], index: int) -> TypeScore:
    matched = [picture.by_type[index] for picture in pictures]
    precisions = average_precision(matched)
    labels = sum(picture.positives for picture in matched)
    return TypeScore(VEHICLE_LABELS[index], labels, precisions[0] if precisions else None)
