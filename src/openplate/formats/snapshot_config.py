"""The ``config`` field of a Snapshot request: a JSON object that says how to look and what to keep."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from openplate.datatypes import Mode
from openplate.errors import RequestError
from openplate.regions.text_formats import parse_text_formats

LONGEST_CONFIG = 65_536
MOST_COUNT = 1000

_Word = TypeVar("_Word")

_REGION = {"normal": False, "strict": True}
_RULE = {"normal": False, "strict": True}
_DETECTION_MODE = {"plate": False, "vehicle": True}
_MODE: dict[str, Mode] = {"normal": "normal", "fast": "fast", "redaction": "redaction"}


@dataclass(frozen=True, slots=True)
class SnapshotConfig:
    """What ``config`` may ask for; the fields are arguments of ``openplate.RecognitionOptions`` under other names.

    Attributes:
        region_strict: keep only texts that have exactly a form of one of the regions or text formats given.
        threshold_d: least confidence of a plate, 0 to 1.
        threshold_o: least confidence of a reading, 0 to 1.
        mode: how thoroughly to look.
        vehicle_required: keep only plates on a vehicle (``detection_rule: strict``).
        vehicles_too: list vehicles without plates, in the form of version 2 (``detection_mode: vehicle``).
        text_formats: regular expressions of the safe subset that guide the texts.
        plates_per_vehicle: most plates of one vehicle; None, in the mode ``redaction`` when not sent: all.
        zoom_in_vehicles: most vehicles to look at again, enlarged; None, in that case too: as the mode has it.
    """

    region_strict: bool = False
    threshold_d: float = 0.2
    threshold_o: float = 0.6
    mode: Mode = "normal"
    vehicle_required: bool = False
    vehicles_too: bool = False
    text_formats: tuple[str, ...] = ()
    plates_per_vehicle: int | None = 1
    zoom_in_vehicles: int | None = 4


def parse_config(text: str) -> SnapshotConfig:
    """The config that a text describes; an empty one is the default, unknown keys are ignored, null is "not given".

    Raises:
        RequestError: no JSON object, or a value that a key cannot have.
    """
    if not text.strip():
        return SnapshotConfig()
    keys = {key: value for key, value in _object(text).items() if value is not None}
    mode = _one_of(keys, "mode", _MODE, "normal")
    usual = SnapshotConfig()
    counts_everything = mode == "redaction"
    return SnapshotConfig(
        region_strict=_one_of(keys, "region", _REGION, False),
        threshold_d=_fraction(keys, "threshold_d", usual.threshold_d),
        threshold_o=_fraction(keys, "threshold_o", usual.threshold_o),
        mode=mode,
        vehicle_required=_one_of(keys, "detection_rule", _RULE, False),
        vehicles_too=_one_of(keys, "detection_mode", _DETECTION_MODE, False),
        text_formats=_text_formats(keys),
        plates_per_vehicle=_count(keys, "plates_per_vehicle", None if counts_everything else 1, least=1),
        zoom_in_vehicles=_count(keys, "zoom_in_vehicles", None if counts_everything else 4, least=0),
    )


def _object(text: str) -> Mapping[str, object]:
    if len(text) > LONGEST_CONFIG:
        raise RequestError(f"config: longer than {LONGEST_CONFIG} characters")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(f"config: not valid JSON: {error.msg} at character {error.pos + 1}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or lists in lists in lists
        raise RequestError("config: not valid JSON") from error
    if not isinstance(value, dict):
        raise RequestError('config: must be a JSON object, such as {"region": "strict"}')
    return value


def _shown(value: object) -> str:
    """A value as JSON, short enough for a message."""
    written = json.dumps(value)
    return written if len(written) <= 60 else written[:57] + "..."


def _one_of(keys: Mapping[str, object], key: str, words: Mapping[str, _Word], default: _Word) -> _Word:
    value = keys.get(key)
    if value is None:
        return default
    word = value.strip().lower() if isinstance(value, str) else None
    if word is None or word not in words:
        raise RequestError(f"config.{key}: must be one of {', '.join(words)}, not {_shown(value)}")
    return words[word]


def _number(value: object) -> float | None:
    """A JSON number, or one that a form wrote as a string; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _fraction(keys: Mapping[str, object], key: str, default: float) -> float:
    if key not in keys:
        return default
    number = _number(keys[key])
    if number is None or not 0.0 <= number <= 1.0:
        raise RequestError(f"config.{key}: must be a number from 0 to 1, not {_shown(keys[key])}")
    return number


def _count(keys: Mapping[str, object], key: str, default: int | None, *, least: int) -> int | None:
    if key not in keys:
        return default
    number = _number(keys[key])
    if number is None or not number.is_integer() or number < least:
        raise RequestError(f"config.{key}: must be a whole number from {least}, not {_shown(keys[key])}")
    return min(int(number), MOST_COUNT)


def _text_formats(keys: Mapping[str, object]) -> tuple[str, ...]:
    given = keys.get("text_formats", [])
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(pattern, str) for pattern in listed):
        raise RequestError(f"config.text_formats: must be a list of strings, not {_shown(given)}")
    try:
        formats = parse_text_formats(listed)
    except ValueError as error:
        raise RequestError(f"config.text_formats: {error}") from error
    return tuple(each.pattern for each in formats)
