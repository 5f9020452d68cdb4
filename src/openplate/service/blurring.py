"""One call of the blur address without its surroundings: found, covered, encoded. No clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from openplate.datatypes import Plate, Recognition, Timings
from openplate.formats.blur import SKIP, UNTOUCHED, BlurRequest
from openplate.imaging import Image, crop, encode_jpeg
from openplate.imaging.metadata import read_metadata, safe_metadata, with_metadata
from openplate.pipeline import Recognizer
from openplate.redaction import Covering, areas_of, join_pieces, pieces, redact
from openplate.service.calls import options_of
from openplate.service.values import Picture

_QUALITY: Final = 92


@dataclass(frozen=True, slots=True)
class Blurred:
    """What was found, and the picture with it covered, a JPEG file."""

    recognition: Recognition
    picture: bytes


def blur(picture: Picture, logo: Picture | None, request: BlurRequest, recognizer: Recognizer) -> Blurred:
    """Takes a while: for a thread of the pool. ``recognizer`` lends its networks and limits.

    Raises:
        ImageError: the picture or the logo cannot be used.
        ModelError: a network failed.
    """
    image = Image.from_bytes(picture.data, recognizer.limits)
    mark = Image.from_bytes(logo.data, recognizer.limits) if logo is not None and logo.data else None
    recognition = _found(image, request, recognizer.with_options(options_of(request.snapshot)))
    hidden = [plate for plate in recognition.plates if plate.reading is None or not _stays(plate, request)]
    if request.plates > UNTOUCHED:
        covering = Covering("blur", request.plates) if mark is None else Covering("logo", request.plates, logo=mark)
        image = redact(image, areas_of(hidden), covering, kept=request.kept_areas(image.width, image.height))
    encoded = encode_jpeg(image, _QUALITY)
    if request.keeps_metadata:
        encoded = with_metadata(encoded, safe_metadata(read_metadata(picture.data)))
    return Blurred(recognition, encoded)


def _stays(plate: Plate, request: BlurRequest) -> bool:
    return plate.reading is not None and request.is_skipped(plate.reading.text)


def _found(image: Image, request: BlurRequest, recognizer: Recognizer) -> Recognition:
    if request.plates == SKIP:
        return Recognition(
            source="", width=image.width, height=image.height, plates=(), vehicles=(), timings=Timings(0, 0, 0, 0)
        )
    if request.pieces == 1:
        (whole,) = recognizer.recognize([image.pixels])
        return whole
    parts = pieces(image.width, image.height, request.pieces, request.overlap)
    found = recognizer.recognize([crop(image, part).pixels for part in parts])
    plates = join_pieces([(part, each.plates) for part, each in zip(parts, found, strict=True)])
    total = sum(each.timings.total_ms for each in found)
    timings = replace(found[0].timings, total_ms=total)
    return replace(found[0], width=image.width, height=image.height, plates=plates, vehicles=(), timings=timings)
