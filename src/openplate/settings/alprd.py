"""Reads Scout's ``alprd.conf``, ``alprd.defaults.conf`` beneath it, and the cameras' files in ``stream.d``.

The open-source daemon's form, a section ``[daemon]`` with a line ``stream = ADDRESS`` for each camera, is read too;
its defaults hold then, and its cameras are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Protocol, get_args, get_origin, get_type_hints

from openplate.errors import SettingsError
from openplate.settings.conf_file import Entry, read_entries
from openplate.settings.rules import Text
from openplate.settings.scout import ScoutCamera, ScoutSettings

__all__ = ["ScoutCamera", "ScoutSettings", "describe_camera_settings", "describe_scout_settings", "load_scout_settings"]

CONF: Final = "alprd.conf"
DEFAULTS: Final = "alprd.defaults.conf"
CAMERAS: Final = "stream.d"
INSTALL_ID: Final = "install_id"
DAEMON: Final = "daemon"
VENDOR_FOLDER: Final = Path("/etc/openalpr")
VENDOR_DEFAULTS: Final = Path("/usr/share/openalpr/config") / DEFAULTS

_DAEMON_DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "analysis_threads": 4,
        "store_plates": False,
        "upload_address": "http://localhost:9000/push/",
        "upload_groups_only": False,
    }
)


class _Rule(Protocol):
    @property
    def accepts(self) -> str: ...

    def from_text(self, text: str) -> object: ...


def load_scout_settings(path: Path, defaults: Path | None = None) -> ScoutSettings:
    """The settings that a folder like ``/etc/openalpr`` holds.

    Args:
        path: the folder, or its ``alprd.conf``.
        defaults: what lies beneath; default: ``alprd.defaults.conf`` in the folder, and for ``/etc/openalpr`` the one
            that Scout installs.

    Raises:
        SettingsError: a file cannot be read, a value is not accepted, or two cameras have one number.
    """
    conf = path / CONF if path.is_dir() else path
    folder = conf.parent
    entries = [*_beneath(folder, defaults), *read_entries(conf)]
    warnings: list[str] = []
    values, streams, is_daemon = _main_values(entries, warnings)
    settings = replace(ScoutSettings(), **(dict(_DAEMON_DEFAULTS) if is_daemon else {}))
    if "upload_data" not in values and "upload_address" in values and not is_daemon:
        values["upload_data"] = True
    settings = replace(settings, **values)
    if settings.upload_data and not settings.company_id:
        raise SettingsError(
            f"{conf}: company_id must be {_RULES['company_id'].accepts}, it is missing; uploads need it"
        )
    cameras = (*_numbered(streams), *_cameras(folder / CAMERAS, warnings))
    _check_numbers(cameras)
    return replace(
        settings,
        agent_uid=_install_id(folder / INSTALL_ID),
        cameras=tuple(camera for camera, _ in cameras),
        warnings=(*warnings, *_without_effect(settings, cameras, set(values))),
    )


def describe_scout_settings() -> tuple[tuple[str, str, object, str], ...]:
    """Key, what it accepts, default and meaning of all that ``alprd.conf`` may say."""
    blank = ScoutSettings()
    return tuple((key, rule.accepts, getattr(blank, key), meaning) for key, (rule, meaning) in _KEYS.items())


def describe_camera_settings() -> tuple[tuple[str, str, str], ...]:
    """Key, what it accepts and meaning of all that a camera's file may say."""
    return tuple((key, rule.accepts, meaning) for key, (rule, meaning) in _CAMERA_KEYS.items())


def _beneath(folder: Path, defaults: Path | None) -> tuple[Entry, ...]:
    if defaults is not None:
        return read_entries(defaults)
    if (folder / DEFAULTS).is_file():
        return read_entries(folder / DEFAULTS)
    return read_entries(VENDOR_DEFAULTS) if folder == VENDOR_FOLDER and VENDOR_DEFAULTS.is_file() else ()


