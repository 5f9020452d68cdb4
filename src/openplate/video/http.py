"""Reading from cameras by HTTP: each picture has a time by which it must be there, however slowly its bytes drip."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
import urllib.request
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit

from openplate.errors import SourceUnavailable
from openplate.video.source import without_password
from openplate.video.values import SourceOptions

WORDS = {
    401: "user name or password is missing or wrong",
    403: "user name or password is missing or wrong",
    404: "the camera has nothing at this path",
    503: "the camera is busy; it may allow fewer viewers",
}


class Deadline:
    """A moment by which everything must be over."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def restart(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left_s(self) -> float:
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        return left_s


class _DeadlineReader(io.RawIOBase):
    """A socket's stream in which no read waits beyond the deadline."""

    def __init__(self, raw: Any, connection: socket.socket, deadline: Deadline) -> None:
        self._raw, self._connection, self._deadline = raw, connection, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._connection.settimeout(self._deadline.left_s())
        return self._raw.readinto(buffer)  # type: ignore[no-any-return]

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def _response_class(deadline: Deadline, answers: list[http.client.HTTPResponse]) -> type[http.client.HTTPResponse]:
    """Answers that keep to the deadline and are noted as they come."""

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **keywords: Any) -> None:
            super().__init__(sock, *arguments, **keywords)
            raw = self.fp.detach()
            self.fp = io.BufferedReader(_DeadlineReader(raw, sock, deadline))
            answers.append(self)

    return Response


class _Handler(urllib.request.AbstractHTTPHandler):
    def __init__(self, deadline: Deadline, answers: list[http.client.HTTPResponse], verify_certificates: bool) -> None:
        super().__init__()
        self._response_class = _response_class(deadline, answers)
        self._verify_certificates = verify_certificates

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, request)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._secure_connection, request)

    def _connection(self, host: str, **keywords: Any) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(host, **keywords)
        connection.response_class = self._response_class
        return connection

    def _secure_connection(self, host: str, **keywords: Any) -> http.client.HTTPSConnection:
        context = ssl.create_default_context()
        if not self._verify_certificates:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, context=context, **keywords)
        connection.response_class = self._response_class
        return connection


class HttpCamera:
    """Requests to one address, with Basic or Digest authentication where it names a user. No proxies."""

    def __init__(self, url: str, options: SourceOptions) -> None:
        self.shown = without_password(url)
        self._options = options
        self._deadline = Deadline(options.open_timeout_s)
        self._answers: list[http.client.HTTPResponse] = []
        self._url, self._opener = self._prepare(url)

    def _prepare(self, url: str) -> tuple[str, urllib.request.OpenerDirector]:
        try:
            parts = urlsplit(url)
            _ = parts.port
            if not parts.hostname:
                raise ValueError("it names no machine")
        except ValueError as error:
            raise SourceUnavailable(f"{self.shown}: not an address of a camera: {error}") from error
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
        opener = urllib.request.OpenerDirector()
        handlers: list[urllib.request.BaseHandler] = [
            _Handler(self._deadline, self._answers, self._options.verify_certificates),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),
        ]
        if parts.username:
            passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            passwords.add_password(None, bare, unquote(parts.username), unquote(parts.password or ""))
            handlers += [
                urllib.request.HTTPBasicAuthHandler(passwords),
                urllib.request.HTTPDigestAuthHandler(passwords),
            ]
        for handler in handlers:
            opener.add_handler(handler)
        return bare, opener

    def open(self) -> http.client.HTTPResponse:
        """The answer, once its headers are there; raises SourceUnavailable."""
        self._deadline.restart(self._options.open_timeout_s)
        answer = None
        request = urllib.request.Request(self._url, headers={"User-Agent": "openplate", "Accept": "*/*"})
        try:
            answer = self._opener.open(request, timeout=self._options.open_timeout_s)
        except HTTPError as error:
            words = WORDS.get(error.code, "the camera reports an error")
            raise SourceUnavailable(f"{self.shown}: {words} (status {error.code})") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceUnavailable(f"{self.shown}: {_explain(error, self._options)}") from error
        finally:
            self._close_all_but(answer)
        assert isinstance(answer, http.client.HTTPResponse)
        return answer

    def _close_all_but(self, wanted: object) -> None:
        """Also the answers that led to another request: a redirect, a demand for a password."""
        for each in self._answers:
            if each is not wanted:
                each.close()
        self._answers.clear()

    def restart_deadline(self) -> None:
        """The next picture must be there within the read timeout from now."""
        self._deadline.restart(self._options.read_timeout_s)


def _explain(error: Exception, options: SourceOptions) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return f"no answer within {options.open_timeout_s:g} s"
    if isinstance(reason, ConnectionRefusedError):
        return "the machine refuses the connection: is the port right, and is the camera's server on?"
    if isinstance(reason, socket.gaierror):
        return "no machine is known by this name"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "its certificate is not trusted; switch the check off for this camera where that is intended"
    if isinstance(reason, http.client.HTTPException | ConnectionError):
        return "what answers there does not speak HTTP, or broke off"
    return f"cannot be reached: {reason}"
