"""What the server remembers: tokens, usage, webhook targets, the outbox, recognitions and their crops.

``Store`` is all that others use. Only this package knows SQLAlchemy, SQLite and PostgreSQL.
"""

from openplate.storage.records import (
    IMAGE_DONE,
    IMAGE_KINDS,
    TARGET_STATES,
    Attachment,
    Backlog,
    Delivery,
    Entry,
    File,
    ImageKind,
    Message,
    Removed,
    StoredRecognition,
    Target,
    TargetState,
    Token,
    Usage,
)
from openplate.storage.store import Store, default_url

__all__ = [
    "IMAGE_DONE",
    "IMAGE_KINDS",
    "TARGET_STATES",
    "Attachment",
    "Backlog",
    "Delivery",
    "Entry",
    "File",
    "ImageKind",
    "Message",
    "Removed",
    "Store",
    "StoredRecognition",
    "Target",
    "TargetState",
    "Token",
    "Usage",
    "default_url",
]
