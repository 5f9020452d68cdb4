"""The sockets of ``openplate serve``: bound before anything is loaded, so that a taken port is told at once."""

from __future__ import annotations

import errno
import os
import socket

from openplate.errors import SettingsError

_BACKLOG = 2048
_EVERYWHERE = ("0.0.0.0", "::", "")
_THIS_MACHINE = ("127.", "::1")


def listen(host: str, port: int) -> list[socket.socket]:
    """A socket for each address that the host name has; port 0 is the same free port for all of them.

    Raises:
        SettingsError: it cannot be listened there; the message says what to change.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise SettingsError(
            f"no address is known for the host {host!r}: {getattr(error, 'strerror', None) or error}"
        ) from None
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            chosen = sockets[0].getsockname()[1] if sockets else port
            sockets.append(_bound(family, (address[0], chosen, *address[2:])))
    except OSError as error:
        for each in sockets:
            each.close()
        raise SettingsError(_reason(error, host, port)) from None
    return sockets


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # on Windows it lets two programs have the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address[0] == "::" else 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.set_inheritable(True)
    except OSError:
        listener.close()
        raise
    return listener


def _reason(error: OSError, host: str, port: int) -> str:
    place = f"port {port} of {host}"
    if error.errno == errno.EADDRINUSE:
        return f"{place} is in use by another program; choose another one with --port, or stop that program"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{place} may not be listened on by this user; choose a port above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine; --host 0.0.0.0 is every one that it has"
    return f"{place} cannot be listened on: {error.strerror}"


def url_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listener.getsockname()[:2]
    if host in _EVERYWHERE:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_open(listener: socket.socket) -> bool:
    """Whether other machines may reach it."""
    return not str(listener.getsockname()[0]).startswith(_THIS_MACHINE)
