"""The page on switching from Stream names every key of settings, events and answers, and every column."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from openplate.formats import stream, stream_table
from openplate.settings.stream_config import (
    OVERRIDABLE,
    describe_stream_camera,
    describe_stream_settings,
    describe_stream_webhook,
)
from stream_scenes import GATE, make_event

PAGE = (Path(__file__).parents[2] / "docs" / "switch-from-plate-recognizer-stream.md").read_text(encoding="utf-8")
Described = tuple[tuple[str, str, object, str], ...]


def section(heading: str) -> str:
    """From a heading to the next one."""
    return re.split(r"^#+ ", PAGE.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def shown(default: object) -> str:
    """A default as the tables have it."""
    if default in (None, "", ()):
        return ""
    if isinstance(default, bool):
        return "`yes`" if default else "`no`"
    if isinstance(default, tuple):
        return f"`{', '.join(default)}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


@pytest.mark.parametrize(
    ("opening", "describe"),
    [
        ("Before the sections:", describe_stream_settings),
        ("In `[cameras]`, and in each `[[id]]` of it:", describe_stream_camera),
        ("In each section of `[webhooks]`:", describe_stream_webhook),
    ],
)
def test_every_key_with_what_it_accepts_its_default_and_its_meaning(
    opening: str, describe: Callable[[], Described]
) -> None:
    table = section("`config.ini`").partition(f"{opening}\n\n")[2].partition("\n\n")[0]
    rows = table.splitlines()[2:]
    assert rows == [f"| `{key}` | {accepts} | {shown(of)} | {meaning} |" for key, accepts, of, meaning in describe()]


def test_every_key_of_an_event() -> None:
    told = set(re.findall(r"`([a-z_]+)`", section("An event")))
    data = stream.event_data(make_event(), GATE)
    (result,) = data["results"]  # type: ignore[misc]
    assert {*data, *result, "model_make", "color", "orientation"} <= told  # type: ignore[has-type]


def test_every_key_of_webhooks_and_departures() -> None:
    told = set(re.findall(r"`([a-z_]+)`", section("Webhooks")))
    body = stream.hook_body(stream.dwell_data(make_event(), GATE, trajectory=True), GATE, "http://h/", "x")
    assert {*body["hook"], *body["data"]} <= told  # type: ignore[misc]


def test_every_column() -> None:
    lines = section("CSV").splitlines()
    assert ",".join(stream_table.V1) in lines
    assert ",".join(stream_table.V2) in lines


def test_every_key_of_the_answer_and_every_field_of_an_upload() -> None:
    told = set(re.findall(r"`([a-z_]+)`", section("Files by HTTP")))
    answer = stream.file_answer("x", "a", seconds=1, frames=1, failed_frames=0, events=1, calls=1)
    assert {*answer, *OVERRIDABLE} <= told


def test_every_code_of_an_error() -> None:
    source = Path(__file__).parents[2] / "src" / "openplate" / "settings" / "stream_grammar.py"
    codes = set(re.findall(r"STR\d{4}", source.read_text(encoding="utf-8")))
    assert codes == set(re.findall(r"`(STR\d{4})`", PAGE))


def test_keys_without_effect_are_said_to_differ() -> None:
    differs = section("What differs")
    for described in (describe_stream_camera(), describe_stream_webhook()):
        for key, _, _, meaning in described:
            if meaning.startswith("Accepted and without effect"):
                assert key in differs
