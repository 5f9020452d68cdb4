"""Reads Stream's ``config.ini``, in either spelling of its webhooks, and writes one where there is none.

Errors name section, key and reason. Stream's own codes stand before those that it has codes for: STR0019 for a receiver
of webhooks that cannot be one, STR0020 for its header, STR0021 for a file that is not of the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Protocol, get_args, get_origin, get_type_hints

from openplate.errors import OpenplateError, SettingsError
from openplate.formats.stream_names import USER_DATA, check_camera_id, check_pattern
from openplate.regions import get, parse_text_formats
from openplate.settings.rules import HIDDEN, Text
from openplate.settings.stream import (
    FILE_UPLOAD,
    HeaderLine,
    ListOf,
    Receiver,
    StreamCamera,
    StreamSettings,
    StreamWebhook,
)

__all__ = [
    "StreamCamera",
    "StreamSettings",
    "StreamWebhook",
    "describe_stream_camera",
    "describe_stream_settings",
    "describe_stream_webhook",
    "load_stream_settings",
    "with_overrides",
    "write_default_config",
]

CONFIG: Final = "config.ini"
MASKS: Final = "masks"
WRONG_TARGET: Final = "STR0019"
WRONG_HEADER: Final = "STR0020"
NOT_WELL_FORMED: Final = "STR0021"

_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_PATTERNS: Final = ("image_format", "csv_file", "jsonlines_file")
_FLAT: Final = ("webhook_header", "webhook_image", "webhook_image_type", "webhook_caching", "webhook_request_timeout")

OVERRIDABLE: Final = (
    *("name", "sample", "total", "regions", "region_config", "detection_rule", "detection_mode", "mmc"),
    *("max_prediction_delay", "memory_decay", "merge_buffer", "max_dwell_delay", "trajectory", "report_static"),
    *("text_formats", "plates_per_vehicle", "max_reconnection_delay", "image_quality", "mask_id"),
    *("video_fps", "video_overlay", "user_data"),
)
"""What whoever uploads a file may say of it: not where files are written, nor who is told."""

_DEFAULT: Final = """\
# Cameras that Openplate watches, in the words of Plate Recognizer's Stream.
# Lines that begin with # say nothing. Changes take effect after a restart.
timezone = UTC
config_change_restart = no

[cameras]
  # What stands here holds for every camera that does not say otherwise.
  # regions = us-ca, mx
  image_format = $(camera)_screenshots/%y-%m-%d/%H-%M-%S.%f.jpg
  csv_file = $(camera)_%y-%m-%d.csv
  # jsonlines_file = $(camera)_%y-%m-%d.jsonl
  # mmc = yes
  # detection_mode = vehicle
  # webhook_targets = office

  [[camera-1]]
    active = no
    url = rtsp://192.168.0.108:554/stream

