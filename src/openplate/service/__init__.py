"""The one place where settings, networks, storage and deliveries come together for the server."""

from openplate.service.service import Service

__all__ = ["Service"]
