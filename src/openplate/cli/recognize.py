"""``openplate recognize``: the plates of files, folders, globs and standard input, in the formats of many."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openplate.cli.choices import DeviceChoice, ModeChoice, OutputFormat
from openplate.cli.group import FAILED
from openplate.cli.inputs import STANDARD_INPUT, Failure, Input, expand
from openplate.cli.surroundings import SettingsFile, settings_for, surroundings_of
from openplate.cli.work import cores, in_order, peek
from openplate.errors import ImageError

if TYPE_CHECKING:
    from openplate.cli.output import Writer
    from openplate.cli.screen import Screen
    from openplate.datatypes import Recognition
    from openplate.options import RecognitionOptions
    from openplate.pipeline import Recognizer

_THRESHOLD = {"min": 0.0, "max": 1.0}


def recognize(
    context: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders (recursive), globs, or - for standard input.")
    ],
    output: Annotated[OutputFormat, typer.Option("--format", help="How to write the answers.")] = OutputFormat.TEXT,
    annotate: Annotated[
        Path | None,
        typer.Option("--annotate", metavar="DIR", help="Write the pictures there, with what was found drawn in."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="CODE", help="Where plates are from; repeatable. See `openplate regions`."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Keep only texts with exactly a form of the given regions.")
    ] = False,
    mode: Annotated[
        ModeChoice, typer.Option("--mode", help="normal; fast: one pass; redaction: miss as little as possible.")
    ] = ModeChoice.NORMAL,
    threshold_detection: Annotated[
        float | None,
        typer.Option(
            "--threshold-detection", help="Least confidence of a plate; default: the network's.", **_THRESHOLD
        ),
    ] = None,
    threshold_reading: Annotated[
        float, typer.Option("--threshold-reading", help="Below it a plate counts as unread.", **_THRESHOLD)
    ] = 0.2,
    attributes: Annotated[
        bool, typer.Option("--attributes", help="Tell type, make, model, colour and view of each vehicle too.")
    ] = False,
    top: Annotated[int, typer.Option("--top", min=1, help="Most candidates for each plate.")] = 10,
    device: Annotated[DeviceChoice | None, typer.Option("--device", help="Where the networks run.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="Pictures worked on at the same time.")
    ] = None,
    settings_file: SettingsFile = None,
) -> None:
    """Find and read the plates in pictures."""
    _check_arguments(paths, annotate, strict, region)
    options = replace(
        _options(mode, region or [], strict, threshold_detection, threshold_reading, top), attributes=attributes
    )
    settings = settings_for(settings_file, device.value if device else None, workers).settings
    surroundings = surroundings_of(context)
    from openplate.cli.output import writer_for
    from openplate.cli.screen import Screen

    def pictures() -> Iterator[Input | Failure]:
        return expand(paths, skipped=str(annotate) if annotate else None)

    threads, inputs = peek(pictures(), settings.workers or cores())
    recognizer = surroundings.build_recognizer(options, settings, max(1, threads))
    writer = writer_for(output, options, now=surroundings.now)
    # Counting a large folder costs little beside reading it, but nothing where nobody looks.
    total = sum(1 for _ in pictures()) if sys.stderr.isatty() else 0
    work = _work(recognizer, draws=annotate is not None)
    with Screen(total) as screen, closing(in_order(work, inputs, max(1, threads))) as answers:
        report = _Report(screen, writer, annotate, shows_tables=output is OutputFormat.TEXT and sys.stdout.isatty())
        report.begin()
        for picture, answer in answers:
            report.add(picture, answer)
    if report.failures:
        raise typer.Exit(FAILED)


def _check_arguments(paths: list[str], annotate: Path | None, strict: bool, region: list[str] | None) -> None:
    if strict and not region:
        raise typer.BadParameter("needs at least one --region to be strict about", param_hint="--strict")
    check_standard_input(paths)
    if annotate is not None:
        check_output_folder(annotate, paths, "--annotate")


def check_standard_input(paths: list[str]) -> None:
    """BadParameter where standard input is named twice, or is a terminal."""
    if paths.count(STANDARD_INPUT) > 1:
        raise typer.BadParameter("standard input can be read only once", param_hint="PATH...")
    if STANDARD_INPUT in paths and sys.stdin.isatty():
        raise typer.BadParameter("standard input is a terminal; send a picture into it", param_hint="PATH...")


def check_output_folder(folder: Path, paths: list[str], option: str) -> None:
    """BadParameter where the folder to write to is a file, or one of those to read."""
    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is not a folder", param_hint=option)
    target = os.path.realpath(folder)
    if any(path != STANDARD_INPUT and os.path.realpath(path) == target for path in paths):
        raise typer.BadParameter("must be another folder than that of the pictures", param_hint=option)


def _options(
    mode: ModeChoice,
    regions: list[str],
    strict: bool,
    threshold_detection: float | None,
    threshold_reading: float,
    top: int,
) -> RecognitionOptions:
    from openplate.options import RecognitionOptions
    from openplate.regions import certain

    certain(regions)  # told before the networks are loaded
    try:
        return RecognitionOptions(mode.value, tuple(regions), strict, threshold_detection, threshold_reading, top)
    except ValueError as error:  # "nan" passes for a number between 0 and 1
        raise typer.BadParameter(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was recognized in a picture, and the encoded drawing of it where one is wanted."""

    recognition: Recognition
    drawing: bytes | None = None


