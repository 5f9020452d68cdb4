"""Which error is answered how: one table. Nothing of an unexpected error reaches the client."""

from __future__ import annotations

import json
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

    def __init__(self, status: int, detail: str, *, headers: Headers = (), with_status: bool = True) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.with_status = status, detail, headers, with_status


def not_found() -> HttpProblem:
    """As Django REST words it, and without ``status_code``, as it does."""
    return HttpProblem(404, "Not found.", with_status=False)


def method_not_allowed(method: str, allowed: tuple[str, ...]) -> HttpProblem:
    detail = f'Method "{method}" not allowed.'
    return HttpProblem(405, detail, headers=(("allow", ", ".join(allowed)),), with_status=False)


# The first row that fits counts. An error of a network or of our own making is nowhere here: it is a 500.
_STATUSES: Final[tuple[tuple[type[OpenplateError], int], ...]] = (
    (UploadTooLarge, 413),
    (RequestError, 400),
    (ImageError, 400),
    (RegionError, 400),
    (TokenError, 403),
    (RateExceeded, 429),
    (Overloaded, 503),
    (StorageError, 503),
)

_STORAGE_RETRY_S: Final = 10.0  # a full disk or a lost database is seldom mended sooner


def to_json(value: object) -> bytes:
    """Strict, compact JSON in ASCII: no client has to guess an encoding."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def json_response(value: object, status: int = 200, headers: Headers = ()) -> Response:
    return Response(status, to_json(value), JSON, headers)


def error_response(error: BaseException) -> Response:
    """The answer to a request that ended in that error; an error that is not in the table gives a bare 500."""
    if isinstance(error, HttpProblem):
        return _response(error.status, error.detail, error.headers, with_status=error.with_status)
    if isinstance(error, RateExceeded):
        seconds = _whole_seconds(error.retry_after_s)
        unit = "second" if seconds == 1 else "seconds"
        detail = f"Request was throttled. Expected available in {seconds} {unit}."
        return _response(429, detail, (("retry-after", str(seconds)),))
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return _response(status, _detail(error), _retry_headers(error))
    return _response(500, "Internal server error.")


def is_expected(error: BaseException) -> bool:
    """Whether the table has it: the others are faults of the server and belong in the log with their traceback."""
    return isinstance(error, HttpProblem) or any(isinstance(error, kind) for kind, _ in _STATUSES)


def _detail(error: BaseException) -> str:
    if isinstance(error, StorageError):  # its message names files and databases of the server
        return "The server cannot store results at present."
    return str(error)


def _retry_headers(error: BaseException) -> Headers:
    if isinstance(error, Overloaded):
        return (("retry-after", str(_whole_seconds(error.retry_after_s))),)
    if isinstance(error, StorageError):
        return (("retry-after", str(_whole_seconds(_STORAGE_RETRY_S))),)
    return ()


def _whole_seconds(seconds: float) -> int:
    return max(1, math.ceil(seconds)) if math.isfinite(seconds) else 1


def _response(status: int, detail: str, headers: Headers = (), *, with_status: bool = True) -> Response:
    body: Mapping[str, object] = {"detail": detail, "status_code": status} if with_status else {"detail": detail}
    return json_response(body, status, headers)
