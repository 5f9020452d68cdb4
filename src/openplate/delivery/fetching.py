"""Pictures from addresses that clients name (``upload_url``)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from openplate.delivery.addresses import check_url
from openplate.delivery.connections import Answer, Caller, ConnectionPolicy
from openplate.errors import DeliveryError, RequestError, UploadTooLarge

LONGEST_NAME: Final = 200
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f-\x9f"\\/:*?<>|\u2028\u2029\ud800-\udfff]')


def fetch(url: str, policy: ConnectionPolicy) -> tuple[bytes, str]:
    """The bytes at a URL and the name of the file there ("upload" where the URL has none).

    The bytes are as they came, at most ``policy.max_answer_bytes``; whether they are a picture shows when they
    are decoded.

    Raises:
        AddressRefused: not an address that may be connected to, or one that redirects to such an address.
        UploadTooLarge: there is more than the limit.
        RequestError: it could not be fetched; the message says why.
    """
    check_url(url)
    try:
        with Caller(policy) as caller:
            answer = caller.exchange("GET", url, {"accept": "image/*, */*;q=0.5"})
    except DeliveryError as error:
        raise RequestError(f"upload_url could not be fetched: {error}") from error
    _check(answer, policy)
    return answer.body, filename_of(answer.url)


def _check(answer: Answer, policy: ConnectionPolicy) -> None:
    if 300 <= answer.status < 400:
        raise RequestError(f"upload_url redirects more than {policy.max_redirects} times")
    if answer.status != 200:
        raise RequestError(f"upload_url answers with HTTP status {answer.status}")
    if not answer.is_whole:
        raise UploadTooLarge(f"the file at upload_url exceeds {policy.max_answer_bytes} bytes")
    if answer.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise RequestError("upload_url answers with compressed content, which was not asked for")
    if not answer.body:
        raise RequestError("the file at upload_url is empty")


def filename_of(url: str) -> str:
    """The last part of a URL's path as a file name that can do no harm in a path or a header."""
    return safe_filename(unquote(check_url(url).path, errors="replace"))


def safe_filename(name: str) -> str:
    """The last part of a path, without characters that paths and headers treat specially; "upload" for none."""
    last = re.split(r"[/\\]", name)[-1]
    clean = _NOT_IN_NAMES.sub("_", last).strip(" .")
    return clean[-LONGEST_NAME:] or "upload"
