"""``openplate evaluate tracking``: following and reporting vehicles on sequences with known truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openplate.cli.choices import DeviceChoice, ModeChoice
from openplate.cli.report_output import check_json_file, print_tables, write_json
from openplate.cli.surroundings import SettingsFile, settings_for, surroundings_of

if TYPE_CHECKING:
    from openplate.evaluation.tracking import SequenceAnswer, SequenceTruth
    from openplate.video_pipeline import GroupPicture, Recognizes

Sequences = Annotated[
    Path, typer.Argument(metavar="DATA", help="A folder of sequences: folders with pictures and a list truth.jsonl.")
]
Every = Annotated[int, typer.Option("--sample", min=1, help="Look at one of so many pictures.")]
Mode = Annotated[ModeChoice, typer.Option("--mode", help="How the plates are searched.")]
JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the metrics there as JSON.")]
Device = Annotated[DeviceChoice | None, typer.Option("--device", help="Where the networks run.")]

_START = datetime(2026, 1, 1, tzinfo=UTC)  # times in the sequences count from any moment


def tracking(
    context: typer.Context,
    data: Sequences,
    sample: Every = 1,
    mode: Mode = ModeChoice.NORMAL,
    json_file: JsonFile = None,
    device: Device = None,
    settings_file: SettingsFile = None,
) -> None:
    """Vehicles followed and reported: one report each with the right text; HOTA, IDF1, MOTA."""
    from openplate.evaluation.tracking import evaluate_tracking, read_sequences
    from openplate.options import RecognitionOptions

    check_json_file(json_file)
    truths = read_sequences(data, every=sample)
    settings = settings_for(settings_file, device.value if device else None).settings
    recognizer = surroundings_of(context).build_recognizer(RecognitionOptions(mode=mode.value), settings, 1)
    report = evaluate_tracking(truths, [_watch(recognizer, truth) for truth in truths])
    print_tables(report.tables())
    if json_file is not None:
        write_json(json_file, report)


def _watch(recognizer: Recognizes, truth: SequenceTruth) -> SequenceAnswer:
    from openplate.evaluation.tracking import SequenceAnswer
    from openplate.imaging import Image
    from openplate.imaging.frame import Frame
    from openplate.video_pipeline import VideoRecognizer

    video = VideoRecognizer(recognizer, camera=truth.name)
    frames = []
    groups: list[GroupPicture] = []
    for index, each in enumerate(truth.frames):
        at = _START + timedelta(seconds=each.at_s)
        seen = video.feed(Frame(Image.from_path(each.path), truth.name, index, at, each.at_s))
        if seen.recognition is not None:
            frames.append((seen.recognition, seen.tracks))
        groups += seen.groups
    groups += video.close().groups
    return SequenceAnswer(tuple(frames), tuple(each.group for each in groups))
