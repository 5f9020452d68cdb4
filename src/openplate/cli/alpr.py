"""``openplate alpr``: the command line of OpenALPR's open-source release, its flags, its outputs, its exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from openplate.cli.group import FAILED
from openplate.cli.surroundings import SettingsFile, settings_for, surroundings_of
from openplate.errors import ImageError, SettingsError

if TYPE_CHECKING:
    from openplate.cli.alpr_inputs import Picture
    from openplate.cli.surroundings import Surroundings
    from openplate.datatypes import Recognition
    from openplate.pipeline import Recognizer

COUNTRIES: Final = ("us", "eu", "au", "auwide", "br", "br2", "fr", "gb", "in", "kr", "kr2", "mx", "sg", "vn2")
"""The sets of plates that the open-source release has; one network reads them all here, but for those below."""
UNREAD: Final = {"kr": "Korean letters", "kr2": "Korean letters"}
_WRONG_USAGE: Any = typer.BadParameter.__bases__[0]  # whichever click typer has brought along
_SHORT: Final = {"auwide": "au", "br2": "br", "vn2": "vn"}


class AlprCommand(TyperCommand):
    """Wrong arguments end with 1, as with the original."""

    def invoke(self, ctx: Any) -> Any:
        with _FailsPlainly():
            return super().invoke(ctx)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        with _FailsPlainly():
            return super().make_context(*arguments, **options)


class _FailsPlainly:
    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if isinstance(error, _WRONG_USAGE):
            error.exit_code = FAILED


def _show_version(asked: bool) -> None:
    if asked:
        from openplate import __version__

        typer.echo(f"openplate alpr version: {__version__}")
        raise typer.Exit


def alpr(
    context: typer.Context,
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Pictures, folders, videos, webcam, /dev/videoN, addresses of MJPEG streams, - for a picture on "
            "standard input, stdin for names on it.",
        ),
    ],
    country: Annotated[str, typer.Option("--country", "-c", help="The plates that are expected.")] = "us",
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="An openalpr.conf; of it must_match_pattern has an effect."),
    ] = None,
    topn: Annotated[int, typer.Option("--topn", "-n", min=1, max=1000, help="Most candidates for each plate.")] = 10,
    seek: Annotated[int, typer.Option("--seek", min=0, help="Where to begin in a video, in milliseconds.")] = 0,
    pattern: Annotated[
        str, typer.Option("--pattern", "-p", metavar="CODE", help="Region whose forms of plates are preferred.")
    ] = "",
    motion: Annotated[bool, typer.Option("--motion", help="Skip frames of a video in which nothing moves.")] = False,
    clock: Annotated[bool, typer.Option("--clock", help="Tell the time that each plate took.")] = False,
    detect_region: Annotated[
        bool, typer.Option("--detect_region", "-d", help="Tell the region of each plate.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", "-j", help="One JSON object per picture or frame.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Accepted and without effect.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    settings_file: SettingsFile = None,
) -> None:
    """Read plates as OpenALPR's `alpr` does: the same flags, text, JSON and exit codes."""
    del debug, version
    _check_country(country)
    region = _region(country, pattern)
    strict = _must_match(config)
    surroundings = surroundings_of(context)
    from openplate.cli.alpr_inputs import UnknownInput, expand
    from openplate.options import RecognitionOptions

    options = RecognitionOptions(regions=(region,) if region else (), strict=strict and bool(region), top_n=topn)
    settings = settings_for(settings_file, None).settings
    recognizer = surroundings.build_recognizer(options, settings, 1)
    printer = _Printer(surroundings, topn, as_json, clock, has_pattern=bool(region), detects_region=detect_region)
    try:
        for picture in expand(inputs, recognizer.limits, seek_ms=seek, gates=motion):
            _work(recognizer, printer, picture)
    except UnknownInput:
        typer.echo("Unknown file type", err=True)
        raise typer.Exit(FAILED) from None


