"""``openplate evaluate``: the standard metrics of the field on labelled pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openplate.cli import evaluate_tracking
from openplate.cli.choices import DeviceChoice, ModeChoice, SplitChoice
from openplate.cli.report_output import check_json_file, print_tables, write_json
from openplate.cli.surroundings import SettingsFile, settings_for, surroundings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openplate.cli.measuring import Measurement
    from openplate.evaluation import Mistake, Report
    from openplate.evaluation.dataset import Split

app = typer.Typer(
    help="Measure on labelled pictures: a folder with pictures and one JSON Lines list.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("tracking")(evaluate_tracking.tracking)

Data = Annotated[Path, typer.Argument(metavar="DATA", help="A folder with one *.jsonl list, or the list itself.")]
Part = Annotated[SplitChoice | None, typer.Option("--split", help="Only this part; default: all.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="NAME", help="Only this set; repeatable.")]
JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the metrics there as JSON.")]
Errors = Annotated[
    Path | None,
    typer.Option("--errors", metavar="DIR", help="Write what went wrong there, with truth and answer drawn in."),
]
Device = Annotated[DeviceChoice | None, typer.Option("--device", help="Where the networks run.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many pictures, spread over the list.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, max=256, help="Pictures worked on at the same time.")]
Mode = Annotated[ModeChoice, typer.Option("--mode", help="How the plates are searched.")]


@dataclass(frozen=True, slots=True)
class _Selection:
    """Which samples of which list."""

    data: Path
    split: SplitChoice | None
    sets: list[str] | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class _Output:
    """Where besides the screen the results go."""

    json_file: Path | None
    errors: Path | None


@dataclass(frozen=True, slots=True)
class _Machine:
    """What runs the networks."""

    device: DeviceChoice | None
    workers: int | None
    settings_file: Path | None


@app.command()
def detection(
    context: typer.Context,
    data: Data,
    split: Part = None,
    sets: Sets = None,
    mode: Mode = ModeChoice.NORMAL,
    json_file: JsonFile = None,
    errors: Errors = None,
    device: Device = None,
    limit: Limit = None,
    workers: Workers = None,
    settings_file: SettingsFile = None,
) -> None:
    """Plates and vehicles found in scenes: recall, false plates, average precision, corners."""
    from openplate.cli.measuring import DetectionMeasurement

    selection, output = _Selection(data, split, sets, limit), _Output(json_file, errors)
    _evaluate(context, DetectionMeasurement(mode.value), selection, output, _Machine(device, workers, settings_file))


@app.command()
def reading(
    context: typer.Context,
    data: Data,
    split: Part = None,
    sets: Sets = None,
    json_file: JsonFile = None,
    errors: Errors = None,
    device: Device = None,
    limit: Limit = None,
    workers: Workers = None,
    settings_file: SettingsFile = None,
) -> None:
    """Texts of plate crops: exact texts, character errors, calibration.

    Read from the labelled corners, or where there are none from those found in the labelled box.
    """
    from openplate.cli.measuring import ReadingMeasurement

    selection, output = _Selection(data, split, sets, limit), _Output(json_file, errors)
    _evaluate(context, ReadingMeasurement(), selection, output, _Machine(device, workers, settings_file))


@app.command()
def region(
    context: typer.Context,
    data: Data,
    split: Part = None,
    sets: Sets = None,
    json_file: JsonFile = None,
    errors: Errors = None,
    device: Device = None,
    limit: Limit = None,
    workers: Workers = None,
    settings_file: SettingsFile = None,
) -> None:
    """Countries, states and provinces of plate crops, from look and text together.

    Judged from the labelled corners, or where there are none from those found in the labelled box.
    """
    from openplate.cli.measuring import RegionMeasurement

    selection, output = _Selection(data, split, sets, limit), _Output(json_file, errors)
    _evaluate(context, RegionMeasurement(), selection, output, _Machine(device, workers, settings_file))


@app.command()
def plates(
    context: typer.Context,
    data: Data,
    split: Part = None,
    sets: Sets = None,
    mode: Mode = ModeChoice.NORMAL,
    json_file: JsonFile = None,
    errors: Errors = None,
    device: Device = None,
    limit: Limit = None,
    workers: Workers = None,
    settings_file: SettingsFile = None,
) -> None:
    """The whole system on scenes: plates found and read, end to end."""
    from openplate.cli.measuring import PlatesMeasurement

    selection, output = _Selection(data, split, sets, limit), _Output(json_file, errors)
    _evaluate(context, PlatesMeasurement(mode.value), selection, output, _Machine(device, workers, settings_file))


@app.command()
def attributes(
    context: typer.Context,
    data: Data,
    split: Part = None,
    sets: Sets = None,
    json_file: JsonFile = None,
    errors: Errors = None,
    plots: Annotated[
        Path | None,
        typer.Option("--plots", metavar="DIR", help="Draw confusion matrices and calibration there, for each set too."),
    ] = None,
    device: Device = None,
    limit: Limit = None,
    workers: Workers = None,
    settings_file: SettingsFile = None,
) -> None:
    """Type, make, model, body, years, colour and view of vehicles, on crops of them or on scenes."""
    from openplate.cli.measuring import AttributesMeasurement
    from openplate.evaluation import AttributesReport, write_plots

    _check_folder(plots, "--plots")
    selection, output = _Selection(data, split, sets, limit), _Output(json_file, errors)
    report = _evaluate(context, AttributesMeasurement(), selection, output, _Machine(device, workers, settings_file))
    if plots is not None:
        assert isinstance(report, AttributesReport)
        typer.echo(f"{write_plots(plots, report)} plots: {plots}")


def _evaluate(
    context: typer.Context,
    measurement: Measurement[Any, Any],
    selection: _Selection,
    output: _Output,
    machine: _Machine,
) -> Report:
    from openplate.cli.measuring import answer_all, spread
    from openplate.cli.work import cores

    _check_output(output)
    split: Split | None = selection.split.value if selection.split else None
    samples = spread(list(measurement.read(selection.data, split, selection.sets or ())), selection.limit)
    settings = settings_for(
        machine.settings_file, machine.device.value if machine.device else None, machine.workers
    ).settings
    workers = min(settings.workers or cores(), len(samples))
    recognizer = surroundings_of(context).build_recognizer(measurement.options, settings, workers)
    answers = answer_all(measurement, recognizer, samples, workers)
    report = measurement.report(recognizer, samples, answers)
    print_tables(report.tables())
    if output.json_file is not None:
        write_json(output.json_file, report)
    if output.errors is not None:
        count = _write_gallery(output.errors, measurement.mistakes(recognizer, samples, answers))
        typer.echo(f"{count} pictures with mistakes: {output.errors}")
    return report


def _check_output(output: _Output) -> None:
    check_json_file(output.json_file)
    _check_folder(output.errors, "--errors")


def _check_folder(folder: Path | None, option: str) -> None:
    if folder is not None and folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is not a folder", param_hint=option)


def _write_gallery(folder: Path, mistakes: Iterable[Mistake]) -> int:
    from openplate.evaluation import ErrorGallery
    from openplate.imaging import Image

    with ErrorGallery(folder) as gallery:
        for mistake in mistakes:
            gallery.add(Image.from_path(mistake.path), mistake)
    return gallery.count
