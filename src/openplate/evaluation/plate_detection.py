"""How well plates are found: recall, false plates, average precision, corners.

A plate is found when a detection has an IoU of at least 0.5 with it; each detection finds one plate, the
surest first. A detection is a false plate when it lies on no labelled plate and not mostly inside an
``ignore`` area; this is counted on pictures whose plates are all labelled. "On a labelled plate" is an IoU of
at least 0.5, or, since some boxes are drawn loosely, a detection nearly inside the label that fills a fair
part of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import numpy as np

from openplate.datatypes import Corners, Detection
from openplate.evaluation.average_precision import (
    Flags,
    Floats,
    Indices,
    MatchedPicture,
    average_precision,
    box_array,
    greedy_match,
    match_picture,
)
from openplate.evaluation.dataset import ScenePicture
from openplate.evaluation.report import Rate, Share
from openplate.geometry import iou_matrix, overlap_matrix

FOUND_IOU = 0.5
LOOSE_IOU = 0.3
HEADLINE_HEIGHT_PX = 12.0
HEIGHT_BUCKETS_PX = (0.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, math.inf)

_MOSTLY = 0.5
_NEARLY_INSIDE = 0.8
_FAIR_PART_IOU = 0.2


@dataclass(frozen=True, slots=True)
class HeightBucket:
    """Plates whose box is at least ``low_px`` and less than ``high_px`` (None: no limit) high."""

    low_px: float
    high_px: float | None
    found_human: Share
    found_any: Share


@dataclass(frozen=True, slots=True)
class CornerErrors:
    """Distance of the worst corner divided by the plate's height (mean of its left and right edges), over
    found plates with human corners. ``without_corners``: found by a detection that gives none.
    ``median_any_start`` forgives a wrong choice of which corner comes first.
    """

    plates: int
    without_corners: int
    median: float | None
    p90: float | None
    median_any_start: float | None


@dataclass(frozen=True, slots=True)
class PlateScores:
    """Plate detection over some pictures, at one confidence threshold (the average precisions have none).

    ``found_human`` is the headline: human boxes at least 12 px high. ``found_human_loosely`` is the same at
    an IoU of 0.3. ``false_by_iou`` is ``false_plates`` without the allowance for loosely drawn labels.
    ``ap50_human`` counts the headline's plates only and ignores all others.
    """

    pictures: int
    found_human: Share
    found_human_loosely: Share
    found_human_any_height: Share
    found_any: Share
    by_height: tuple[HeightBucket, ...]
    false_plates: Rate
    false_by_iou: Rate
    duplicates: Rate
    ap50: float | None
    ap50_95: float | None
    ap50_human: float | None
    corners: CornerErrors


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a confidence threshold gives."""

    threshold: float
    found_human: Share
    false_plates: Rate


@dataclass(frozen=True, eq=False)
class CornerMatch:
    """A found plate with human corners; the errors are None when the detection has no corners."""

    confidence: float
    error: float | None
    error_any_start: float | None


@dataclass(frozen=True, eq=False)
class PicturePlates:
    """One picture's plates and detections, matched once.

    Per detection (n,): ``confidence``, ``label`` (the plate that it found, or -1) and the flags. Per plate
    (m,): ``height``, ``is_human`` and the confidence with which it was found at an IoU of 0.5 (``found``) and
    0.3 (``found_loosely``), -1 where it was not.
    """

    exhaustive: bool
    confidence: Floats
    label: Indices
    is_false: Flags
    is_false_by_iou: Flags
    is_duplicate: Flags
    height: Floats
    is_human: Flags
    found: Floats
    found_loosely: Floats
    corners: tuple[CornerMatch, ...]
    matched: MatchedPicture
    matched_human: MatchedPicture

    @property
    def is_headline(self) -> Flags:
        return self.is_human & (self.height >= HEADLINE_HEIGHT_PX)


def match_plates(picture: ScenePicture, detections: Sequence[Detection]) -> PicturePlates:
    """Compare the plates among ``detections`` (vehicles are passed over) with the picture's labels."""
    found = [detection for detection in detections if detection.kind == "plate"]
    boxes, labels = box_array(d.box for d in found), box_array(p.box for p in picture.plates)
    areas = box_array(picture.ignore)
    confidence = np.array([detection.confidence for detection in found], dtype=np.float64)
    overlaps = iou_matrix(boxes, labels)
    label = greedy_match(overlaps, confidence, FOUND_IOU)
    on_label = np.any(overlaps >= FOUND_IOU, axis=1)
    ignored = lies_mostly_inside(boxes, areas)
    height = labels[:, 3] - labels[:, 1]
    is_human = np.array([plate.label == "human" for plate in picture.plates], dtype=bool)
    counts = is_human & (height >= HEADLINE_HEIGHT_PX)
    return PicturePlates(
        exhaustive=picture.plates_exhaustive,
        confidence=confidence,
        label=label,
        is_false=~np.any(lies_on(boxes, labels), axis=1) & ~ignored,
        is_false_by_iou=~on_label & ~ignored,
        is_duplicate=on_label & (label < 0),
        height=height,
        is_human=is_human,
        found=_found_with(label, confidence, len(labels)),
        found_loosely=_found_with(greedy_match(overlaps, confidence, LOOSE_IOU), confidence, len(labels)),
        corners=_corner_matches(picture, found, label),
        matched=match_picture(boxes, confidence, labels, ignore_areas=areas),
        matched_human=match_picture(
            boxes, confidence, labels[counts], ignored_labels=labels[~counts], ignore_areas=areas
        ),
    )


