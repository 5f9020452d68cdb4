"""The documentation says what there is: every command, option, setting, format and network; its code runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from scripts import update_tables
from scripts.reference import accepted_words, all_commands

from openplate import errors
from openplate.formats import native
from openplate.models import DEVICES, PRECISIONS, catalog
from openplate.options import RecognitionOptions
from openplate.settings import describe_settings
from openplate.settings.camera_sections import describe_camera_settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [page for page in update_tables.documents() if page.stat().st_size]
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def in_code(name: str, text: str) -> bool:
    """Whether a page has the name as code: `name`."""
    return re.search(rf"`[^`\n]*(?<![\w-]){re.escape(name)}(?![\w-])[^`\n]*`", text) is not None


def test_generated_parts_are_up_to_date() -> None:
    """`python -m scripts.update_tables` mends it."""
    assert [str(page.relative_to(ROOT)) for page in update_tables.outdated(PAGES)] == []


def test_every_generated_part_stands_somewhere() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert {name for name in update_tables.GENERATED if f"<!-- generated: {name} -->" not in text} == set()


def test_every_command_and_option_is_documented() -> None:
    text = page("cli.md")
    for name, command in all_commands():
        assert f"### `{name}`" in text
        section = text.partition(f"### `{name}`")[2].partition("\n### ")[0]
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert in_code(option, section), f"{name} {option}"


def test_every_command_and_option_explains_itself() -> None:
    for name, command in all_commands():
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name}: {parameter.name}"


def test_every_setting_is_documented() -> None:
    text = page("settings.md")
    for setting in describe_settings():
        assert in_code(setting.name, text)
        assert in_code(setting.variable, text)


def test_every_setting_of_a_camera_is_documented() -> None:
    for name, accepts, _, meaning in describe_camera_settings():
        (row,) = (line for line in page("settings.md").splitlines() if line.startswith(f"| `{name}` |"))
        assert accepts in row
        assert meaning in row


def test_every_format_and_its_keys_are_documented() -> None:
    recognize = dict(all_commands())["openplate recognize"]
    (option,) = (parameter for parameter in recognize.params if "--format" in parameter.opts)
    text = page("formats.md")
    names = accepted_words(recognize, option)
    assert names
    for name in names:
        assert f"| `{name}` |" in text
    for key in ("source", "width", "height", "plates", "vehicles", "timings_ms", "error"):
        assert f'"{key}"' in text


def test_the_documented_object_is_read_back_as_it_is_written() -> None:
    (block,) = re.findall(r"## json\n\n```json\n(.*?)```", page("formats.md"), re.DOTALL)
    written = native.to_dict(native.from_dict(json.loads(block)))
    assert written == json.loads(block)
    assert list(written) == list(json.loads(block))


def test_how_vehicles_map_is_documented() -> None:
    from openplate.formats.platerecognizer import VEHICLE_TYPES

    for label, answer in VEHICLE_TYPES.items():
        assert f"| `{label}` | `{answer}` |" in page("formats.md")


def test_how_attributes_map_is_documented() -> None:
    from openplate.attributes import ORIENTATIONS as VIEWS_OF
    from openplate.formats import platerecognizer_attributes as snapshot
    from openplate.formats import rekor_vehicle as rekor

    text = page("formats.md")
    for ours, theirs in {**snapshot.TYPES, **snapshot.ORIENTATIONS, **rekor.BODY_TYPES, **rekor.ORIENTATIONS}.items():
        assert f"`{ours}` | `{theirs}` |" in text
    for color, name in snapshot.COLORS.items():
        (row,) = (line for line in text.splitlines() if re.match(rf"\| (`[a-z-]+`, )*`{color}`.* \|.*\|.*\|", line))
        assert f"| `{name}` |" in row or (name == color and "| the same |" in row)
    assert set(rekor.ORIENTATIONS) == {view for views in VIEWS_OF.values() for view in views}
    assert set(snapshot.ORIENTATIONS) == set(VIEWS_OF)
    assert set(rekor.COLORS) == set(snapshot.COLORS)


def test_every_network_device_and_precision_is_documented() -> None:
    text = page("models.md")
    for name in (*catalog.names(), *DEVICES, *PRECISIONS):
        assert in_code(name, text)
    for name in catalog.names():
        command = catalog.card(name).command
        assert in_code(command, page("training.md"))
        assert (ROOT / command).is_file()


def test_every_recognition_option_is_documented() -> None:
    for name in RecognitionOptions.__dataclass_fields__:
        assert f"| `{name}` |" in page("api.md")


def test_documented_errors_exist() -> None:
    for name in re.findall(r"`(\w+(?:Error|Image|TooLarge|Mismatch|Failed|Unavailable))`", page("odd-input.md")):
        assert issubclass(getattr(errors, name), errors.OpenplateError)


def test_the_layers_are_drawn_as_they_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    drawn = re.search(r"<!-- layers -->\n```\n(.*?)```", page("architecture.md"), re.DOTALL)
    assert drawn
    assert drawn[1].splitlines() == [layer.replace("(", "").replace(")", "") for layer in layers]


def test_every_dependency_is_named_with_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    text = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    for requirement in (
        each for requirements in (*lists, *project["dependency-groups"].values()) for each in requirements
    ):
        name = re.split(r"[<>=!~\[ ]", requirement)[0]
        assert re.search(rf"^\| {re.escape(name)} \| \w", text, re.MULTILINE), name


def anchors(text: str) -> set[str]:
    """The names that headings have in links, as GitHub makes them."""
    headings = HEADING.findall(FENCED.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("source", PAGES, ids=lambda source: source.name)
def test_links_lead_somewhere(source: Path) -> None:
    for link in LINK.findall(FENCED.sub("", source.read_text(encoding="utf-8"))):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (source.parent / path) if path else source
        assert target.exists(), f"{source.name}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{source.name}: {link}"


def test_every_page_is_reached_from_the_index() -> None:
    index = page("index.md")
    assert [
        each.name for each in sorted(DOCS.glob("*.md")) if each.name != "index.md" and f"({each.name})" not in index
    ] == []


def python_blocks() -> list[tuple[str, str]]:
    return [
        (f"{source.name}-{number}", block)
        for source in PAGES
        for number, block in enumerate(PYTHON.findall(source.read_text(encoding="utf-8")), 1)
    ]


@pytest.mark.parametrize(("name", "block"), python_blocks(), ids=lambda value: value if "\n" not in value else "")
def test_python_in_the_documentation_runs(name: str, block: str) -> None:
    ran = subprocess.run([sys.executable, "-c", block], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, f"{name}: {ran.stderr}"
