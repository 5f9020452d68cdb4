"""For every test: sockets reach this machine only, hypothesis keeps no clock; where the shared data is."""

from __future__ import annotations

import logging
import os
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# On a busy machine a slow example is no fault.
settings.register_profile("openplate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("openplate")

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


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The labelled pictures, ``../shared/data`` beside the repository; skips where they are not."""
    data = Path(os.environ.get("OPENPLATE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not data.is_dir():
        pytest.skip(f"no labelled pictures at {data} (OPENPLATE_DATA may name their folder)")
    return data


@pytest.fixture(autouse=True)
def _loggers_speak() -> None:
    """Libraries and commands that set up logging in this process leave nothing behind for the next test."""
    logging.disable(logging.NOTSET)
    for name, logger in logging.Logger.manager.loggerDict.items():
        if name.partition(".")[0] == "openplate" and isinstance(logger, logging.Logger):
            logger.disabled, logger.propagate = False, True
            logger.setLevel(logging.NOTSET)
            logger.filters.clear()
