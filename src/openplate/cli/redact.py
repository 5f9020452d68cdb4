"""``openplate redact``: pictures with their plates made unreadable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openplate.cli.annotated import output_name, save_beside_others
from openplate.cli.choices import CoveringChoice, DeviceChoice, ModeChoice
from openplate.cli.group import FAILED
from openplate.cli.inputs import STANDARD_INPUT, Failure, Input, expand
from openplate.cli.recognize import check_output_folder, check_standard_input, read_standard_input
from openplate.cli.surroundings import SettingsFile, settings_for, surroundings_of
from openplate.cli.work import cores, in_order, peek
from openplate.errors import ImageError

if TYPE_CHECKING:
    from openplate.pipeline import Recognizer
    from openplate.redaction import Covering
    from openplate.regions.text_formats import TextFormat


def redact(
    context: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders (recursive), globs, or - for standard input.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the pictures are written.")],
    style: Annotated[
        CoveringChoice, typer.Option("--style", help="blur; fill: black; logo: the picture given with --logo.")
    ] = CoveringChoice.BLUR,
    strength: Annotated[
        int, typer.Option("--strength", min=1, max=10, help="Of a blur; unreadable at every strength.")
    ] = 5,
    logo: Annotated[
        Path | None, typer.Option("--logo", metavar="FILE", help="The picture that covers plates; sets --style logo.")
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option("--skip", metavar="FORM", help="Plates whose text has this form stay readable; repeatable."),
    ] = None,
    keep_metadata: Annotated[
        bool,
        typer.Option(
            "--keep-metadata/--strip-metadata",
            help="Keep EXIF, XMP and colour profile, without small copies of the picture.",
        ),
    ] = False,
    mode: Annotated[ModeChoice, typer.Option("--mode", help="How the plates are searched.")] = ModeChoice.REDACTION,
    device: Annotated[DeviceChoice | None, typer.Option("--device", help="Where the networks run.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="Pictures worked on at the same time.")
    ] = None,
    settings_file: SettingsFile = None,
) -> None:
    """Write pictures with their plates made unreadable; the given files stay as they are."""
    check_standard_input(paths)
    check_output_folder(output, paths, "--output")
    forms = _forms(skip or [])
    settings = settings_for(settings_file, device.value if device else None, workers).settings
    from openplate.cli.readable import printable
    from openplate.cli.screen import Screen
    from openplate.options import RecognitionOptions

    threads, inputs = peek(expand(paths, skipped=str(output)), settings.workers or cores())
    options = RecognitionOptions(mode=mode.value)
    recognizer = surroundings_of(context).build_recognizer(options, settings, max(1, threads))
    covering = _covering(style, strength, logo, recognizer)
    work = _work(recognizer, covering, forms, keep_metadata)
    total = sum(1 for _ in expand(paths, skipped=str(output))) if sys.stderr.isatty() else 0
    failures = 0
    with Screen(total) as screen, closing(in_order(work, inputs, max(1, threads))) as answers:
        for picture, answer in answers:
            if isinstance(answer, Failure) or not isinstance(picture, Input):
                failed = answer if isinstance(answer, Failure) else Failure(picture.name, "cannot be read")
                failures += 1
                screen.warn(f"openplate: {printable(failed.name)}: {printable(failed.message)}")
            else:
                path = save_beside_others(output, picture.place, answer.data)
                screen.write(
                    f"{printable(picture.name)}: {answer.covered} covered, written to {printable(str(path))}\n"
                )
            screen.advance()
    if failures:
        raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True)
class _Redacted:
    """The picture file, and how many plates are covered in it."""

    data: bytes
    covered: int


def _forms(patterns: list[str]) -> list[TextFormat]:
    from openplate.regions.text_formats import parse_text_format

    try:
        return [parse_text_format(pattern) for pattern in patterns]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--skip") from error


def _covering(style: CoveringChoice, strength: int, logo: Path | None, recognizer: Recognizer) -> Covering:
    from openplate.imaging import Image
    from openplate.redaction import Covering

    if logo is None:
        if style is CoveringChoice.LOGO:
            raise typer.BadParameter("needs the picture to cover plates with: --logo FILE", param_hint="--style")
        return Covering("fill" if style is CoveringChoice.FILL else "blur", strength)
    return Covering("logo", strength, logo=Image.from_path(logo, recognizer.limits))


def _work(
    recognizer: Recognizer, covering: Covering, forms: list[TextFormat], keep_metadata: bool
) -> Callable[[Input | Failure], _Redacted | Failure]:
    """What threads do with one input."""
    from openplate.imaging import Image, encode_jpeg, encode_png
    from openplate.imaging.metadata import read_metadata, safe_metadata, with_metadata
    from openplate.redaction import areas_of, redact

    def answer(picture: Input | Failure) -> _Redacted | Failure:
        if isinstance(picture, Failure):
            return picture
        try:
            data = (
                read_standard_input(recognizer)
                if picture.name == STANDARD_INPUT
                else _read(picture.name, recognizer.limits.max_bytes)
            )
            image = Image.from_bytes(data, recognizer.limits)
            (found,) = recognizer.recognize([image.pixels])
            hidden = [p for p in found.plates if p.reading is None or not any(f.matches(p.reading.text) for f in forms)]
            covered = redact(image, areas_of(hidden), covering)
            as_png = output_name(picture.place).suffix.lower() == ".png"
            encoded = encode_png(covered) if as_png else encode_jpeg(covered, 95)
            if keep_metadata:
                encoded = with_metadata(encoded, safe_metadata(read_metadata(data)))
            return _Redacted(encoded, len(hidden))
        except ImageError as error:
            return Failure(picture.name, str(error).removeprefix(f"{picture.name}: "))
        except OSError as error:
            return Failure(picture.name, f"cannot be read: {error.strerror or error}")
        except MemoryError:
            return Failure(picture.name, "not enough memory for this picture")

    return answer


def _read(path: str, max_bytes: int) -> bytes:
    """One byte more than is allowed at most: enough to be refused."""
    with Path(path).open("rb") as file:
        return file.read(max_bytes + 1)
