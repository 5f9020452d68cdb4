"""The page on switching from Plate Recognizer names every field, key and body that there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from factories import NOON, make_recognition, make_street, make_vehicle
from openplate.errors import RequestError
from openplate.formats import platerecognizer
from openplate.formats.snapshot_config import SnapshotConfig, parse_config
from openplate.formats.snapshot_request import SnapshotRequest
from openplate.formats.webhook import webhook_body

PAGE = (Path(__file__).parents[2] / "docs" / "switch-from-plate-recognizer.md").read_text(encoding="utf-8")
EVERYTHING = SnapshotRequest(mmc=True, direction=True)
VEHICLES_TOO = SnapshotRequest(mmc=True, config=SnapshotConfig(vehicles_too=True))


def section(heading: str) -> str:
    """From a heading to the next one."""
    return re.split(r"^#+ ", PAGE.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def answer(request: SnapshotRequest) -> dict[str, Any]:
    return platerecognizer.answer(
        make_street(), request, flavour="sdk", filename="a.jpg", received_at=NOON, usage=(1, 2)
    )


def rows(text: str) -> list[str]:
    """The first cell of each row of the tables."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_every_field_of_the_request() -> None:
    fields = {"upload", "regions", "camera_id", "timestamp", "mmc", "direction", "config", "upload_url"}
    assert set(rows(section("Fields of the request"))) == fields
    assert set(SnapshotRequest.__dataclass_fields__) - {"timestamp_text"} == fields - {"upload"}


def test_every_key_of_the_config() -> None:
    documented = rows(section("Keys of `config`"))
    assert len(documented) == len(SnapshotConfig.__dataclass_fields__)
    for key in documented:
        with pytest.raises(RequestError, match=f"config.{key}: "):
            parse_config(json.dumps({key: {"no": "value"}}))


def test_every_key_of_the_answer_in_its_order() -> None:
    found = answer(EVERYTHING)
    (result,) = found["results"]
    keys = [*(f"results[].{key}" for key in result), *found]
    assert sorted(rows(section("Keys of the answer"))) == sorted(keys)


def test_every_key_of_version_2() -> None:
    found = answer(VEHICLES_TOO)
    text = section("Version 2")
    for key in found:
        assert f"`{key}`" in text
    (result,) = found["results"]
    assert sorted(rows(text)) == sorted(leaves(result))


def leaves(value: dict[str, Any], path: str = "") -> Iterator[str]:
    """The paths of what is neither an object nor inside a list; boxes count as one."""
    for key, inner in value.items():
        if isinstance(inner, dict) and "xmin" not in inner:
            yield from leaves(inner, f"{path}{key}.")
        else:
            yield path + key


def test_the_vehicle_types() -> None:
    for kind in platerecognizer.VEHICLE_TYPES.values():
        assert f"`{kind}`" in section("What differs")


def test_the_small_answers() -> None:
    text = section("Other addresses")
    resets = datetime(2026, 4, 5, tzinfo=UTC)
    statistics: dict[str, Any] = platerecognizer.statistics(calls=1, allowed=2, year=2026, month=3, resets_on=resets)
    info = platerecognizer.info(version="1", license_key="x", calls=1, allowed=2)
    for key in (*statistics, *statistics["usage"], *info):
        assert f"`{key}`" in text


def test_the_bodies_of_errors() -> None:
    text = section("Errors")
    assert platerecognizer.encode(platerecognizer.throttled(1)).decode() in text
    for body in (
        platerecognizer.not_found(),
        platerecognizer.method_not_allowed("GET"),
        platerecognizer.failure(403, "Invalid token."),
    ):
        assert json.dumps(body) in text


def test_the_webhook_has_the_keys_of_the_sample() -> None:
    (sample,) = re.findall(r"```json\n(.*?)```", section("Webhooks"), re.DOTALL)
    written = webhook_body(
        make_recognition(vehicles=(make_vehicle(),)),
        SnapshotRequest(),
        target_url="http://10.0.0.2:8081/",
        target_id=7,
        filename="1402_QX2PL_gate.jpg",
        received_at=NOON,
    )
    described = json.loads(sample)
    assert written["hook"] == described["hook"]
    assert isinstance(written["data"], dict)
    assert list(written["data"]) == list(described["data"])
    assert (
        platerecognizer.webhook_time(datetime.fromisoformat(described["data"]["timestamp"]))
        == (described["data"]["timestamp"])
    )
