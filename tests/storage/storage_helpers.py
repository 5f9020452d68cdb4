"""Values for the storage tests, and processes that share a database."""

from __future__ import annotations

import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from openplate.storage import Delivery, Entry, File, Message, Store

NOON = datetime(2026, 3, 5, 12, 0, 0, 123456, tzinfo=UTC)
PICTURE = File("upload", "gate.jpg", b"\xff\xd8 a picture")

PREAMBLE = """
import sys, time, uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from openplate.errors import OpenplateError, QuotaExceeded, RateExceeded
from openplate.storage import Entry, File, Message, Store
url, data_folder, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
NOON = datetime(2026, 3, 5, 12, 0, 0, 123456, tzinfo=UTC)
"""


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def make_entry(**changes: Any) -> Entry:
    values: dict[str, Any] = {"id": uuid.uuid4().hex, "token_id": None, "camera_id": "gate", "at": NOON}
    return Entry(**{**values, "recognition_json": '{"plates": []}', **changes})


def queue(store: Store, target_id: int, *bodies: str, files: tuple[File, ...] = (), at: datetime = NOON) -> None:
    for body in bodies:
        store.record(make_entry(messages=(Message(target_id, body, files),)), at)


def bodies(deliveries: list[Delivery]) -> list[str]:
    return [delivery.body for delivery in deliveries]


def kept_files(data_folder: Path) -> list[Path]:
    return sorted(path for path in (data_folder / "media").rglob("*") if path.is_file())


def start_process(code: str, url: str, data_folder: Path, number: int = 0) -> subprocess.Popen[str]:
    """A process of its own that runs the code, which finds ``url``, ``data_folder`` and its ``number``."""
    command = [sys.executable, "-W", "error", "-c", PREAMBLE + code, url, str(data_folder), str(number)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_processes(code: str, url: str, data_folder: Path, count: int) -> list[str]:
    """What so many processes print, which run at the same time and must all end well."""
    running = [start_process(code, url, data_folder, number) for number in range(count)]
    answers = []
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        answers.append(output)
    return answers
