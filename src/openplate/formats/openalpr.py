"""The object that OpenALPR's command line prints for a picture with ``alpr -j``, keys in the same order.

Habits followed: plates in upper case, confidences 0 to 100, flags as 0 and 1, whole pixels, times in
milliseconds since 1970, an empty region with confidence 0 for none, ``results`` empty for no plates.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from openplate.datatypes import Corners, Plate, PlateCandidate, PlateReading, Recognition

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def alpr_results(
    recognition: Recognition, *, at: datetime, top_n: int = 10, prefers_matching: bool = False
) -> dict[str, object]:
    """The object for one picture; ``at`` (with its time zone) is when it was processed.

    Plates that were found but could not be read are left out, as OpenALPR does. ``top_n`` is how many
    candidates were asked for, and the most that are listed. With ``prefers_matching``, as where a region is set,
    the plate is the first of them that has a form of the region's plates, if there is one.
    """
    read = [(plate, plate.reading) for plate in recognition.plates if plate.reading]
    share_ms = recognition.timings.read_ms / len(read) if read else 0.0
    return {
        "version": 2,
        "data_type": "alpr_results",
        "epoch_time": epoch_ms(at),
        "img_width": int(recognition.width),
        "img_height": int(recognition.height),
        "processing_time_ms": _ms(recognition.timings.total_ms),
        "regions_of_interest": [{"x": 0, "y": 0, "width": int(recognition.width), "height": int(recognition.height)}],
        "results": [
            _result(plate, reading, index, share_ms, top_n, prefers_matching)
            for index, (plate, reading) in enumerate(read)
        ],
    }


def epoch_ms(at: datetime) -> int:
    """Milliseconds since 1970, exactly."""
    if at.tzinfo is None:
        raise ValueError("a time needs its time zone")
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _ms(value: float) -> float:
    return round(float(value), 3)


def _percent(confidence: float) -> float:
    return round(float(confidence) * 100, 4)


def _result(
    plate: Plate, reading: PlateReading, index: int, share_ms: float, top_n: int, prefers_matching: bool
) -> dict[str, object]:
    """One plate. All plates of a picture are read together, so its time is an equal share of theirs."""
    candidates = reading.candidates or (PlateCandidate(reading.text, reading.confidence),)
    best = PlateCandidate(reading.text, reading.confidence, candidates[0].matches_pattern)
    if prefers_matching:
        best = next((candidate for candidate in candidates[:top_n] if candidate.matches_pattern), best)
    corners = plate.detection.corners or Corners.from_box(plate.detection.box)
    region = reading.regions[0] if reading.regions else None
    return {
        "plate": best.text,
        "confidence": _percent(best.confidence),
        "matches_template": int(best.matches_pattern),
        "plate_index": index,
        "region": region.value if region else "",
        "region_confidence": round(region.confidence * 100) if region else 0,
        "processing_time_ms": _ms(share_ms),
        "requested_topn": top_n,
        "coordinates": [{"x": round(x), "y": round(y)} for x, y in corners.as_tuple()],
        "candidates": [_candidate(candidate) for candidate in candidates[:top_n]],
    }


def _candidate(candidate: PlateCandidate) -> dict[str, object]:
    return {
        "plate": candidate.text,
        "confidence": _percent(candidate.confidence),
        "matches_template": int(candidate.matches_pattern),
    }