def _work(recognizer: Recognizer, draws: bool) -> Callable[[Input | Failure], _Answer | Failure]:
    """What threads do with one input."""
    from openplate.cli.annotated import encode_annotated
    from openplate.imaging import Image

    def answer(picture: Input | Failure) -> _Answer | Failure:
        if isinstance(picture, Failure):
            return picture
        try:
            source = read_standard_input(recognizer) if picture.name == STANDARD_INPUT else picture.name
            (recognition,) = recognizer.recognize([source], [picture.name])
            if not draws:
                return _Answer(recognition)
            limits = recognizer.limits
            image = Image.from_path(source, limits) if isinstance(source, str) else Image.from_bytes(source, limits)
            return _Answer(recognition, encode_annotated(image, recognition, picture.place))
        except ImageError as error:
            return Failure(picture.name, str(error).removeprefix(f"{picture.name}: "))
        except MemoryError:
            return Failure(picture.name, "not enough memory for this picture")

    return answer


def read_standard_input(recognizer: Recognizer) -> bytes:
    """One byte more than is allowed at most: enough to be refused."""
    return sys.stdin.buffer.read(recognizer.limits.max_bytes + 1)


class _Report:
    """Takes the answers in order, and writes, draws and counts."""

    def __init__(self, screen: Screen, writer: Writer, annotate: Path | None, *, shows_tables: bool) -> None:
        self.failures = 0
        self._screen = screen
        self._writer = writer
        self._annotate = annotate
        self._shows_tables = shows_tables

    def begin(self) -> None:
        if start := self._writer.begin():
            self._screen.write(start)

    def add(self, picture: Input | Failure, answer: _Answer | Failure) -> None:
        if isinstance(answer, Failure):
            self._fail(answer)
        else:
            self._succeed(picture, answer)
        self._screen.advance()

    def _succeed(self, picture: Input | Failure, answer: _Answer) -> None:
        from openplate.cli.annotated import save_beside_others
        from openplate.cli.readable import terminal_table

        if self._shows_tables:
            self._screen.show(terminal_table(answer.recognition))
        elif text := self._writer.recognition(answer.recognition):
            self._screen.write(text)
        if answer.drawing is not None and self._annotate is not None and isinstance(picture, Input):
            save_beside_others(self._annotate, picture.place, answer.drawing)

    def _fail(self, failure: Failure) -> None:
        from openplate.cli.readable import printable

        self.failures += 1
        if not self._shows_tables:  # on a terminal, standard error says it
            self._screen.write(self._writer.failure(failure))
        self._screen.warn(f"openplate: {printable(failure.name)}: {printable(failure.message)}")
