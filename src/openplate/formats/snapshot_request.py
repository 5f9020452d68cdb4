"""What a client of Plate Recognizer's Snapshot asks for: the fields of its form, checked.

Field programs write booleans and lists in many ways, and all that were seen are taken. What cannot be done is a
``RequestError`` whose message says which field is meant and what it may be.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from openplate.errors import RegionError, RequestError
from openplate.formats.snapshot_config import SnapshotConfig, parse_config
from openplate.regions import get

LONGEST_CAMERA_ID = 200
LONGEST_TIMESTAMP = 64
LONGEST_URL = 2048
MOST_REGIONS = 50

_REGION_FIELDS = ("regions", "region")
_TRUE = ("true", "1", "yes", "on", "t", "y")
_FALSE = ("false", "0", "no", "off", "f", "n", "", "null", "none", "undefined")
_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")
"""Kinds of characters that no field may hold: control characters, halves of surrogate pairs, line separators."""


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """One call of the recognition address, without its picture.

    Attributes:
        regions: codes of the region table that guide the texts, each once.
        camera_id: echoed; None when not sent.
        timestamp: when the picture was taken, aware, UTC; None when not sent.
        timestamp_text: the same as it was sent, echoed.
        mmc: whether make, model, colour and orientation are wanted.
        direction: whether the direction of travel is wanted; counts only with ``mmc``.
        config: how to look and what to keep.
        upload_url: where the picture is; http or https. It wins over a picture sent beside it.
    """

    regions: tuple[str, ...] = ()
    camera_id: str | None = None
    timestamp: datetime | None = None
    timestamp_text: str | None = None
    mmc: bool = False
    direction: bool = False
    config: SnapshotConfig = field(default_factory=SnapshotConfig)
    upload_url: str | None = None


def parse_snapshot_request(fields: Mapping[str, Sequence[str]]) -> SnapshotRequest:
    """The request that the fields of a form describe; each name has its values in the order they were sent.

    Of a field that can have one value only the last one counts. Unknown fields are ignored.

    Raises:
        RequestError: a value that a field cannot have.
    """
    sent_at = _text(fields, "timestamp", LONGEST_TIMESTAMP)
    return SnapshotRequest(
        regions=_regions(fields),
        camera_id=_text(fields, "camera_id", LONGEST_CAMERA_ID),
        timestamp=None if sent_at is None else _time(sent_at),
        timestamp_text=sent_at,
        mmc=_flag(fields, "mmc"),
        direction=_flag(fields, "direction"),
        config=parse_config(_last(fields, "config")),
        upload_url=_url(fields),
    )


def _last(fields: Mapping[str, Sequence[str]], name: str) -> str:
    values = fields.get(name, ())
    return values[-1] if values else ""


def _text(fields: Mapping[str, Sequence[str]], name: str, longest: int) -> str | None:
    """A field's text without the spaces around it; None where nothing is left."""
    text = _last(fields, name).strip()
    if len(text) > longest:
        raise RequestError(f"{name}: longer than {longest} characters")
    if any(unicodedata.category(character) in _NO_TEXT for character in text):
        raise RequestError(f"{name}: control characters and line breaks are not allowed")
    return text or None


def _flag(fields: Mapping[str, Sequence[str]], name: str) -> bool:
    word = _last(fields, name).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise RequestError(f"{name}: must be true or false, not {_shown(word)}")


def _shown(text: str) -> str:
    return json.dumps(text if len(text) <= 40 else text[:37] + "...")


def _regions(fields: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    names = [name for name in fields if _without_index(name) in _REGION_FIELDS]
    values = [value for name in names for value in fields[name]]
    codes = [code.strip() for value in values for code in value.split(",")]
    return _known([code for code in codes if code])


def _without_index(name: str) -> str:
    """PHP writes the entries of a list as regions[], or as regions[0], regions[1]."""
    stem, bracket, index = name.partition("[")
    return stem if bracket and index[-1:] == "]" and (index[:-1].isdecimal() or index == "]") else name


def _known(codes: Sequence[str]) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(codes))
    if len(unique) > MOST_REGIONS:
        raise RequestError(f"regions: {len(unique)} are too many, {MOST_REGIONS} are the most; give the likely ones")
    try:
        return tuple(dict.fromkeys(get(_shortened(code)).code for code in unique))
    except RegionError as error:
        raise RequestError(f"regions: {error}") from error


def _shortened(code: str) -> str:
    if len(code) > 40 or any(unicodedata.category(character) in _NO_TEXT for character in code):
        raise RequestError(f"regions: there is no region {_shown(code)}")
    return code


def _time(text: str) -> datetime:
    """Aware, in UTC, which is also meant where no zone is given."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"timestamp: must be a time as in 2019-08-19T13:11:25, not {_shown(text)}"
        raise RequestError(message) from error


def _url(fields: Mapping[str, Sequence[str]]) -> str | None:
    url = _text(fields, "upload_url", LONGEST_URL)
    if url is not None and not url.lower().startswith(("http://", "https://")):
        raise RequestError("upload_url: must begin with http:// or https://")
    return url
