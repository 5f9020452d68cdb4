"""Plate Recognizer's Snapshot answer for ``detection_mode: vehicle``, version 2: vehicles without plates too."""

from __future__ import annotations

from datetime import datetime

from openplate.datatypes import Plate, Recognition
from openplate.formats.platerecognizer_attributes import colors, make_models, orientations
from openplate.formats.platerecognizer_parts import (
    cloud_time,
    listed_plates,
    no_direction,
    region,
    score,
    texts,
    vehicle_basics,
    whole_box,
)


def snapshot_v2(
    recognition: Recognition,
    *,
    filename: str,
    timestamp: datetime | str,
    camera_id: str | None = None,
    include_unread: bool = False,
    mmc: bool = False,
    direction: bool = False,
) -> dict[str, object]:
    """The answer for one picture: a result for each plate, then one for each vehicle on which none was listed.

    ``plate`` or ``vehicle`` is null where there is none; a vehicle with two plates is in two results.
    The arguments are those of ``snapshot_v1``; without ``mmc`` the lists of a vehicle's properties are empty.
    """
    plates = listed_plates(recognition, include_unread)
    with_plates = {plate.vehicle_index for plate in plates}
    pairs: list[tuple[Plate | None, int | None]] = [(plate, plate.vehicle_index) for plate in plates]
    pairs += [(None, index) for index in range(len(recognition.vehicles)) if index not in with_plates]
    more = no_direction() if mmc and direction else {}
    return {
        "filename": filename,
        "timestamp": timestamp if isinstance(timestamp, str) else cloud_time(timestamp),
        "camera_id": camera_id,
        "processing_time": round(float(recognition.timings.total_ms), 3),
        "results": [
            {
                "plate": None if plate is None else _plate(plate, recognition),
                "vehicle": None if index is None else _vehicle(index, recognition, mmc),
                **more,
            }
            for plate, index in pairs
        ],
    }


def _plate(plate: Plate, recognition: Recognition) -> dict[str, object]:
    code, region_score = region(plate.reading)
    return {
        "type": "Plate",
        "score": score(plate.detection.confidence),
        "box": whole_box(plate.detection.box, recognition),
        "props": {
            "plate": [{"value": text, "score": confidence} for text, confidence in texts(plate.reading)],
            "region": [{"value": code, "score": region_score}],
        },
    }


def _vehicle(index: int, recognition: Recognition, mmc: bool) -> dict[str, object]:
    vehicle = recognition.vehicles[index]
    basics, known = vehicle_basics(vehicle, recognition), vehicle.attributes
    return {
        "type": basics["type"],
        "score": basics["score"],
        "box": basics["box"],
        "props": {
            "make_model": [
                {"make": make, "model": model, "score": score(confidence)}
                for make, model, confidence in (make_models(known) if mmc else ())
            ],
            "orientation": _values(orientations(known)) if mmc else [],
            "color": _values(colors(known)) if mmc else [],
        },
    }


def _values(pairs: list[tuple[str, float]]) -> list[dict[str, object]]:
    return [{"value": name, "score": score(confidence)} for name, confidence in pairs]
