"""HTTP to the outside: one deadline for a whole exchange, checked and pinned addresses, bounded answers.

``Caller`` is the only place that opens connections to addresses that somebody else has named. Proxies and
credentials from the environment are not used: behind a proxy nobody could check the address.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urljoin

import httpcore2
import httpx2

from openplate.delivery.addresses import AddressPolicy, check_url
from openplate.errors import AddressRefused, DeliveryError, RequestError

CONNECT_TIMEOUT_S: Final = 10.0
MOST_ADDRESSES: Final = 4
IDLE_S: Final = 1.0
"""How long a connection waits for the next message; servers close theirs after two seconds and more."""
CHUNK_BYTES: Final = 64 * 2**10


@dataclass(frozen=True, slots=True)
class ConnectionPolicy:
    """Limits on one exchange.

    Attributes:
        addresses: what may be connected to.
        timeout_s: for the whole exchange: name, connection, redirects, sending, the answer to its last byte.
        max_redirects: how many are followed; each is checked like the first address.
        max_answer_bytes: how much of an answer's body is read.
        ca_file: certificates that are trusted beside the system's, as PEM.
    """

    addresses: AddressPolicy = field(default_factory=AddressPolicy)
    timeout_s: float = 30.0
    max_redirects: int = 0
    max_answer_bytes: int = 64 * 2**10
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent: pieces in memory and files, read when they are sent. It can be sent again."""

    content_type: str
    pieces: Sequence[bytes | Path]
    length: int

    @classmethod
    def of(cls, content_type: str, pieces: Sequence[bytes | Path]) -> Body:
        """Raises OSError when a file is not there."""
        length = sum(len(piece) if isinstance(piece, bytes) else piece.stat().st_size for piece in pieces)
        return cls(content_type, tuple(pieces), length)

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            with piece.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: names of headers in lower case; ``is_whole`` is False when the body was longer than allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool
    url: str


class Caller:
    """Makes exchanges one after the other, in one thread; keeps a connection for a moment for the next one."""

    def __init__(self, policy: ConnectionPolicy) -> None:
        self._policy = policy
        self._network = _Network(policy)
        self._pool = httpcore2.ConnectionPool(
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # trusts nobody: _Stream puts its own in its place
            max_connections=1,
            keepalive_expiry=IDLE_S,
            network_backend=self._network,
        )

    def close(self) -> None:
        self._pool.close()

    def abort(self) -> None:
        """Ends the exchange that another thread is in, and all later ones, with DeliveryError."""
        self._network.abort()

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: Body | None = None) -> Answer:
        """Sends a request and reads the answer; a redirect that is not followed is an answer like others.

        Raises:
            AddressRefused: the address, or one it redirects to, may not be connected to.
            RequestError: the URL, or one it redirects to, is none.
            DeliveryError: no whole answer came, for any reason.
        """
        self._network.deadline = time.monotonic() + self._policy.timeout_s
        current, sent = url, dict(headers)
        for _ in range(self._policy.max_redirects):
            answer = self._exchange_once(method, current, sent, body)
            following = _redirect(method, current, answer)
            if following is None:
                return answer
            if _origin(check_url(following)) != _origin(check_url(current)):
                sent = {}  # what was meant for one receiver is not told to another
            current = following
        return self._exchange_once(method, current, sent, body)

    def _exchange_once(self, method: str, url: str, headers: Mapping[str, str], body: Body | None) -> Answer:
        check_url(url)
        request = _request(method, url, headers, body)
        try:
            response = self._pool.handle_request(request)
            try:
                content, is_whole = self._read(response)
            finally:
                response.close()
        except httpcore2.TimeoutException as error:
            raise DeliveryError(f"no answer within {self._policy.timeout_s:g} s") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            raise DeliveryError(str(error) or "the connection was closed without an answer") from error
        answered = {_text(name).lower(): _text(value) for name, value in response.headers}
        return Answer(response.status, answered, content, is_whole, url)

    def _read(self, response: httpcore2.Response) -> tuple[bytes, bool]:
        limit = self._policy.max_answer_bytes
        content = bytearray()
        for chunk in response.iter_stream():
            content += chunk
            if len(content) > limit:
                return bytes(content[:limit]), False
        return bytes(content), True