# [webhooks]
#   [[office]]
#     url = http://192.168.0.2:8001/
#     image = yes
#     image_type = vehicle
"""

_Value = str | list[str]


class _Rule(Protocol):
    @property
    def accepts(self) -> str: ...


def load_stream_settings(path: Path) -> StreamSettings:
    """The settings that a folder like Stream's ``/user-data`` holds.

    Args:
        path: the folder, or its ``config.ini``.

    Raises:
        SettingsError: the file cannot be read, or a value is not accepted.
    """
    file = path / CONFIG if path.is_dir() else path
    tree = _read(file)
    warnings: list[str] = []
    values, sections = _split(tree)
    for name in sections:
        if name not in ("cameras", "webhooks"):
            warnings.append(_unknown(file, f"[{name}]", ("[cameras]", "[webhooks]"), ""))
    settings = replace(StreamSettings(file.parent), **_accepted(_TOP, values, _At(file, ()), warnings))
    webhooks = _webhooks(sections.get("webhooks", {}), file, warnings)
    cameras = _cameras(sections.get("cameras", {}), file, webhooks, warnings)
    if not cameras:
        raise SettingsError(f"{file}: [cameras] must have a section for each camera, [[camera-1]], it has none")
    return replace(settings, cameras=cameras, webhooks=tuple(webhooks.values()), warnings=tuple(warnings))


def with_overrides(
    camera: StreamCamera, values: Mapping[str, Sequence[str]], folder: Path
) -> tuple[StreamCamera, tuple[str, ...]]:
    """The camera with other values for some keys, and which of the names given are no keys of a camera.

    Args:
        camera: of the settings.
        values: texts by key; several, or one with commas, make a list.
        folder: of ``config.ini``.

    Raises:
        SettingsError: a value is not accepted, or the key is not one of ``OVERRIDABLE``.
    """
    at = _At(Path("upload"), ())
    found: dict[str, Any] = {}
    for key, texts in values.items():
        if key in _CAMERA and key not in OVERRIDABLE:
            raise at.error(f"{key} cannot be set for one file; these can: {', '.join(OVERRIDABLE)}")
        if key in _CAMERA:
            is_list = isinstance(_CAMERA[key][0], ListOf)
            found[key] = _accept(_CAMERA[key][0], key, _listed(key, texts) if is_list else texts[-1], at)
    changed = replace(camera, **found)
    _check(changed, at)
    changed = replace(changed, mask=_mask(changed.mask_id, folder, at))
    return changed, tuple(key for key in values if key not in _CAMERA)


def _listed(key: str, texts: Sequence[str]) -> list[str]:
    """Regular expressions may have commas in them, so each is a value of its own."""
    if key == "text_formats":
        return list(texts)
    return [part.strip() for text in texts for part in text.split(",")]


def write_default_config(folder: Path) -> Path:
    """Writes ``config.ini`` with its comments where there is none yet, and gives its path.

    Raises:
        SettingsError: it cannot be written.
    """
    path = folder / CONFIG
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\r\n") as file:
            file.write(_DEFAULT)
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error
    return path


def describe_stream_settings() -> tuple[tuple[str, str, object, str], ...]:
    """Key, what it accepts, default and meaning of what stands before the sections."""
    return _described(_TOP, StreamSettings(Path()))


def describe_stream_camera() -> tuple[tuple[str, str, object, str], ...]:
    """The same of a camera's keys."""
    return _described(_CAMERA, StreamCamera("", ""))


def describe_stream_webhook() -> tuple[tuple[str, str, object, str], ...]:
    """The same of the keys in a section of ``[webhooks]``."""
    return _described(_WEBHOOK, StreamWebhook("", ""))


def _described(keys: Mapping[str, tuple[_Rule, str]], blank: object) -> tuple[tuple[str, str, object, str], ...]:
    return tuple((key, rule.accepts, getattr(blank, key), meaning) for key, (rule, meaning) in keys.items())