def lies_on(boxes: Floats, labels: Floats) -> Flags:
    """Whether each detection (n, 4) lies on each labelled plate (m, 4), as this module defines it: (n, m)."""
    overlaps = iou_matrix(boxes, labels)
    loosely = (overlap_matrix(boxes, labels) >= _NEARLY_INSIDE) & (overlaps >= _FAIR_PART_IOU)
    flags: Flags = (overlaps >= FOUND_IOU) | loosely
    return flags


def lies_mostly_inside(boxes: Floats, areas: Floats) -> Flags:
    """Whether at least half of each detection (n, 4) lies inside one of the areas (m, 4): (n,)."""
    flags: Flags = np.any(overlap_matrix(boxes, areas) >= _MOSTLY, axis=1)
    return flags


def _found_with(label: Indices, confidence: Floats, labels: int) -> Floats:
    found = np.full(labels, -1.0)
    found[label[label >= 0]] = confidence[label >= 0]
    return found


def _corner_matches(picture: ScenePicture, detections: Sequence[Detection], label: Indices) -> tuple[CornerMatch, ...]:
    result = []
    for detection, index in zip(detections, label, strict=True):
        plate = picture.plates[index] if index >= 0 else None
        if plate is None or plate.corners is None or plate.corners_label != "human":
            continue
        if detection.corners is None:
            result.append(CornerMatch(detection.confidence, None, None))
        else:
            errors = [corner_error(plate.corners, start) for start in _starts(detection.corners)]
            result.append(CornerMatch(detection.confidence, errors[0], min(errors)))
    return tuple(result)


def _starts(corners: Corners) -> list[Corners]:
    """The same quadrilateral, begun at each of its corners; the first is the given one."""
    points = corners.as_tuple()
    return [Corners.from_points(points[start:] + points[:start]) for start in range(4)]


def corner_error(truth: Corners, answer: Corners) -> float:
    """The distance of the worst corner, in heights of the true plate (mean of its left and right edges)."""
    worst = max(math.dist(a, b) for a, b in zip(truth.as_tuple(), answer.as_tuple(), strict=True))
    left = math.dist(truth.top_left, truth.bottom_left)
    right = math.dist(truth.top_right, truth.bottom_right)
    height = fmean((left, right))
    return worst / height if height > 0 else math.inf


def score_plates(pictures: Sequence[PicturePlates], threshold: float) -> PlateScores:
    """Sum up matched pictures; detections below ``threshold`` count for the average precisions only."""
    exhaustive = [picture for picture in pictures if picture.exhaustive]
    precisions = average_precision([picture.matched for picture in pictures])
    human = average_precision([picture.matched_human for picture in pictures])
    return PlateScores(
        pictures=len(pictures),
        found_human=_found_human(pictures, threshold),
        found_human_loosely=_share([p.found_loosely[p.is_headline] >= threshold for p in pictures]),
        found_human_any_height=_share([p.found[p.is_human] >= threshold for p in pictures]),
        found_any=_share([p.found >= threshold for p in pictures]),
        by_height=_by_height(pictures, threshold),
        false_plates=_false_plates(exhaustive, threshold),
        false_by_iou=_rate([p.is_false_by_iou & (p.confidence >= threshold) for p in exhaustive]),
        duplicates=_rate([p.is_duplicate & (p.confidence >= threshold) for p in pictures]),
        ap50=precisions[0] if precisions else None,
        ap50_95=fmean(precisions) if precisions else None,
        ap50_human=human[0] if human else None,
        corners=_corner_errors(pictures, threshold),
    )


def sweep_plates(pictures: Sequence[PicturePlates], thresholds: Sequence[float]) -> tuple[OperatingPoint, ...]:
    exhaustive = [picture for picture in pictures if picture.exhaustive]
    return tuple(
        OperatingPoint(threshold, _found_human(pictures, threshold), _false_plates(exhaustive, threshold))
        for threshold in thresholds
    )


def _found_human(pictures: Sequence[PicturePlates], threshold: float) -> Share:
    return _share([picture.found[picture.is_headline] >= threshold for picture in pictures])


def _false_plates(exhaustive: Sequence[PicturePlates], threshold: float) -> Rate:
    return _rate([picture.is_false & (picture.confidence >= threshold) for picture in exhaustive])


def _share(flags: Sequence[Flags]) -> Share:
    return Share(sum(int(each.sum()) for each in flags), sum(len(each) for each in flags))


def _rate(flags: Sequence[Flags]) -> Rate:
    return Rate(sum(int(each.sum()) for each in flags), len(flags))


def _by_height(pictures: Sequence[PicturePlates], threshold: float) -> tuple[HeightBucket, ...]:
    buckets = []
    for low, high in pairwise(HEIGHT_BUCKETS_PX):
        within = [(picture.height >= low) & (picture.height < high) for picture in pictures]
        found = [picture.found >= threshold for picture in pictures]
        human = [hit[here & picture.is_human] for hit, here, picture in zip(found, within, pictures, strict=True)]
        every = [hit[here] for hit, here in zip(found, within, strict=True)]
        limit = None if math.isinf(high) else high
        buckets.append(HeightBucket(low, limit, _share(human), _share(every)))
    return tuple(buckets)


def _corner_errors(pictures: Sequence[PicturePlates], threshold: float) -> CornerErrors:
    matches = [match for p in pictures for match in p.corners if match.confidence >= threshold]
    errors = [match.error for match in matches if match.error is not None]
    any_start = [match.error_any_start for match in matches if match.error_any_start is not None]
    return CornerErrors(
        plates=len(matches),
        without_corners=len(matches) - len(errors),
        median=float(np.median(errors)) if errors else None,
        p90=float(np.percentile(errors, 90)) if errors else None,
        median_any_start=float(np.median(any_start)) if any_start else None,
    )
