"""The sections ``[cameras.NAME]``: any number of them, each as strict as the rest of the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from openplate.errors import SettingsError
from openplate.settings.camera_rules import CameraAddress
from openplate.settings.rules import Rule
from openplate.settings.watch import CameraSettings

CAMERAS: Final = "cameras"

_NAME = re.compile(r"[^\W_][\w -]{0,99}")


def read_cameras(tree: object, source: str) -> tuple[CameraSettings, ...]:
    """The cameras of a file, in its order.

    Raises:
        SettingsError: a name is unknown, a value is not accepted, or two cameras have one number.
    """
    if not isinstance(tree, Mapping):
        raise SettingsError(f"{source}: {CAMERAS} is a section with one for each camera, [{CAMERAS}.NAME]")
    cameras = tuple(_camera(str(name), section, source) for name, section in tree.items())
    numbers: dict[int, str] = {}
    for place, camera in enumerate(cameras, 1):
        number = place if camera.number is None else camera.number
        if number in numbers:
            raise SettingsError(
                f"{source}: {CAMERAS}.{camera.name}.number must be a number of its own, not {number}, "
                f"which {numbers[number]} has too"
            )
        numbers[number] = camera.name
    return cameras


def describe_camera_settings() -> tuple[tuple[str, str, object, str], ...]:
    """Name, what it accepts, default and meaning of all that a camera's section may say."""
    blank = CameraSettings()
    return tuple((name, rule.accepts, getattr(blank, name), meaning) for name, (rule, meaning) in _KEYS.items())


def shown_camera_values(camera: CameraSettings) -> dict[str, object]:
    """A camera's values by their names as others may see them."""
    return {name: rule.shown(getattr(camera, name)) for name, (rule, _) in _KEYS.items()}


def _camera(name: str, section: object, source: str) -> CameraSettings:
    place = f"{CAMERAS}.{name}"
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{source}: a camera's name is 1 to 100 letters, digits, spaces, _ and -, not {name[:120]!r}"
        )
    if not isinstance(section, Mapping):
        raise SettingsError(f"{source}: {place} is a section, [{place}], not a value")
    values = dict(_accepted(place, section, source))
    if "url" not in values:
        raise SettingsError(f"{source}: {place}.url must be {_KEYS['url'][0].accepts}, it is missing")
    return CameraSettings(name=name, **values)


def _accepted(place: str, section: Mapping[str, Any], source: str) -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(_KEYS)}"
            raise SettingsError(f"{source}: {place + '.' + key!r} is no setting; {hint}")
        rule, _ = _KEYS[key]
        try:
            yield key, rule.from_value(value)
        except ValueError:
            told = "this" if isinstance(rule, CameraAddress) else repr(value)[:200]
            raise SettingsError(f"{source}: {place}.{key} must be {rule.accepts}, not {told}") from None


def _keys() -> Iterator[tuple[str, tuple[Rule, str]]]:
    for name, hint in get_type_hints(CameraSettings, include_extras=True).items():
        if get_origin(hint) is Annotated:
            _, rule, meaning = get_args(hint)
            yield name, (rule, meaning)


_KEYS: Final = dict(_keys())
