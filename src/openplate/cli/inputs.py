"""What the arguments of a command stand for: files, folders, globs and standard input, one after another."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import has_magic, iglob
from pathlib import PurePath

EXTENSIONS = frozenset(
    (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
)
STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """A picture to read: the path as it will be shown, and its place below the argument that named it."""

    name: str
    place: PurePath


@dataclass(frozen=True, slots=True)
class Failure:
    """Something named that cannot be read, and why."""

    name: str
    message: str


def expand(arguments: Sequence[str], skipped: str | None = None) -> Iterator[Input | Failure]:
    """The pictures that the arguments name, in their order, folders recursively and sorted.

    In folders, files count as pictures by their extension; names that begin with a dot are passed over, and so is
    the folder ``skipped``. A name that is a file is taken as it is.
    """
    avoided = None if skipped is None else os.path.realpath(skipped)
    for argument in arguments:
        if argument == STANDARD_INPUT:
            yield Input(STANDARD_INPUT, PurePath("stdin"))
        elif os.path.lexists(argument) or not has_magic(argument):
            yield from _named(argument, avoided)
        else:
            yield from _matching(argument, avoided)


def is_picture(name: str) -> bool:
    """Whether a file's extension is that of a picture."""
    return os.path.splitext(name)[1].lower() in EXTENSIONS  # noqa: PTH122


def _named(path: str, avoided: str | None) -> Iterator[Input | Failure]:
    if os.path.isdir(path):  # noqa: PTH112
        yield from _or_none(_in_folder(path, PurePath(), avoided), path, "no pictures in this folder")
    else:
        yield Input(path, PurePath(PurePath(path).name or "picture"))


def _matching(pattern: str, avoided: str | None) -> Iterator[Input | Failure]:
    """What a shell would have put in the pattern's place; ``**`` reaches into folders, for pictures only."""
    yield from _or_none(_matches(pattern, avoided), pattern, "no file matches")


def _matches(pattern: str, avoided: str | None) -> Iterator[Input | Failure]:
    reaches_inside = "**" in pattern
    for path in sorted(iglob(pattern, recursive=True)):  # noqa: PTH207
        if not os.path.isdir(path):  # noqa: PTH112
            if not reaches_inside or (is_picture(path) and not _is_below(path, avoided)):
                yield Input(path, PurePath(PurePath(path).name))
        elif not reaches_inside:
            yield from _in_folder(path, PurePath(PurePath(path).name), avoided)


def _or_none(found: Iterator[Input | Failure], name: str, message: str) -> Iterator[Input | Failure]:
    first = next(found, None)
    if first is None:
        yield Failure(name, message)
    else:
        yield first
        yield from found


def _in_folder(folder: str, place: PurePath, avoided: str | None) -> Iterator[Input | Failure]:
    """Sorted by name; linked folders are not entered, for they may lead round in a circle."""
    if avoided is not None and os.path.realpath(folder) == avoided:
        return
    try:
        with os.scandir(folder) as found:
            entries = sorted((e.name, _is_folder(e)) for e in found if not e.name.startswith("."))
    except OSError as error:
        yield Failure(folder, f"cannot be read: {error.strerror or error}")
        return
    for name, is_folder in entries:
        path = os.path.join(folder, name)  # noqa: PTH118
        if is_folder:
            yield from _in_folder(path, place / name, avoided)
        elif is_picture(name) and not os.path.isdir(path):  # noqa: PTH112
            yield Input(path, place / name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_below(path: str, folder: str | None) -> bool:
    return folder is not None and PurePath(os.path.realpath(path)).is_relative_to(folder)
