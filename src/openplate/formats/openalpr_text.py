"""What OpenALPR's command line prints for people: a line for each plate, one for each candidate below it."""

from __future__ import annotations

from openplate.datatypes import PlateCandidate, PlateReading, Recognition


def alpr_text(recognition: Recognition, *, top_n: int = 10, shows_time: bool = False, has_pattern: bool = False) -> str:
    """The lines for one picture, empty for no plates; plates that could not be read are left out.

    Whether a text has a form of a region's plates is told where a region was given (``has_pattern``) or found.
    """
    read = [plate.reading for plate in recognition.plates if plate.reading]
    share_ms = recognition.timings.read_ms / len(read) if read else 0.0
    lines: list[str] = []
    for index, reading in enumerate(read):
        candidates = (reading.candidates or (PlateCandidate(reading.text, reading.confidence),))[:top_n]
        time = f" -- Processing Time = {share_ms:.6g}ms." if shows_time else ""
        lines.append(f"plate{index}: {len(candidates)} results{time}")
        if reading.regions:
            lines.append(_state(reading))
        lines += [_line(candidate, has_pattern or bool(reading.regions)) for candidate in candidates]
    return "".join(line + "\n" for line in lines)


def _state(reading: PlateReading) -> str:
    """States without their country, as OpenALPR's own files have them."""
    region = reading.regions[0]
    return f"State ID: {region.value.rpartition('-')[2]} ({round(region.confidence * 100)}% confidence)"


def _line(candidate: PlateCandidate, tells_match: bool) -> str:
    match = f"\t pattern_match: {int(candidate.matches_pattern)}" if tells_match else ""
    return f"    - {candidate.text}\t confidence: {candidate.confidence * 100:.6g}{match}"
