"""Which error is answered how: one table. Nothing of an unexpected error reaches the client."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from openplate.errors import (
    ImageError,
    OpenplateError,
    Overloaded,
    RateExceeded,
    RegionError,
    RequestError,
    StorageError,
    TokenError,
    UploadTooLarge,
)
from openplate.formats import platerecognizer

JSON: Final = "application/json"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer: it is always sent with its length, never in chunks."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Headers = ()


class HttpProblem(OpenplateError):
    """What only HTTP knows: no such page, a method that is not allowed, a body that came too slowly."""

    def __init__(self, status: int, body: Mapping[str, object], headers: Headers = ()) -> None:
        super().__init__(body["detail"])
        self.status, self.body, self.headers = status, body, headers

    @classmethod
    def of(cls, status: int, detail: str) -> HttpProblem:
        """With the usual body."""
        return cls(status, platerecognizer.failure(status, detail))


def not_found() -> HttpProblem:
    return HttpProblem(404, platerecognizer.not_found())


def method_not_allowed(method: str, allowed: tuple[str, ...]) -> HttpProblem:
    return HttpProblem(405, platerecognizer.method_not_allowed(method), (("allow", ", ".join(allowed)),))


# The first row that fits counts. An error of a network or of our own making is nowhere here: it is a 500.
_STATUSES: Final[tuple[tuple[type[OpenplateError], int], ...]] = (
    (UploadTooLarge, 413),
    (RequestError, 400),
    (ImageError, 400),
    (RegionError, 400),
    (TokenError, 403),
    (Overloaded, 503),
    (StorageError, 503),
)

_STORAGE_RETRY_S: Final = 10.0  # a full disk or a lost database is seldom mended sooner


def json_response(value: Mapping[str, object], status: int = 200, headers: Headers = ()) -> Response:
    return Response(status, platerecognizer.encode(value), JSON, headers)


def error_response(error: BaseException) -> Response:
    """The answer to a request that ended in that error; an error that is not in the table gives a bare 500."""
    if isinstance(error, HttpProblem):
        return json_response(error.body, error.status, error.headers)
    if isinstance(error, RateExceeded):
        return json_response(platerecognizer.throttled(error.retry_after_s), 429, _retry(error.retry_after_s))
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return json_response(platerecognizer.failure(status, _detail(error)), status, _retry_headers(error))
    return json_response(platerecognizer.failure(500, "Internal server error."), 500)


def is_expected(error: BaseException) -> bool:
    """Whether the table has it: the others are faults of the server and belong in the log with their traceback."""
    kinds = (HttpProblem, RateExceeded, *(kind for kind, _ in _STATUSES))
    return isinstance(error, kinds)


def _detail(error: BaseException) -> str:
    if isinstance(error, StorageError):  # its message names files and databases of the server
        return "The server cannot store results at present."
    return str(error).encode("utf-8", "replace").decode()  # it may quote what cannot be encoded


def _retry_headers(error: BaseException) -> Headers:
    if isinstance(error, Overloaded):
        return _retry(error.retry_after_s)
    return _retry(_STORAGE_RETRY_S) if isinstance(error, StorageError) else ()


def _retry(seconds: float) -> Headers:
    return (("retry-after", str(max(1, math.ceil(seconds)))),)