def _request(method: str, url: str, headers: Mapping[str, str], body: Body | None) -> httpcore2.Request:
    sent = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "openplate"}
    if body is not None:
        sent |= {"content-type": body.content_type, "content-length": str(body.length)}
    sent |= {name.lower(): value for name, value in headers.items()}
    try:
        plain = httpx2.Request(method, url, headers=sent)  # brings the URL into its normal form and names the host
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise RequestError(f"the URL cannot be used: {error}") from error
    parts = plain.url
    target = httpcore2.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)
    return httpcore2.Request(plain.method, target, headers=plain.headers.raw, content=body)


def _text(header: bytes) -> str:
    return header.decode("latin-1")


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _redirect(method: str, url: str, answer: Answer) -> str | None:
    """Where an answer leads, if it is to be followed: a message only where it stays a message (307, 308)."""
    location = answer.headers.get("location")
    followed = (301, 302, 303, 307, 308) if method == "GET" else (307, 308)
    if answer.status not in followed or not location:
        return None
    try:
        following = urljoin(url, location)
    except ValueError as error:
        raise RequestError(f"it redirects to something that is no URL: {error}") from error
    if check_url(url).scheme == "https" and check_url(following).scheme != "https":
        raise AddressRefused("it redirects from https to http, which is not followed")
    return following


class _Network(httpcore2.NetworkBackend):
    """Opens sockets to checked addresses only; everything on them ends at ``deadline`` (monotonic seconds)."""

    def __init__(self, policy: ConnectionPolicy) -> None:
        self._policy = policy
        self.deadline = 0.0
        self._is_aborted = False
        self._link: socket.socket | None = None

    @property
    def trust(self) -> ssl.SSLContext:
        return _trust(self._policy.ca_file)

    def left_s(self) -> float:
        """Seconds until the deadline, more than 0; ReadTimeout after it."""
        left = self.deadline - time.monotonic()
        if left <= 0 or self._is_aborted:
            raise httpcore2.ReadTimeout("the time is over")
        return left

    def now_on(self, link: socket.socket) -> None:
        self._link = link

    def abort(self) -> None:
        self._is_aborted = True
        link = self._link
        if link is not None:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)  # wakes whoever waits on it

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        addresses = self._policy.addresses.allowed_addresses(host, port, self.left_s())
        failure: OSError = OSError("no address")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                link = socket.create_connection((address, port), min(self.left_s(), CONNECT_TIMEOUT_S))
            except OSError as error:
                failure = error
                continue
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.now_on(link)
            return _Stream(link, self)
        if isinstance(failure, TimeoutError):
            raise httpcore2.ConnectError(f"{host} does not accept the connection in time") from failure
        raise httpcore2.ConnectError(f"{host}: {failure.strerror or failure}") from failure


@lru_cache(maxsize=4)
def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """Whom to trust; kept, because reading the system's certificates takes a tenth of a second."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


class _Stream(httpcore2.NetworkStream):
    """A connected socket whose every wait ends at the network's deadline."""

    def __init__(self, link: socket.socket, network: _Network) -> None:
        self._link = link
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        self._link.settimeout(self._network.left_s())
        try:
            return self._link.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        view = memoryview(buffer)
        while view:
            self._link.settimeout(self._network.left_s())
            try:
                view = view[self._link.send(view) :]
            except TimeoutError as error:
                raise httpcore2.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpcore2.WriteError(str(error)) from error

    def close(self) -> None:
        self._link.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        del ssl_context, timeout
        try:
            self._link.settimeout(self._network.left_s())
            secured = self._network.trust.wrap_socket(self._link, server_hostname=server_hostname)
            self._network.now_on(secured)
            return _Stream(secured, self._network)
        except TimeoutError as error:
            self._link.close()
            raise httpcore2.ConnectTimeout(str(error)) from error
        except (OSError, ValueError) as error:
            self._link.close()
            raise httpcore2.ConnectError(f"no secure connection: {error}") from error

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object" and isinstance(self._link, ssl.SSLSocket):
            return self._link
        if info == "is_readable":
            return self._is_readable()
        return None

    def _is_readable(self) -> bool:
        """Whether the other side has sent something, or closed, while nothing was expected."""
        if self._link.fileno() < 0:
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._link, selectors.EVENT_READ)
            return bool(selector.select(0))
