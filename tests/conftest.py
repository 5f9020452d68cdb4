"""For every test: sockets reach this machine only."""

from __future__ import annotations

import sys
from ipaddress import ip_address
from typing import Any

LOCAL_NAMES = ("", "localhost", "localhost.localdomain")


def _is_local(host: object) -> bool:
    if host is None or host in LOCAL_NAMES:
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _refuse_other_machines(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]  # a path or bytes for a Unix socket, (host, port, ...) for the internet
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        raise PermissionError(f"a test may not reach {host!r}: tests run without a network")


sys.addaudithook(_refuse_other_machines)
