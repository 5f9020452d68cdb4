"""Putting the settings together: command line, environment, file, defaults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from openplate.errors import SettingsError
from openplate.settings.camera_sections import CAMERAS, read_cameras
from openplate.settings.rules import HIDDEN, DatabaseUrl, Rule, Secret
from openplate.settings.tree import Settings

PREFIX: Final = "OPENPLATE_"
FILE_VARIABLE: Final = "OPENPLATE_SETTINGS"

_OTHER_VARIABLES: Final = (FILE_VARIABLE, "OPENPLATE_DATA")
"""Variables that are no settings; the second tells the tests where the labelled pictures are."""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, and for each name ("limits.max_bytes", "cameras.gate") where its value comes from, in words."""

    settings: Settings
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """One setting as people need it: name, environment variable, what it accepts, default, meaning."""

    name: str
    variable: str
    accepts: str
    default: object
    description: str


def load_settings(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    command_line: Mapping[str, object] | None = None,
) -> LoadedSettings:
    """Puts the settings together.

    Args:
        path: a TOML file; without it the one that ``OPENPLATE_SETTINGS`` names, if it is set.
        environment: the environment (default: that of the process). Empty variables count as not set.
        command_line: values by name ("limits.max_bytes"); None counts as not given.

    Raises:
        SettingsError: a name is unknown, a value is not accepted, or the file cannot be read.
    """
    given = os.environ if environment is None else environment
    variables = {name: text for name, text in given.items() if text}
    file = path or (Path(variables[FILE_VARIABLE]) if FILE_VARIABLE in variables else None)
    values: dict[str, object] = {}
    sources = dict.fromkeys(_SETTINGS, "default")
    tree = _read(file) if file else {}
    cameras = read_cameras(tree.pop(CAMERAS, {}), str(file))
    layers = (
        _from_tree(tree, file) if file else {},
        _from_environment(variables),
        _from_command_line(command_line or {}),
    )
    for layer in layers:
        for name, (value, source) in layer.items():
            values[name], sources[name] = value, source
    settings: Settings = _with_values(Settings(), values)
    sources |= {f"{CAMERAS}.{camera.name}": f"file {file}" for camera in cameras}
    return LoadedSettings(replace(settings, cameras=cameras), sources)


def describe_settings() -> tuple[SettingDescription, ...]:
    """Every setting, in the order of the tree."""
    return tuple(
        SettingDescription(name, _variable(name), leaf.rule.accepts, leaf.default, leaf.description)
        for name, leaf in _SETTINGS.items()
    )


def shown_values(settings: Settings) -> dict[str, object]:
    """Every setting's value by its name as others may see it: secrets are hidden, paths are texts."""
    return {name: leaf.rule.shown(_value(settings, name)) for name, leaf in _SETTINGS.items()}


def _value(settings: Settings, name: str) -> object:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


_Layer = dict[str, tuple[object, str]]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"the settings file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} is not TOML: {error}") from error


def _from_tree(tree: Mapping[str, object], path: Path) -> _Layer:
    return {
        name: (_accept(name, value, str(path)), f"file {path}") for name, value in _flatten(tree, "", str(path)).items()
    }


def _from_environment(variables: Mapping[str, str]) -> _Layer:
    names = {_variable(name): name for name in _SETTINGS}
    layer: _Layer = {}
    for variable, text in variables.items():
        if not variable.startswith(PREFIX) or variable in _OTHER_VARIABLES:
            continue
        if variable not in names:
            raise _unknown(variable, (*names, *_OTHER_VARIABLES), "the environment")
        name = names[variable]
        rule = _SETTINGS[name].rule
        try:
            layer[name] = rule.from_text(text), f"environment {variable}"
        except ValueError:
            raise SettingsError(f"{variable} must be {rule.accepts}, not {_told(rule, text)}") from None
    return layer


def _from_command_line(values: Mapping[str, object]) -> _Layer:
    source = "command line"
    for name in values:
        if name not in _SETTINGS:
            raise _unknown(name, tuple(_SETTINGS), "the " + source)
    return {
        name: (_accept(name, value, "the " + source), source) for name, value in values.items() if value is not None
    }


def _accept(name: str, value: object, source: str) -> object:
    rule = _SETTINGS[name].rule
    try:
        return rule.from_value(value)
    except ValueError:
        raise SettingsError(f"{source}: {name} must be {rule.accepts}, not {_told(rule, value)}") from None


def _told(rule: Rule, value: object) -> str:
    """A refused value for the message, unless it may hold a secret."""
    return HIDDEN if isinstance(rule, Secret | DatabaseUrl) else repr(value)


def _flatten(tree: Mapping[str, object], prefix: str, source: str) -> dict[str, object]:
    """{"limits": {"max_bytes": 1}} as {"limits.max_bytes": 1}, refusing names that are no settings."""
    flat: dict[str, object] = {}
    for key, value in tree.items():
        name = prefix + key
        if name in _SECTIONS and isinstance(value, dict):
            flat |= _flatten(value, name + ".", source)
        elif name in _SECTIONS:
            raise SettingsError(f"{source}: {name} is a section, [{name}], not a value")
        elif name not in _SETTINGS:
            raise _unknown(name, (*_SETTINGS, *_SECTIONS), source)
        else:
            flat[name] = value
    return flat


def _unknown(name: str, known: tuple[str, ...], source: str) -> SettingsError:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return SettingsError(f"{source}: {name!r} is no setting; {hint}")


def _variable(name: str) -> str:
    return PREFIX + name.replace(".", "_").upper()


class _Leaf(NamedTuple):
    rule: Rule
    description: str
    default: object


def _leaves(section: object, prefix: str = "") -> Iterator[tuple[str, _Leaf]]:
    """The settings of a section (an instance with the defaults) by their full names."""
    hints = get_type_hints(type(section), include_extras=True)
    for name, hint in hints.items():
        default = getattr(section, name)
        if get_origin(hint) is Annotated:
            _, rule, description = get_args(hint)
            yield prefix + name, _Leaf(rule, description, default)
        elif name != CAMERAS:
            yield from _leaves(default, f"{prefix}{name}.")


def _with_values(section: Any, values: Mapping[str, object], prefix: str = "") -> Any:
    """The section with the values given by their full names in place of its own."""
    changes = {}
    for entry in fields(section):
        name = prefix + entry.name
        if name in _SETTINGS:
            changes[entry.name] = values.get(name, getattr(section, entry.name))
        elif entry.name != CAMERAS:
            changes[entry.name] = _with_values(getattr(section, entry.name), values, name + ".")
    return replace(section, **changes)


_SETTINGS: Final = dict(_leaves(Settings()))
_SECTIONS: Final = tuple(dict.fromkeys(name.rpartition(".")[0] for name in _SETTINGS if "." in name))