def _main_values(entries: Iterable[Entry], warnings: list[str]) -> tuple[dict[str, Any], list[Entry], bool]:
    """Accepted values by key, the ``stream`` lines, and whether it is the open-source daemon's form."""
    values: dict[str, Any] = {}
    streams: list[Entry] = []
    is_daemon = False
    for entry in entries:
        if entry.section not in ("", DAEMON):
            warnings.append(f"{entry.path}: {entry.key} in the section [{entry.section}] is not read")
            continue
        is_daemon |= entry.section == DAEMON
        if entry.key == "stream":
            streams.append(entry)
        elif entry.key in _RULES:
            values[entry.key] = _accept(entry, _RULES[entry.key])
        else:
            warnings.append(_unknown(entry))
    return values, streams, is_daemon


def _accept(entry: Entry, rule: _Rule) -> object:
    if not entry.text and isinstance(rule, Text):
        return ""
    try:
        return rule.from_text(entry.text)
    except ValueError:
        raise SettingsError(
            f"{entry.path}: {entry.key} must be {rule.accepts}, not {entry.text[:200]!r} (line {entry.line})"
        ) from None


def _unknown(entry: Entry) -> str:
    return f"{entry.path}: {entry.key} is not known here and has no effect (line {entry.line})"


def _numbered(streams: Iterable[Entry]) -> list[tuple[ScoutCamera, Path]]:
    cameras = []
    for number, entry in enumerate(streams, 1):
        if not entry.text:
            raise SettingsError(f"{entry.path}: stream must be an address, it is empty (line {entry.line})")
        camera = ScoutCamera(number, str(_accept(entry, _CAMERA_RULES["stream"])), camera_name=f"cam{number}")
        cameras.append((camera, entry.path))
    return cameras


def _cameras(folder: Path, warnings: list[str]) -> list[tuple[ScoutCamera, Path]]:
    """The files of a folder, by name; other files in it are left alone."""
    if not folder.is_dir():
        return []
    return [(_camera(path, warnings), path) for path in sorted(folder.glob("*.conf"))]


def _camera(path: Path, warnings: list[str]) -> ScoutCamera:
    values: dict[str, Any] = {"camera_name": path.stem}
    for entry in read_entries(path):
        if entry.key in _CAMERA_RULES:
            values[entry.key] = _accept(entry, _CAMERA_RULES[entry.key])
        else:
            warnings.append(_unknown(entry))
    for key in ("camera_id", "stream"):
        if values.get(key) in (None, ""):
            raise SettingsError(f"{path}: {key} must be {_CAMERA_RULES[key].accepts}, it is missing")
    return ScoutCamera(**values)


def _check_numbers(cameras: Iterable[tuple[ScoutCamera, Path]]) -> None:
    where: dict[int, Path] = {}
    for camera, path in cameras:
        if camera.camera_id in where:
            raise SettingsError(
                f"{path}: camera_id must be a number of its own, not {camera.camera_id}, "
                f"which {where[camera.camera_id]} has too"
            )
        where[camera.camera_id] = path


def _install_id(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error


def _without_effect(
    settings: ScoutSettings, cameras: Iterable[tuple[ScoutCamera, Path]], given: set[str]
) -> Iterable[str]:
    if "use_beanstalkd" in given and settings.use_beanstalkd and not settings.upload_data:
        yield "use_beanstalkd has no effect: there is no beanstalkd queue, and without upload_data nothing is sent"
    if settings.gpu_id:
        yield f"gpu_id = {settings.gpu_id} has no effect: the first graphics card is used"
    for camera, path in cameras:
        if camera.gstreamer_format:
            yield f"{path}: gstreamer_format has no effect, {camera.stream} is opened instead"
        if camera.prewarp:
            yield f"{path}: prewarp has no effect, tilted plates are straightened one by one"


def _keys_of(kind: type) -> dict[str, tuple[_Rule, str]]:
    keys = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if get_origin(hint) is Annotated:
            _, rule, meaning = get_args(hint)
            keys[name] = (rule, meaning)
    return keys


_KEYS: Final = _keys_of(ScoutSettings)
_CAMERA_KEYS: Final = _keys_of(ScoutCamera)
_RULES: Final = {key: rule for key, (rule, _) in _KEYS.items()}
_CAMERA_RULES: Final = {key: rule for key, (rule, _) in _CAMERA_KEYS.items()}