def _read(file: Path) -> dict[str, Any]:
    """The tree of the file: texts, lists of texts and sections."""
    try:
        from configobj import ConfigObj, ConfigObjError
    except ImportError as error:
        raise SettingsError(
            f"{file}: reading it needs configobj, which is not installed: pip install 'openplate[stream]'"
        ) from error
    try:
        lines = _LINE_END.split(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: {NOT_WELL_FORMED}: it is no text in UTF-8") from error
    try:
        tree: dict[str, Any] = ConfigObj(lines, interpolation=False).dict()
    except ConfigObjError as error:
        first = (getattr(error, "errors", None) or [error])[0]
        raise SettingsError(f"{file}: {NOT_WELL_FORMED}: {str(first).rstrip('.')}") from None
    return tree


def _split(tree: Mapping[str, Any]) -> tuple[dict[str, _Value], dict[str, dict[str, Any]]]:
    """The values of a section, and the sections in it."""
    values = {key: value for key, value in tree.items() if not isinstance(value, dict)}
    return values, {key: value for key, value in tree.items() if isinstance(value, dict)}


class _At:
    """A place in the file, as messages name it."""

    def __init__(self, file: Path, sections: Sequence[str]) -> None:
        self.file = file
        self._names = " ".join("[" * depth + name + "]" * depth for depth, name in enumerate(sections, 1))

    def __str__(self) -> str:
        return f"{self.file}: {self._names}" if self._names else f"{self.file}:"

    def wrong(self, key: str, rule: _Rule, value: object) -> SettingsError:
        code = WRONG_TARGET if isinstance(rule, Receiver) else WRONG_HEADER if isinstance(rule, HeaderLine) else ""
        told = HIDDEN if isinstance(rule, HeaderLine) else repr(value)[:200]
        return self.error(f"{key} must be {rule.accepts}, not {told}", code)

    def error(self, sentence: str, code: str = "") -> SettingsError:
        place = f"{self.file}: {code}:" if code else f"{self.file}:"
        return SettingsError(f"{place} {self._names} {sentence}" if self._names else f"{place} {sentence}")


def _accepted(
    keys: Mapping[str, tuple[_Rule, str]], values: Mapping[str, _Value], at: _At, warnings: list[str]
) -> dict[str, Any]:
    """The values by key, each of its type; unknown keys become warnings."""
    found = {}
    for key, value in values.items():
        if key in keys:
            found[key] = _accept(keys[key][0], key, value, at)
        else:
            warnings.append(_unknown(at, key, tuple(keys), " and has no effect"))
    return found


def _accept(rule: _Rule, key: str, value: _Value, at: _At) -> object:
    try:
        if isinstance(rule, ListOf):
            return rule.from_values([value] if isinstance(value, str) else value)
        text = value if isinstance(value, str) else _joined(value) if isinstance(rule, Text) else None
        if text == "" and isinstance(rule, Text):
            return ""
        if text is None:
            raise ValueError
        accepted: object = rule.from_text(text)  # type: ignore[attr-defined]
    except ValueError:
        raise at.wrong(key, rule, value) from None
    return accepted


def _joined(parts: Sequence[str]) -> str:
    """A text that has commas and is not quoted comes as a list; in addresses no space follows a comma."""
    return ("," if parts and "://" in parts[0] else ", ").join(parts)


def _unknown(at: _At | Path, key: str, known: Sequence[str], consequence: str) -> str:
    near = get_close_matches(key, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    place = f"{at}:" if isinstance(at, Path) else str(at)
    return f"{place} {key} is not known here{consequence}{hint}"


def _webhooks(tree: Mapping[str, Any], file: Path, warnings: list[str]) -> dict[str, StreamWebhook]:
    values, sections = _split(tree)
    _accepted({}, values, _At(file, ("webhooks",)), warnings)
    found = {}
    for id, section in sections.items():
        at = _At(file, ("webhooks", id))
        values = _flat(section, at)
        if not values.get("url"):
            raise at.error(f"url must be {_WEBHOOK['url'][0].accepts}, it is missing", WRONG_TARGET)
        webhook = StreamWebhook(id, **_accepted(_WEBHOOK, values, at, warnings))
        found[id] = webhook
        warnings.extend(_webhook_without_effect(webhook, at))
    return found


def _webhook_without_effect(webhook: StreamWebhook, at: _At) -> Iterator[str]:
    if not webhook.caching:
        yield f"{at} caching = no has no effect: what cannot be delivered is kept and sent later"
    if webhook.video:
        yield f"{at} video has no effect: no clips are recorded"


def _flat(section: Mapping[str, Any], at: _At) -> dict[str, _Value]:
    values, sections = _split(section)
    for name in sections:
        raise at.error(f"[[[{name}]]] is one section too deep", NOT_WELL_FORMED)
    return values


def _cameras(
    tree: Mapping[str, Any], file: Path, webhooks: Mapping[str, StreamWebhook], warnings: list[str]
) -> tuple[StreamCamera, ...]:
    defaults, sections = _split(tree)
    common = _accepted(_CAMERA, defaults, _At(file, ("cameras",)), warnings)
    return tuple(_camera(id, section, common, file, webhooks, warnings) for id, section in sections.items())


def _camera(
    id: str,
    section: Mapping[str, Any],
    common: Mapping[str, Any],
    file: Path,
    webhooks: Mapping[str, StreamWebhook],
    warnings: list[str],
) -> StreamCamera:
    at = _At(file, ("cameras", id))
    try:
        check_camera_id(id)
    except ValueError as error:
        raise at.error(f"is no id of a camera: {error}") from None
    values = {**common, **_accepted(_CAMERA, _flat(section, at), at, warnings)}
    if not values.get("url"):
        raise at.error(f"url must be {_CAMERA['url'][0].accepts}, it is missing")
    camera = StreamCamera(id, **values)
    _check(camera, at)
    warnings.extend(_camera_without_effect(camera, at))
    return replace(
        camera,
        source=_source(camera.url, file.parent),
        mask=_mask(camera.mask_id, file.parent, at),
        webhooks=_receivers(camera, webhooks, at),
    )


def _check(camera: StreamCamera, at: _At) -> None:
    """What no single rule can tell."""
    for key in _PATTERNS:
        pattern = getattr(camera, key)
        try:
            if pattern:
                check_pattern(pattern, camera.id)
        except ValueError as error:
            raise at.error(f"{key}: {error}") from None
    try:
        for code in camera.regions:
            get(code)
    except OpenplateError as error:
        raise at.error(f"regions: {error}") from None
    try:
        parse_text_formats(camera.text_formats)
    except (OpenplateError, ValueError) as error:
        raise at.error(f"text_formats: {error}") from None


def _camera_without_effect(camera: StreamCamera, at: _At) -> Iterator[str]:
    for key in ("video_fps", "video_overlay"):
        if getattr(camera, key):
            yield f"{at} {key} has no effect: no clips are recorded"
    if camera.total != -1:
        yield f"{at} total has no effect: cameras are watched until the end"
    if camera.trajectory and camera.max_dwell_delay is None:
        yield f"{at} trajectory has no effect without max_dwell_delay"
    if not camera.webhook_caching:
        yield f"{at} webhook_caching = no has no effect: what cannot be delivered is kept and sent later"


def _source(url: str, folder: Path) -> str:
    """What to open: a path of Stream's container lies in the folder of the file, unless there is such a folder."""
    if url == FILE_UPLOAD or "://" in url:
        return url
    inside = folder / url.removeprefix(USER_DATA)
    return str(inside) if inside.exists() or not Path(url).exists() else url


def _mask(mask_id: str, folder: Path, at: _At) -> Path | None:
    if not mask_id:
        return None
    try:
        check_camera_id(mask_id)
    except ValueError as error:
        raise at.error(f"mask_id: {error}") from None
    for suffix in (".png", ".jpg"):
        path = folder / MASKS / f"{mask_id}{suffix}"
        if path.is_file():
            return path
    raise at.error(f"mask_id must be the name of a picture {MASKS}/ID.png, there is no {MASKS}/{mask_id}.png")


def _receivers(camera: StreamCamera, webhooks: Mapping[str, StreamWebhook], at: _At) -> tuple[StreamWebhook, ...]:
    """By name or, in the older spelling, by address."""
    named = [("webhook_targets", name) for name in camera.webhook_targets]
    if camera.webhook_target:
        named.append(("webhook_target", camera.webhook_target))
    found: dict[str, StreamWebhook] = {}
    for key, name in named:
        if name in webhooks:
            found[name] = webhooks[name]
        elif "://" in name:
            found[name] = _from_flat(camera, key, name, at)
        else:
            near = get_close_matches(name, list(webhooks), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise at.error(
                f"{key} names {name!r}, which is no section of [webhooks] and no address{hint}", WRONG_TARGET
            )
    return tuple(found.values())


def _from_flat(camera: StreamCamera, key: str, url: str, at: _At) -> StreamWebhook:
    rule = _WEBHOOK["url"][0]
    _accept(rule, key, url, at)
    return StreamWebhook(url, url, **{name.removeprefix("webhook_"): getattr(camera, name) for name in _FLAT})


def _keys_of(kind: Any) -> dict[str, tuple[_Rule, str]]:
    hints = get_type_hints(kind, include_extras=True)
    keys = {}
    for each in fields(kind):
        if get_origin(hints[each.name]) is Annotated:
            _, rule, meaning = get_args(hints[each.name])
            keys[each.name] = (rule, meaning)
    return keys


_TOP: Final = _keys_of(StreamSettings)
_CAMERA: Final = _keys_of(StreamCamera)
_WEBHOOK: Final = _keys_of(StreamWebhook)
