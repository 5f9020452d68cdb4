"""The page on switching from Rekor Scout names every key of messages, settings and cameras, and what lies beneath."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_rekor import GROUP_3, HEAD, HEARTBEAT_3, NEWER, PLATE_3, RESULTS_3

from openplate.settings.alprd import describe_camera_settings, describe_scout_settings

PAGE = (Path(__file__).parents[2] / "docs" / "switch-from-rekor-scout.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """From a heading to the next one."""
    return re.split(r"^#+ ", PAGE.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def keys(form: Any) -> Iterator[str]:
    """All keys of a message, those of objects inside too; a plate has a table of its own."""
    if isinstance(form, list):
        yield from keys(form[0])
    elif isinstance(form, dict):
        for key, inner in form.items():
            yield key
            if key != "best_plate":
                yield from keys(inner)


@pytest.mark.parametrize(
    ("heading", "form"),
    [
        ("`alpr_results`", RESULTS_3 | {"user_data": str, "site_id": str, "results": [PLATE_3]}),
        ("`alpr_group`", GROUP_3 | {"user_data": str, "custom_data": str}),
        ("`heartbeat`", HEARTBEAT_3),
    ],
)
def test_every_key_of_a_message(heading: str, form: dict[str, Any]) -> None:
    told = set(re.findall(r"`([a-z_0-9]+)`", section(heading)))
    assert set(keys(form)) - told == set()


def test_what_a_vehicle_lacks() -> None:
    missing = set(GROUP_3) - set(HEAD | NEWER)
    assert set(re.findall(r"`([a-z_]+)`", section("`vehicle`"))) == missing


def test_every_setting() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+?) \| .*?([^|]+) \|$", section("`alprd.conf`"), re.MULTILINE)
    told = [(key, accepts, meaning.strip()) for key, accepts, meaning in rows]
    written = [(key, accepts, meaning) for key, accepts, _, meaning in describe_scout_settings()]
    assert told == [*written, *describe_camera_settings()]


def test_every_address_of_the_picture_server() -> None:
    text = section("Pictures")
    for address in ("/img/UUID.jpg", "/crop/UUID", "/list", "/meta/UUID", "`/`"):
        assert address in text