def _check_country(country: str) -> None:
    from openplate.regions import codes

    if country in UNREAD:
        raise typer.BadParameter(
            f"no network here reads {UNREAD[country]}: there is none for {country}", param_hint="-c"
        )
    if country not in COUNTRIES and country not in codes():
        raise typer.BadParameter(f"there is no country {country!r}; there are {', '.join(COUNTRIES)}", param_hint="-c")


def _region(country: str, pattern: str) -> str:
    """The code of the region table: bare codes of states belong to the country."""
    from openplate.regions import codes

    if not pattern:
        return ""
    known = codes()
    code = pattern.lower()
    for each in (f"{_SHORT.get(country, country)}-{code}", code):
        if each in known:
            return each
    raise typer.BadParameter(f"there is no region {pattern!r} of {country}; see `openplate regions`", param_hint="-p")


def _must_match(config: Path | None) -> bool:
    if config is None:
        return False
    from openplate.settings.conf_file import read_entries

    try:
        entries = read_entries(config)
    except SettingsError as error:
        raise typer.BadParameter(str(error), param_hint="--config") from error
    given = [entry.text for entry in entries if entry.key == "must_match_pattern"]
    return bool(given) and given[-1] == "1"


def _work(recognizer: Recognizer, printer: _Printer, picture: Picture) -> None:
    from openplate.datatypes import Recognition

    if picture.problem:
        typer.echo(picture.problem, err=True)
        return
    printer.announce(picture)
    if picture.content is None:  # nothing moves
        printer.answer(picture, Recognition(picture.name, picture.width, picture.height))
        return
    try:
        (recognition,) = recognizer.recognize([picture.content], [picture.name])
    except ImageError as error:
        typer.echo(f"{picture.name}: {str(error).removeprefix(f'{picture.name}: ')}", err=True)
        return
    printer.answer(picture, recognition)


class _Printer:
    """What goes to standard output, at once, so that a reader of a pipe need not wait."""

    def __init__(
        self,
        surroundings: Surroundings,
        top_n: int,
        as_json: bool,
        shows_time: bool,
        *,
        has_pattern: bool,
        detects_region: bool,
    ) -> None:
        self._now = surroundings.now
        self._top_n, self._as_json, self._shows_time = top_n, as_json, shows_time
        self._has_pattern, self._detects_region = has_pattern, detects_region

    def announce(self, picture: Picture) -> None:
        if picture.is_listed:
            self._write(f"{picture.name}\n")
        if picture.frame is not None and not self._as_json:
            self._write(f"Frame: {picture.frame}\n")

    def answer(self, picture: Picture, recognition: Recognition) -> None:
        from openplate.formats.openalpr import alpr_results
        from openplate.formats.openalpr_text import alpr_text

        shown = self._shown(recognition)
        if self._as_json:
            import json

            answer = alpr_results(shown, at=self._now(), top_n=self._top_n, prefers_matching=self._has_pattern)
            self._write(json.dumps(answer, separators=(",", ":")) + "\n")
            return
        text = alpr_text(shown, top_n=self._top_n, shows_time=self._shows_time, has_pattern=self._has_pattern)
        self._write(text or ("No license plates found.\n" if picture.is_alone else ""))

    def _shown(self, recognition: Recognition) -> Recognition:
        """Regions where they are asked for, matches where there is a region to match."""
        from dataclasses import replace

        plates = []
        for plate in recognition.plates:
            if plate.reading is None:
                continue
            reading = plate.reading
            if not self._detects_region:
                reading = replace(reading, regions=())
            if not (self._has_pattern or reading.regions):
                candidates = tuple(replace(candidate, matches_pattern=False) for candidate in reading.candidates)
                reading = replace(reading, candidates=candidates)
            plates.append(replace(plate, reading=reading))
        return replace(recognition, plates=tuple(plates))

    @staticmethod
    def _write(text: str) -> None:
        if text:
            sys.stdout.write(text)
            sys.stdout.flush()
