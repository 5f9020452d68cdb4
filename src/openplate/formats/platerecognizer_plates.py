"""Plate Recognizer's Snapshot answer, version 1: a result for each plate."""

from __future__ import annotations

from datetime import datetime

from openplate.datatypes import Plate, Recognition, VehicleAttributes
from openplate.formats.platerecognizer_attributes import colors, make_models, orientations
from openplate.formats.platerecognizer_parts import (
    cloud_time,
    listed_plates,
    no_direction,
    no_vehicle,
    region,
    score,
    texts,
    vehicle_basics,
    whole_box,
)


def snapshot_v1(
    recognition: Recognition,
    *,
    filename: str,
    timestamp: datetime | str,
    camera_id: str | None = None,
    include_unread: bool = False,
    mmc: bool = False,
    direction: bool = False,
) -> dict[str, object]:
    """The answer for one picture.

    A plate that was found but could not be read is left out, as the vendor does with readings below its
    threshold. With ``include_unread`` it is listed with an empty text and score 0: for covering plates.

    Args:
        recognition: what was found.
        filename, camera_id: echoed.
        timestamp: a time with its zone, written as the cloud service does, or the text to write.
        include_unread: whether to list plates without a text.
        mmc: whether each result has ``model_make``, ``color`` and ``orientation``.
        direction: whether each also has ``direction`` and ``direction_score``; counts only with ``mmc``.
    """
    plates = listed_plates(recognition, include_unread)
    return {
        "processing_time": round(float(recognition.timings.total_ms), 3),
        "results": [_result(plate, recognition, mmc, mmc and direction) for plate in plates],
        "filename": filename,
        "version": 1,
        "camera_id": camera_id,
        "timestamp": timestamp if isinstance(timestamp, str) else cloud_time(timestamp),
    }


def _result(plate: Plate, recognition: Recognition, mmc: bool, direction: bool) -> dict[str, object]:
    code, region_score = region(plate.reading)
    candidates = texts(plate.reading)
    index = plate.vehicle_index
    vehicle = None if index is None else recognition.vehicles[index]
    return {
        "box": whole_box(plate.detection.box, recognition),
        "plate": plate.reading.text.lower() if plate.reading else "",
        "score": score(plate.reading.confidence) if plate.reading else 0.0,
        "dscore": score(plate.detection.confidence),
        "region": {"code": code, "score": region_score},
        "candidates": [{"score": confidence, "plate": text} for text, confidence in candidates],
        "vehicle": no_vehicle() if vehicle is None else vehicle_basics(vehicle, recognition),
        **(_attributes(vehicle.attributes if vehicle else None) if mmc else {}),
        **(no_direction() if direction else {}),
    }


def _attributes(known: VehicleAttributes | None) -> dict[str, object]:
    """Receivers take the first entry of each list without asking, so none is empty."""
    return {
        "model_make": [
            {"make": make, "model": model, "score": score(confidence)} for make, model, confidence in make_models(known)
        ],
        "color": [{"color": name, "score": score(confidence)} for name, confidence in colors(known)],
        "orientation": [{"orientation": name, "score": score(confidence)} for name, confidence in orientations(known)],
    }
