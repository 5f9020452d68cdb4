"""Standard output and standard error, shared with a progress bar; rich is loaded only where it is needed."""

from __future__ import annotations

import io
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress, TaskID

_FEW = 4


class Screen:
    """Use it in a ``with`` statement. ``total``: how many steps there will be; more than a few get a bar on
    standard error, if that is a terminal.
    """

    def __init__(self, total: int, unit: str = "pictures") -> None:
        self._total = total
        self._unit = unit
        self._console: Console | None = None
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Names need no form in the terminal's encoding, and a format's line ends stay what they are.
            sys.stdout.reconfigure(errors="backslashreplace", newline="")

    def __enter__(self) -> Self:
        if self._total > _FEW and sys.stderr.isatty():
            self._start_bar()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def write(self, text: str) -> None:
        """On standard output, at once, so that a reader of the pipe need not wait."""
        if self._progress is not None and sys.stdout.isatty():
            self._progress.console.out(text, end="", highlight=False)
        else:
            sys.stdout.write(text)
            sys.stdout.flush()

    def show(self, renderable: RenderableType) -> None:
        """On standard output, which is a terminal."""
        console = self._terminal() if self._progress is None else self._progress.console
        console.print(renderable, highlight=False)

    def warn(self, text: str) -> None:
        """One line on standard error."""
        if self._progress is not None:
            self._progress.console.out(text, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def advance(self) -> None:
        """One step is done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)

    def _terminal(self) -> Console:
        if self._console is None:
            from rich.console import Console

            self._console = Console()
        return self._console

    def _start_bar(self) -> None:
        from rich.console import Console

        from openplate.cli.bar import make_bar

        # A terminal that shows both must be drawn on by one hand only.
        console = self._terminal() if sys.stdout.isatty() else Console(stderr=True)
        self._progress = make_bar(console, self._unit)
        self._task = self._progress.add_task("", total=self._total)
        self._progress.start()
