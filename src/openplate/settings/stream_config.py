"""Reads Stream's ``config.ini``, in either spelling of its webhooks, and writes one where there is none.

Errors name section, key and reason. Stream's own codes stand before those that it has codes for: STR0019 for a receiver
of webhooks that cannot be one, STR0020 for its header, STR0021 for a file that is not of the form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from openplate.errors import OpenplateError, SettingsError
from openplate.formats.stream_names import USER_DATA, check_camera_id, check_pattern
from openplate.ground import Ground
from openplate.regions import get, parse_text_formats
from openplate.settings.stream import FILE_UPLOAD, ListOf, StreamCamera, StreamSettings, StreamWebhook
from openplate.settings.stream_grammar import (
    NOT_WELL_FORMED,
    WRONG_TARGET,
    Place,
    Rule,
    Value,
    accept,
    accepted,
    keys_of,
    read_tree,
    split,
    unknown,
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
_PATTERNS: Final = ("image_format", "csv_file", "jsonlines_file")
_FLAT: Final = ("webhook_header", "webhook_image", "webhook_image_type", "webhook_caching", "webhook_request_timeout")

OVERRIDABLE: Final = (
    *("name", "sample", "total", "regions", "region_config", "detection_rule", "detection_mode", "mmc"),
    *("max_prediction_delay", "memory_decay", "merge_buffer", "max_dwell_delay", "trajectory", "report_static"),
    *("text_formats", "plates_per_vehicle", "max_reconnection_delay", "image_quality", "mask_id"),
    *("video_fps", "video_overlay", "user_data"),
)
"""What whoever uploads a file may say of it: not where files are written, nor who is told."""

WITHOUT_EFFECT: Final = ("name", "video_fps", "video_overlay")

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


def load_stream_settings(path: Path) -> StreamSettings:
    """The settings that a folder like Stream's ``/user-data`` holds.

    Args:
        path: the folder, or its ``config.ini``.

    Raises:
        SettingsError: the file cannot be read, or a value is not accepted.
    """
    file = path / CONFIG if path.is_dir() else path
    tree = read_tree(file)
    warnings: list[str] = []
    values, sections = split(tree)
    for name in sections:
        if name not in ("cameras", "webhooks"):
            warnings.append(unknown(file, f"[{name}]", ("[cameras]", "[webhooks]"), ""))
    settings = replace(StreamSettings(file.parent), **accepted(_TOP, values, Place(file, ()), warnings))
    webhooks = _webhooks(sections.get("webhooks", {}), file, warnings)
    cameras = _cameras(sections.get("cameras", {}), file, webhooks, warnings)
    if not cameras:
        raise SettingsError(f"{file}: [cameras] must have a section for each camera, [[camera-1]], it has none")
    return replace(settings, cameras=cameras, webhooks=tuple(webhooks.values()), warnings=tuple(warnings))


def with_overrides(
    camera: StreamCamera, values: Mapping[str, Sequence[str]], folder: Path
) -> tuple[StreamCamera, tuple[str, ...]]:
    """The camera with other values for some keys, and which of the names given are no keys, or have no effect.

    Args:
        camera: of the settings.
        values: texts by key; several, or one with commas, make a list.
        folder: of ``config.ini``.

    Raises:
        SettingsError: a value is not accepted, or the key is not one of ``OVERRIDABLE``.
    """
    at = Place(Path("upload"), ())
    found: dict[str, Any] = {}
    for key, texts in values.items():
        if key in _CAMERA and key not in OVERRIDABLE:
            raise at.error(f"{key} cannot be set for one file; these can: {', '.join(OVERRIDABLE)}")
        if key in _CAMERA:
            is_list = isinstance(_CAMERA[key][0], ListOf)
            found[key] = accept(_CAMERA[key][0], key, _listed(key, texts) if is_list else texts[-1], at)
    changed = replace(camera, **found)
    _check(changed, at)
    changed = replace(changed, mask=_mask(changed.mask_id, folder, at))
    return changed, tuple(key for key in values if key not in _CAMERA or key in WITHOUT_EFFECT)


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


def _described(keys: Mapping[str, tuple[Rule, str]], blank: object) -> tuple[tuple[str, str, object, str], ...]:
    return tuple((key, rule.accepts, getattr(blank, key), meaning) for key, (rule, meaning) in keys.items())


def _webhooks(tree: Mapping[str, Any], file: Path, warnings: list[str]) -> dict[str, StreamWebhook]:
    values, sections = split(tree)
    accepted({}, values, Place(file, ("webhooks",)), warnings)
    found = {}
    for id, section in sections.items():
        at = Place(file, ("webhooks", id))
        values = _flat(section, at)
        if not values.get("url"):
            raise at.error(f"url must be {_WEBHOOK['url'][0].accepts}, it is missing", WRONG_TARGET)
        found[id] = StreamWebhook(id, **accepted(_WEBHOOK, values, at, warnings))
        if found[id].video:
            warnings.append(f"{at} video has no effect: no clips are recorded")
    return found


def _flat(section: Mapping[str, Any], at: Place) -> dict[str, Value]:
    values, sections = split(section)
    for name in sections:
        raise at.error(f"[[[{name}]]] is one section too deep", NOT_WELL_FORMED)
    return values


def _cameras(
    tree: Mapping[str, Any], file: Path, webhooks: Mapping[str, StreamWebhook], warnings: list[str]
) -> tuple[StreamCamera, ...]:
    defaults, sections = split(tree)
    common = accepted(_CAMERA, defaults, Place(file, ("cameras",)), warnings)
    return tuple(_camera(id, section, common, file, webhooks, warnings) for id, section in sections.items())


def _camera(
    id: str,
    section: Mapping[str, Any],
    common: Mapping[str, Any],
    file: Path,
    webhooks: Mapping[str, StreamWebhook],
    warnings: list[str],
) -> StreamCamera:
    at = Place(file, ("cameras", id))
    try:
        check_camera_id(id)
    except ValueError as error:
        raise at.error(f"is no id of a camera: {error}") from None
    values = {**common, **accepted(_CAMERA, _flat(section, at), at, warnings)}
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


def _check(camera: StreamCamera, at: Place) -> None:
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
    try:
        if camera.ground_points:
            Ground.from_points(camera.ground_points)
    except ValueError as error:
        raise at.error(f"ground_points: {error}") from None


def _camera_without_effect(camera: StreamCamera, at: Place) -> Iterator[str]:
    for key in ("video_fps", "video_overlay"):
        if getattr(camera, key):
            yield f"{at} {key} has no effect: no clips are recorded"
    if camera.trajectory and camera.max_dwell_delay is None:
        yield f"{at} trajectory has no effect without max_dwell_delay"
    if camera.max_dwell_delay is not None and not (camera.webhook_targets or camera.webhook_target):
        yield f"{at} max_dwell_delay has no effect without webhook_targets"


def _source(url: str, folder: Path) -> str:
    """What to open: a path of Stream's container lies in the folder of the file, unless there is such a folder."""
    if url == FILE_UPLOAD or "://" in url:
        return url
    inside = folder / url.removeprefix(USER_DATA)
    return str(inside) if inside.exists() or not Path(url).exists() else url


def _mask(mask_id: str, folder: Path, at: Place) -> Path | None:
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


def _receivers(camera: StreamCamera, webhooks: Mapping[str, StreamWebhook], at: Place) -> tuple[StreamWebhook, ...]:
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


def _from_flat(camera: StreamCamera, key: str, url: str, at: Place) -> StreamWebhook:
    rule = _WEBHOOK["url"][0]
    accept(rule, key, url, at)
    return StreamWebhook(url, url, **{name.removeprefix("webhook_"): getattr(camera, name) for name in _FLAT})


_TOP: Final = keys_of(StreamSettings)
_CAMERA: Final = keys_of(StreamCamera)
_WEBHOOK: Final = keys_of(StreamWebhook)
