"""The pictures in a multipart stream, as cameras write it: with a wrong length, without one, with stray lines."""

from __future__ import annotations

import re

_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"(?mi)^content-length:[ \t]*(\d{1,12})[ \t]*\r?$")
_MOST_HEADER_BYTES = 16_384
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


class MultipartParser:
    """Bytes in, bodies of parts out.

    What counts is the boundary. A Content-Length is believed only where a whole JPEG ends there; then its part
    need not wait for the boundary that begins the next. Raises ValueError for a part that exceeds ``most_bytes``.
    """

    def __init__(self, boundary: str, most_bytes: int) -> None:
        self._mark = b"--" + boundary.encode("latin-1", "replace").removeprefix(b"--")
        self._most_bytes = most_bytes
        self._data = bytearray()
        self._body_at: int | None = None  # where the body of the part at hand begins, None: between parts
        self._length: int | None = None
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes]:
        self._data += data
        bodies: list[bytes] = []
        while (body := self._take()) is not None:
            if body:
                bodies.append(body)
        return bodies

    def _take(self) -> bytes | None:
        """The next body; an empty one where a part was empty; None where more data are needed."""
        if self._body_at is None and not self._find_part():
            return None
        assert self._body_at is not None
        body = self._body_by_length(self._body_at)
        return self._body_by_boundary(self._body_at) if body is None else body

    def _find_part(self) -> bool:
        start = self._data.find(self._mark)
        if start < 0:
            del self._data[: max(len(self._data) - len(self._mark), 0)]
            return False
        end = _HEADERS_END.search(self._data, start)
        if end is None:
            if len(self._data) - start > _MOST_HEADER_BYTES:
                raise ValueError("a part of the stream has endless headers")
            return False
        length = _LENGTH.search(self._data, start, end.end())
        self._length = int(length[1]) if length else None
        self._body_at = self._searched = end.end()
        return True

    def _body_by_length(self, start: int) -> bytes | None:
        if not self._length or len(self._data) < start + self._length:
            return None
        body = bytes(self._data[start : start + self._length])
        if body.startswith(_JPEG_START) and body.endswith(_JPEG_END):
            self._forget(start + self._length)
            return body
        self._length = None
        return None

    def _body_by_boundary(self, start: int) -> bytes | None:
        end = self._data.find(self._mark, self._searched)
        if end < 0:
            self._searched = max(len(self._data) - len(self._mark), start)
            if len(self._data) - start > self._most_bytes:
                raise ValueError(f"a picture of the stream exceeds the limit of {self._most_bytes:,} bytes")
            return None
        body = bytes(self._data[start:end])
        self._forget(end)
        return body.removesuffix(b"\n").removesuffix(b"\r")

    def _forget(self, until: int) -> None:
        del self._data[:until]
        self._body_at = self._length = None
        self._searched = 0
