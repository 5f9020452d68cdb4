"""The house keeps its shape: layers, light imports, plain values, whole weights, a clean repository."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import socket
import subprocess
import sys
import tomllib
import types
import typing
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import openplate
from openplate import datatypes, errors

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "openplate"
WEIGHTS = PACKAGE / "weights"

# What `import openplate` and `openplate --version` may load beyond the standard library.
LIGHT = {
    "openplate",
    "typer",
    "click",
    "shellingham",
    "typing_extensions",
    "annotated_doc",
    # put there by how the package and the interpreter were installed
    "sitecustomize",
    "usercustomize",
}
PLAIN = {str, int, float, bool, type(None)}
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".mp4", ".avi", ".mov")


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def modules_loaded_by(code: str) -> set[str]:
    """The top-level names outside the standard library in sys.modules after running the code."""
    report = "import json, sys; print(); print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    script = f"{code}\n{report}"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=60)
    names = set(json.loads(ran.stdout.splitlines()[-1]))
    return {name for name in names - sys.stdlib_module_names if not name.startswith("_")}


def test_the_import_contracts_hold(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_no_contract_is_weakened_by_exceptions() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert [c["name"] for c in contracts if "ignore_imports" in c] == []
    assert all(c["exhaustive"] for c in contracts if c["type"] == "layers")


def test_exported_names_are_sorted_public_and_there() -> None:
    assert list(openplate.__all__) == sorted(openplate.__all__)
    for name in openplate.__all__:
        assert getattr(openplate, name) is not None
        assert not name.startswith("_") or name == "__version__"


def test_importing_the_package_stays_light() -> None:
    assert modules_loaded_by("import openplate") <= LIGHT


def test_asking_for_the_version_stays_light() -> None:
    code = (
        "import sys; sys.argv = ['openplate', '--version']\n"
        "from openplate.cli import main\n"
        "try:\n    main()\nexcept SystemExit as exit:\n    assert not exit.code, exit.code"
    )
    assert modules_loaded_by(code) <= LIGHT


def leaf_types(annotation: object) -> set[object]:
    """Every type named in an annotation: tuple[Guess, ...] | None gives {Guess, NoneType}."""
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return {type(value) for value in typing.get_args(annotation)}
    if origin is None:
        return {annotation}
    assert origin in (tuple, typing.Union, types.UnionType), f"{annotation} is no tuple"
    return {leaf for part in typing.get_args(annotation) if part is not ... for leaf in leaf_types(part)}


def values() -> list[type]:
    return [v for v in vars(datatypes).values() if isinstance(v, type) and v.__module__ == datatypes.__name__]


@pytest.mark.parametrize("value", values(), ids=lambda value: value.__name__)
def test_results_are_frozen_and_made_of_plain_values(value: type) -> None:
    assert dataclasses.is_dataclass(value)
    assert value.__dataclass_params__.frozen  # type: ignore[attr-defined]
    hints = typing.get_type_hints(value)
    for field in dataclasses.fields(value):
        for leaf in leaf_types(hints[field.name]):
            assert leaf in PLAIN or getattr(leaf, "__module__", "") in (datatypes.__name__, "datetime"), field.name


def test_the_error_tree_has_one_root_and_is_drawn() -> None:
    tree = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, Exception)]
    assert tree
    for error in tree:
        assert issubclass(error, errors.OpenplateError)
        assert error.__name__ in (errors.__doc__ or "")


def weight_folders() -> list[Path]:
    return sorted(folder for folder in WEIGHTS.glob("*") if folder.is_dir() and folder.name != "__pycache__")


@pytest.mark.parametrize("folder", weight_folders(), ids=lambda folder: folder.name)
def test_each_weight_is_the_file_its_card_describes(folder: Path) -> None:
    card = tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))
    assert card["name"] == folder.name
    described = list(files_with_sums(card))
    assert described
    for name, expected in described:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected
    assert {name for name, _ in described} == {f.name for f in folder.iterdir()} - {"card.toml"}


def files_with_sums(card: object) -> typing.Iterator[tuple[str, str]]:
    """Every (file, sha256) pair of a card, in whichever of its tables it stands."""
    if isinstance(card, dict):
        if "file" in card and "sha256" in card:
            yield card["file"], card["sha256"]
        for part in card.values():
            yield from files_with_sums(part)
    elif isinstance(card, list):
        for part in card:
            yield from files_with_sums(part)


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    # Written apart, so that this file does not hold what it looks for.
    forbidden = [b"/" + name + b"/" for name in (b"work", b"root", b"home", b"Users", b"opt/pypi", b"opt/wheels")]
    guilty = [
        f"{file.relative_to(ROOT)}: {word.decode()}"
        for file in tracked_files()
        if file.suffix not in (*PICTURES, ".onnx", ".npz")
        for word in forbidden
        if word in file.read_bytes()
    ]
    assert guilty == []


def test_pictures_in_the_repository_are_drawn_by_it() -> None:
    """Photographs of real plates must never be committed; what code of this repository draws may be."""
    folders = {ROOT / "examples", ROOT / "docs", ROOT / "results"}
    strangers = [f for f in tracked_files() if f.suffix.lower() in PICTURES and not folders & set(f.parents)]
    assert strangers == []


def test_the_lock_file_names_public_hosts_only() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    sources = {json.dumps(p["source"]) for p in lock["package"] if p["name"] != "openplate"}
    assert sources == {json.dumps({"registry": "https://pypi.org/simple"})}


def test_tests_cannot_reach_other_machines() -> None:
    with pytest.raises(PermissionError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
