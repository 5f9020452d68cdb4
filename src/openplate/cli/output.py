"""The formats of ``openplate recognize`` except the tables of terminals: a picture's answer as a string."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from openplate.cli.choices import OutputFormat
from openplate.cli.inputs import Failure
from openplate.cli.readable import plain_failure, plain_lines
from openplate.datatypes import Recognition
from openplate.formats import native, openalpr, platerecognizer, table

if TYPE_CHECKING:
    from openplate.options import RecognitionOptions

Clock = Callable[[], datetime]


class Writer(Protocol):
    """Turns answers into what is written, line ends included."""

    def begin(self) -> str: ...

    def recognition(self, recognition: Recognition) -> str: ...

    def failure(self, failure: Failure) -> str: ...


def writer_for(name: OutputFormat, options: RecognitionOptions, *, now: Clock) -> Writer:
    """The writer of a format for what is recognized with these options."""
    if name is OutputFormat.TEXT:
        return _Text()
    if name is OutputFormat.CSV:
        return _Csv(options.attributes)
    if name is OutputFormat.JSON:
        return _JsonLines(native.to_dict, native.error_dict)
    if name is OutputFormat.OPENALPR:
        return _JsonLines(
            lambda answer: openalpr.alpr_results(answer, at=now(), top_n=options.top_n), native.error_dict
        )
    return _JsonLines(
        lambda answer: platerecognizer.snapshot_v1(
            answer,
            filename=answer.source,
            timestamp=now(),
            include_unread=options.mode == "redaction",  # to cover a plate, its text is not needed
            mmc=options.attributes,
        ),
        platerecognizer.error,
    )


class _Text:
    def begin(self) -> str:
        return ""

    def recognition(self, recognition: Recognition) -> str:
        return plain_lines(recognition)

    def failure(self, failure: Failure) -> str:
        return plain_failure(failure.name, failure.message)


class _Csv:
    def __init__(self, attributes: bool) -> None:
        self._attributes = attributes

    def begin(self) -> str:
        return table.header(self._attributes)

    def recognition(self, recognition: Recognition) -> str:
        return table.rows(recognition, self._attributes)

    def failure(self, failure: Failure) -> str:
        return table.error_row(failure.name, failure.message, self._attributes)


class _JsonLines:
    """One object per line, in ASCII: so any file name goes through any pipe and comes out the same."""

    def __init__(
        self, to_dict: Callable[[Recognition], dict[str, object]], error_dict: Callable[[str, str], dict[str, object]]
    ) -> None:
        self._to_dict = to_dict
        self._error_dict = error_dict

    def begin(self) -> str:
        return ""

    def recognition(self, recognition: Recognition) -> str:
        return json.dumps(self._to_dict(recognition)) + "\n"

    def failure(self, failure: Failure) -> str:
        return json.dumps(self._error_dict(failure.name, failure.message)) + "\n"
