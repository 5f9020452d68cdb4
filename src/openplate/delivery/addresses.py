"""Which addresses Openplate may connect to, and which URLs are worth a try.

A name is resolved once for each connection and the connection is made to one of the addresses that were
checked, so that a name server that changes its answer gains nothing.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from openplate.errors import AddressRefused, DeliveryError, RequestError

LONGEST_URL: Final = 2048
HUNG_LOOKUPS: Final = 16
"""Threads that may wait for a name server that does not answer; more look-ups fail at once."""


class Reach(Enum):
    """Who is behind an address."""

    PUBLIC = auto()
    PRIVATE = auto()
    """This machine or this network."""
    NEVER = auto()
    """Nobody that is to be spoken to: link-local, the clouds' metadata services, multicast, reserved."""


def _v4(*networks: str) -> tuple[IPv4Network, ...]:
    return tuple(IPv4Network(each) for each in networks)


def _v6(*networks: str) -> tuple[IPv6Network, ...]:
    return tuple(IPv6Network(each) for each in networks)


_METADATA: Final = frozenset(
    ip_address(each)
    for each in (
        "100.100.100.200",  # Alibaba, inside the shared range
        "168.63.129.16",  # Azure, looks public
        "fd00:ec2::254",  # Amazon, inside the private range
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
    )
)
_NEVER_V4: Final = _v4(
    "0.0.0.0/8",
    "169.254.0.0/16",  # link-local, and the metadata services of most clouds
    "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is Oracle's metadata service
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
_PRIVATE_V4: Final = _v4(
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15"
)
_PRIVATE_V6: Final = _v6("::1/128", "fc00::/7", "fec0::/10")
_PUBLIC_V6: Final = IPv6Network("2000::/3")
_NEVER_V6: Final = _v6("2001:db8::/32", "3fff::/20", "5f00::/16")
_TEREDO: Final = IPv6Network("2001::/23")  # with the other protocol assignments
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_TRANSLATED: Final = _v6("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)


def reach_of(address: IPv4Address | IPv6Address) -> Reach:
    """Who is behind an address. IPv6 forms that carry an IPv4 address pass only where that one is public."""
    if address in _METADATA:
        return Reach.NEVER
    if isinstance(address, IPv4Address):
        if any(address in network for network in _NEVER_V4):
            return Reach.NEVER
        return Reach.PRIVATE if any(address in network for network in _PRIVATE_V4) else Reach.PUBLIC
    if any(address in network for network in _PRIVATE_V6):
        return Reach.PRIVATE
    carried = _carried(address)
    if carried is not None:
        return Reach.PUBLIC if reach_of(carried) is Reach.PUBLIC else Reach.NEVER
    is_public = address in _PUBLIC_V6 and address not in _TEREDO
    return Reach.PUBLIC if is_public and not any(address in network for network in _NEVER_V6) else Reach.NEVER


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this one may end up at."""
    number = int(address)
    if address in _SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    is_isatap = (number >> 32 & 0xFFFFFFFF) in _ISATAP
    if is_isatap or any(address in network for network in _TRANSLATED):
        return IPv4Address(number & 0xFFFFFFFF)
    return None


Resolve = Callable[[str, int], Sequence[str]]
"""From a host name and a port to its addresses, as text; OSError when it has none."""


def system_resolve(host: str, port: int) -> list[str]:
    """The addresses that this machine knows for a name, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What may be connected to. ``resolve`` is the way from names to addresses."""

    allow_private: bool = False
    resolve: Resolve = system_resolve

    def allows(self, address: IPv4Address | IPv6Address) -> bool:
        reach = reach_of(address)
        return reach is Reach.PUBLIC or (reach is Reach.PRIVATE and self.allow_private)

    def allowed_addresses(self, host: str, port: int, timeout_s: float) -> list[str]:
        """The addresses of a host that may be connected to, at least one.

        Raises:
            AddressRefused: the host has addresses, and none of them is allowed.
            DeliveryError: the host has no address, or the name server does not answer in time.
        """
        found = _literal(host) or _look_up(self.resolve, host, port, timeout_s)
        if not found:
            raise DeliveryError(f"{host} has no address")
        allowed = [str(address) for address in found if self.allows(address)]
        if not allowed:
            raise AddressRefused(_refusal(host, found))
        return allowed


def _literal(host: str) -> list[IPv4Address | IPv6Address]:
    """A host that is written as an address, zone left out; [] for a name."""
    try:
        return [ip_address(host.strip("[]").partition("%")[0])]
    except ValueError:
        return []


def _refusal(host: str, found: Sequence[IPv4Address | IPv6Address]) -> str:
    if any(reach_of(address) is Reach.PRIVATE for address in found):
        return f"{host} is a private address, and private addresses are not allowed by the settings"
    return f"{host} is an address that may never be connected to"


_lookups = threading.BoundedSemaphore(HUNG_LOOKUPS)


def _look_up(resolve: Resolve, host: str, port: int, timeout_s: float) -> list[IPv4Address | IPv6Address]:
    """Resolves in a thread of its own, because a look-up in the system's library cannot be interrupted."""
    answers: list[Sequence[str] | Exception] = []
    if not _lookups.acquire(blocking=False):
        raise DeliveryError("the name server does not answer: too many look-ups are waiting")

    def work() -> None:
        try:
            answers.append(resolve(host, port))
        except (OSError, UnicodeError) as error:
            answers.append(error)
        finally:
            _lookups.release()

    thread = threading.Thread(target=work, name=f"look up {host}", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # no more threads
        _lookups.release()
        raise DeliveryError(f"{host} could not be looked up: {error}") from error
    thread.join(max(timeout_s, 0.0))
    if not answers:
        raise DeliveryError(f"the name server did not answer for {host} within {timeout_s:.0f} s")
    answer = answers[0]
    if isinstance(answer, Exception):
        raise DeliveryError(f"the name {host} is not known: {answer}") from answer
    return [address for text in answer for address in _literal(text)]


_NOT_IN_URLS: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")


def check_url(url: str) -> SplitResult:
    """The parts of an absolute http or https URL; the address behind it is checked when it is connected to.

    Raises:
        RequestError: it is too long, has another scheme, no host, a user name, or characters that URLs do not have.
    """
    if len(url) > LONGEST_URL:
        raise RequestError(f"the URL is longer than {LONGEST_URL} characters")
    if _NOT_IN_URLS.search(url):
        raise RequestError("the URL has a space, a backslash or a control character in it")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise RequestError(f"the URL cannot be read: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise RequestError("the URL must begin with http:// or https://")
    if not host or port == 0:
        raise RequestError("the URL names no host, or port 0")
    if parts.username is not None or parts.password is not None:
        raise RequestError("the URL must not carry a user name or password")
    return parts
