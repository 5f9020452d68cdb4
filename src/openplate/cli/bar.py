"""The progress bar; a file of its own because rich takes its time to load."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class _RateColumn(ProgressColumn):
    """Steps in a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")


def make_bar(console: Console, unit: str) -> Progress:
    """A bar with what is done, the rate and the time left; it leaves what others write alone."""
    return Progress(
        TextColumn(unit),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        redirect_stdout=False,
        redirect_stderr=False,
    )
