"""multipart/form-data whose file is too large to be held: it goes to the disk as it comes in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO, Final

from openplate.api.multipart import parse_parameters
from openplate.api.uploads import file_name
from openplate.errors import RequestError

_HEADER_BYTES: Final = 8192
_PREAMBLE_BYTES: Final = 8192
_LINE: Final = b"\r\n"
_DISPOSITION: Final = re.compile(rb"(?:^|\r\n)content-disposition:[ \t]*([^\r\n]*)", re.IGNORECASE)


class StreamedForm:
    """Takes a body piece by piece, however it is cut; no more of it is held than a boundary, headers or a field need.

    Attributes:
        fields: texts by name, each name's in their order.
        filename: the last part of the name that the file was sent with; None until it begins.
    """

    def __init__(
        self,
        boundary: str,
        open_file: Callable[[], BinaryIO],
        *,
        file_field: str = "upload",
        max_parts: int = 100,
        max_field_bytes: int = 65_536,
    ) -> None:
        """
        Args:
            boundary: as the Content-Type header has it.
            open_file: called when the file begins; closed by ``close``.
            file_field: the field of the file; files of other fields are read past.
            max_parts, max_field_bytes: more is refused.

        Raises:
            RequestError: no usable boundary.
        """
        if not 1 <= len(boundary) <= 200 or not boundary.isascii():
            raise RequestError("The Content-Type header has no usable boundary for the parts of the form.")
        self.fields: dict[str, tuple[str, ...]] = {}
        self.filename: str | None = None
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._open_file, self._file_field = open_file, file_field
        self._max_parts, self._max_field_bytes = max_parts, max_field_bytes
        self._held = bytearray(_LINE)  # so that a boundary at the very beginning follows a line break too
        self._step: Callable[[], bool] = self._preamble
        self._parts = 0
        self._name = ""
        self._file: BinaryIO | None = None
        self._text: bytearray | None = None
        self._is_first = False

    def feed(self, data: bytes) -> None:
        """The next bytes. Raises RequestError for what is no such form, OSError where the file cannot be written."""
        self._held += data
        while self._step():
            pass

    def finish(self) -> None:
        """No more will come. Raises RequestError where something is missing."""
        if self._step != self._epilogue:
            raise RequestError("The form ends within a part: its last boundary is missing. Was the upload cut off?")

    def close(self) -> None:
        """Closes the file, in any case."""
        if self._file is not None:
            self._file.close()

    def _preamble(self) -> bool:
        found = self._held.find(self._delimiter)
        if found < 0:
            if len(self._held) > _PREAMBLE_BYTES:
                raise RequestError(
                    "The body has no part: the boundary that the Content-Type header names is not in it."
                )
            return False
        del self._held[: found + len(self._delimiter)]
        self._step = self._after_boundary
        return True

    def _after_boundary(self) -> bool:
        """``--`` ends the form, a line break begins a part; RFC 2046 allows spaces before it."""
        if self._held.startswith(b"--"):
            self._step = self._epilogue
            return True
        end = self._held.find(_LINE)
        if end < 0 and len(self._held) < 64:
            return False
        if end < 0 or self._held[:end].strip(b" \t"):
            raise RequestError("The form has a line that begins with its boundary but is none.")
        self._parts += 1
        if self._parts > self._max_parts:
            raise RequestError(f"The form has more than {self._max_parts} parts.")
        del self._held[:end]  # the line break stays: it begins the headers, or stands for none
        self._step = self._headers
        return True

    def _headers(self) -> bool:
        end = self._held.find(_LINE + _LINE)
        if end < 0:
            if len(self._held) > _HEADER_BYTES:
                raise RequestError("A part of the form has headers that do not end or are too long.")
            return False
        head = _DISPOSITION.search(bytes(self._held[:end]))
        _, parameters = parse_parameters(head[1].decode("utf-8", "replace") if head else "")
        del self._held[: end + 2]  # an empty part shares its line break with the boundary
        self._begin_part(parameters)
        self._step = self._data
        return True

    def _begin_part(self, parameters: dict[str, str]) -> None:
        self._name = parameters.get("name", "")
        if not self._name:
            raise RequestError("A part of the form has no name.")
        self._text = None
        self._is_first = True
        if self._name == self._file_field:
            if self._file is not None:
                raise RequestError(f"The form has more than one file {self._file_field!r}.")
            self._file = self._open_file()
            self.filename = file_name(parameters.get("filename") or self._file_field)
        elif "filename" not in parameters:
            self._text = bytearray()

    def _data(self) -> bool:
        """What is held begins with the line break after the headers; of an empty part it is the boundary's too."""
        found = self._held.find(self._delimiter)
        ready = found if found >= 0 else len(self._held) - len(self._delimiter) + 1
        if ready >= (len(_LINE) if self._is_first else 1):
            self._take(bytes(self._held[:ready]))
            del self._held[:ready]
        if found < 0:
            return False
        self._end_part()
        del self._held[: len(self._delimiter)]
        self._step = self._after_boundary
        return True

    def _take(self, data: bytes) -> None:
        if self._is_first:
            data = data[len(_LINE) :]
            self._is_first = False
        if self._name == self._file_field and self._file is not None:
            self._file.write(data)
        elif self._text is not None:
            self._text += data
            if len(self._text) > self._max_field_bytes:
                raise RequestError(f"The field {self._name[:60]!r} is longer than {self._max_field_bytes} bytes.")

    def _end_part(self) -> None:
        if self._text is not None:
            text = self._text.decode("utf-8", "replace")
            self.fields[self._name] = (*self.fields.get(self._name, ()), text)

    def _epilogue(self) -> bool:
        self._held.clear()
        return False
