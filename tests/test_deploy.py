"""The examples for deployment name commands, settings and paths that there are."""

from __future__ import annotations

import re
from configparser import RawConfigParser
from pathlib import Path

import pytest
from scripts.reference import all_commands

from openplate.settings import describe_settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
PAGES = [*sorted(DEPLOY.iterdir()), ROOT / "docs" / "server.md"]
VARIABLES = {entry.variable: entry for entry in describe_settings()} | {"OPENPLATE_SETTINGS": None}
NAMES = {entry.name for entry in describe_settings()}
SECTIONS = {name.partition(".")[0] for name in NAMES if "." in name}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_variables_are_settings_and_their_values_are_accepted(page: Path) -> None:
    for variable, value in re.findall(r"\b(OPENPLATE_[A-Z_]+)(?:=([\w./]+))?", page.read_text(encoding="utf-8")):
        if variable.endswith("_"):  # OPENPLATE_... in a sentence
            continue
        assert variable in VARIABLES
        entry = VARIABLES[variable]
        if entry is not None and value and entry.accepts.startswith("one of "):
            assert value in entry.accepts.removeprefix("one of ").split(", ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_are_called_by_their_names(page: Path) -> None:
    said = re.findall(rf"\b((?:{'|'.join(SECTIONS)})\.[a-z_]+)\b", page.read_text(encoding="utf-8"))
    assert set(said) - NAMES - {"server.md", "http.md", "settings.md"} == set()


def test_the_unit_runs_the_command_without_rights() -> None:
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "openplate.service")
    service = unit["Service"]
    words = service["ExecStart"].split()
    assert f"openplate {words[1]}" in dict(all_commands())
    assert service["ProtectSystem"] == "strict"
    assert service["Environment"].endswith("/var/lib/" + service["StateDirectory"])
    stop = next(entry for entry in describe_settings() if entry.name == "server.stop_timeout_s")
    assert int(service["TimeoutStopSec"]) > int(str(stop.default))


def test_the_container_copies_what_there_is_and_has_no_rights() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for name in line.split():
            assert (ROOT / name).exists(), name
    assert re.search(r"^USER openplate$", text, re.MULTILINE)
    extras = re.search(r"'\.\[([a-z,]+)\]'", text)
    assert extras
    assert {"cpu", "server"} <= set(extras[1].split(","))
