"""The one place where settings, networks, storage and deliveries come together: for the server, and for cameras."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openplate.service.service import Service

__all__ = ["Service"]


def __getattr__(name: str) -> object:
    """The server's service needs libraries that watching cameras does without."""
    if name != "Service":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from openplate.service.service import Service

    return Service
