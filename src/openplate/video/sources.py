"""Which kind of source an address names, and opening it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from openplate.errors import SourceUnavailable
from openplate.video import libav
from openplate.video.clock import SteadyClock
from openplate.video.folder import FolderSource
from openplate.video.source import Source, without_password
from openplate.video.values import SourceOptions
from openplate.video.web import open_web

DEFAULT_OPTIONS = SourceOptions()
ACCEPTED = "video files, folders of pictures, rtsp://, rtsps://, http://, https:// and usb:0 are accepted"
_DEVICE = re.compile(r"usb:(\d{1,3})|(/dev/video\d{1,3})")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
STREAMS = ("rtsp", "rtsps", "http", "https")


def is_live(where: str | os.PathLike[str]) -> bool:
    """Whether an address is a camera's, to be watched by a LiveCamera; files and folders end by themselves."""
    name = os.fspath(where)
    return bool(_SCHEME.match(name) or _DEVICE.fullmatch(name))


def open_source(
    where: str | os.PathLike[str],
    options: SourceOptions = DEFAULT_OPTIONS,
    *,
    name: str | None = None,
    clock: SteadyClock | None = None,
) -> Source:
    """The frames of a video file, a folder of pictures, a camera's URL (RTSP, MJPEG, snapshots) or ``usb:0``.

    ``name`` is what frames have as their source; without one it is the address, less what is secret in it.
    Raises SourceUnavailable.
    """
    place = os.fspath(where)
    name = name or without_password(place)
    device, scheme = _DEVICE.fullmatch(place), _SCHEME.match(place)
    if device:
        path = Path(device[2] or f"/dev/video{int(device[1])}")
        return libav.open_device(path, options, name, clock or SteadyClock())
    if scheme and scheme[1].lower() not in STREAMS:
        raise SourceUnavailable(f"{without_password(place)}: no source begins with {scheme[0]}; {ACCEPTED}")
    if scheme and scheme[1].lower().startswith("http"):
        web = open_web(place, options, name, clock or SteadyClock())
        if web is not None:
            return web
    if scheme:
        return libav.open_stream(place, options, name, clock or SteadyClock())
    return _open_path(Path(place), options, name)


def _open_path(path: Path, options: SourceOptions, name: str) -> Source:
    try:
        if path.is_dir():
            return FolderSource(path, options, name)
        return libav.open_file(path, options, name)
    except (OSError, ValueError) as error:
        raise SourceUnavailable(f"{str(path)!r}: cannot be read: {error}") from error
