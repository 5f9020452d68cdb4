"""What the arguments of ``openplate alpr`` stand for: pictures, folders, videos, cameras, standard input."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openplate.errors import OpenplateError

if TYPE_CHECKING:
    from openplate.imaging import ImageLimits

PICTURES: Final = (".png", ".jpg", ".jpeg", ".tif", ".bmp", ".gif")
VIDEOS: Final = (".avi", ".mp4", ".webm", ".flv", ".mjpg", ".mjpeg", ".mkv")
_DEVICE = re.compile(r"webcam|/dev/video[0-9]{1,3}")
_ADDRESS = re.compile(r"https?://.", re.IGNORECASE)


class UnknownInput(OpenplateError):
    """An argument is nothing that could hold a plate; the command ends there."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture or frame.

    Attributes:
        name: what is shown of it.
        content: a path, bytes or pixels; None for a frame in which nothing moves.
        frame: its number in a video.
        is_listed: it is one of a folder's, so its name comes before its answer.
        is_alone: it was named itself, so that nothing found is told.
        problem: it could not be had, and why.
        width, height: of a frame, in pixels.
    """

    name: str
    content: Any = None
    frame: int | None = None
    is_listed: bool = False
    is_alone: bool = False
    problem: str = ""
    width: int = 1
    height: int = 1


def expand(
    arguments: Iterable[str], limits: ImageLimits, *, seek_ms: int = 0, gates: bool = False
) -> Iterator[Picture]:
    """All pictures and frames, in the order of the arguments. ``gates``: frames without motion have no content.

    Raises:
        UnknownInput: at its turn, for an argument that is nothing of all that.
        SourceError: a video or a camera cannot be read.
    """
    for argument in arguments:
        extension = os.path.splitext(argument)[1].lower()  # noqa: PTH122
        if argument == "-":
            yield Picture("-", sys.stdin.buffer.read(limits.max_bytes + 1))
        elif argument == "stdin":
            yield from _names(sys.stdin)
        elif _DEVICE.fullmatch(argument):
            yield from _video("usb:0" if argument == "webcam" else argument, seek_ms, gates)
        elif _ADDRESS.match(argument):
            yield from _video(argument, seek_ms, gates)
        elif extension in VIDEOS:
            yield from _video(argument, seek_ms, gates) if Path(argument).exists() else (_missing(argument, "Video"),)
        elif extension in PICTURES:
            yield Picture(argument, argument, is_alone=True) if Path(argument).exists() else _missing(argument)
        elif Path(argument).is_dir():
            yield from _folder(Path(argument))
        else:
            raise UnknownInput(argument)


def _missing(name: str, what: str = "Image") -> Picture:
    return Picture(name, problem=f"{what} file not found: {name}")


def _names(lines: Iterable[str]) -> Iterator[Picture]:
    for line in lines:
        name = line.rstrip("\r\n")
        if name:
            yield Picture(name, name) if Path(name).exists() else _missing(name)


def _folder(folder: Path) -> Iterator[Picture]:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PICTURES and not path.is_dir():
            yield Picture(str(path), str(path), is_listed=True)


def _video(where: str, seek_ms: int, gates: bool) -> Iterator[Picture]:
    from openplate.video import open_source
    from openplate.video.motion import MotionGate

    source = open_source(where)
    gate = MotionGate() if gates else None
    try:
        for frame in source:
            if frame.position_s is not None and frame.position_s * 1000 < seek_ms:
                continue
            moves = gate is None or bool(gate.update(frame))
            content = frame.image.pixels if moves else None
            yield Picture(where, content, frame.index, width=frame.width, height=frame.height)
    finally:
        source.close()
