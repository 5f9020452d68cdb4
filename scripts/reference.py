"""The tables of what there is: commands with their options, settings, networks, data sets."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args, get_type_hints

import typer.main
from benchmarks.results import ROOT

from openplate.models import catalog
from openplate.settings import describe_settings
from openplate.settings.camera_sections import describe_camera_settings
from openplate_training.fonts import PACKAGES
from scripts.measured import table


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command that can be called, with its full name; groups come before what is in them."""
    yield name, command
    for below, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{name} {below}")


def all_commands() -> list[tuple[str, Any]]:
    """Full names and click commands of the command line."""
    from openplate.cli import app

    return list(_commands(typer.main.get_command(app), "openplate"))


def option_names(parameter: Any) -> str:
    """An option as it is typed, "-h, --help", or an argument in capitals."""
    if parameter.param_type_name == "argument":
        return str(parameter.make_metavar(None) if parameter.metavar is None else parameter.metavar)
    return ", ".join((*parameter.opts, *parameter.secondary_opts))


def accepted_words(command: Any, parameter: Any) -> tuple[str, ...]:
    """The words that an option accepts; none where it takes anything else."""
    hint = get_type_hints(inspect.unwrap(command.callback)).get(parameter.name)
    for kind in get_args(hint) or (hint,):
        if isinstance(kind, type) and issubclass(kind, Enum):
            return tuple(str(word.value) for word in kind)
    return ()


def _meaning(command: Any, parameter: Any) -> str:
    """The help of an option, with the words that it accepts."""
    text = " ".join((parameter.help or "").split())
    words = ", ".join(f"`{word}`" for word in accepted_words(command, parameter))
    return f"{text} One of {words}." if words else text


def commands() -> str:
    """A section for each command: what it does, its arguments and options."""
    sections = []
    for name, command in all_commands():
        text = " ".join((command.help or "").split())
        rows = []
        for parameter in command.params:
            if getattr(parameter, "hidden", False):
                continue
            default = parameter.default
            shown = "" if default in (None, False, (), ...) else f"`{getattr(default, 'value', default)}`"
            rows.append((f"`{option_names(parameter)}`", _meaning(command, parameter), shown))
        options = "\n\n" + table(("argument or option", "meaning", "default"), rows) if rows else ""
        sections.append(f"### `{name}`\n\n{text}{options}")
    return "\n\n".join(sections)


def settings() -> str:
    rows = [
        (
            f"`{each.name}`",
            f"`{each.variable}`",
            each.accepts,
            _default(each.default),
            each.description,
        )
        for each in describe_settings()
    ]
    return table(("name", "variable", "accepts", "default", "meaning"), rows)


def cameras() -> str:
    """What a camera's section may say."""
    rows = [
        (f"`{name}`", accepts, "a must" if name == "url" else _default(default), meaning)
        for name, accepts, default, meaning in describe_camera_settings()
    ]
    return table(("name", "accepts", "default", "meaning"), rows)


def _default(value: object) -> str:
    """As it is written in a settings file."""
    if value is None:
        return "not set"
    if value == ():
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def networks() -> str:
    sections = []
    for name in catalog.names():
        card = catalog.card(name)
        files = ", ".join(f"{kind} {file.size / 1e6:.1f} MB" for kind, file in card.files.items())
        runtimes = ", ".join(f"{runtime} {precision}" for runtime, precision in card.runtime.items())
        limits = "\n".join(f"- {limit}" for limit in card.limits)
        sections.append(
            f"### `{name}` {card.version}\n\n{card.summary}\n\n"
            f"Files: {files}. Used when nothing is asked for: {runtimes}. Input: {card.input.width} x "
            f"{card.input.height} pixels. Made by `{card.command}` at commit {card.commit}. {card.origin}\n\n"
            f"Known limits:\n\n{limits}"
        )
    return "\n\n".join(sections)


def data_sets() -> str:
    """What the shipped networks were trained on, with the licences as their sources state them."""
    used: dict[tuple[str, str], list[str]] = {}
    for path in sorted((ROOT / "runs" / "about").glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["trained_on"]:
            used.setdefault((entry["name"], entry["licence"]), []).append(path.stem)
    rows = [(f"`{name}`", licence, ", ".join(networks)) for (name, licence), networks in sorted(used.items())]
    return table(("data", "source and licence as stated there", "used by"), rows)


def fonts() -> str:
    """The fonts that plates for training are rendered with."""
    rows = [(package.package, package.source, package.licence) for package in PACKAGES]
    return table(("package", "from", "licence"), rows)
