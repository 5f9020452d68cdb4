"""A ring of pictures on the disk, bounded by size: the oldest go first. No database; files only.

Each picture is a file ``NUMBER_UUID.jpg``, and with what is known of it, the message of its group, a second,
``NUMBER_UUID.json``. The first is written last and removed first, so a picture is there as a whole or not at all,
whenever the process is killed. The numbers count up, so the order does not depend on any clock. One process writes
to a folder at a time.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openplate.storage.files import sync_file, sync_folder, translated, write_whole

MOST_LISTED: Final = 10_000
BLOCK: Final = 4096
"""What a file takes on the disk is a multiple of it."""

_UUID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,199}")
_TIME = re.compile(r"(?:.*-)?([0-9]{1,15})")
_FILE = re.compile(r"(?P<number>[0-9]{12,18})_(?P<uuid>[A-Za-z0-9][A-Za-z0-9_-]{0,199})\.(?P<kind>jpg|json)")


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """One picture of the ring. ``epoch_ms`` is when it was taken, the end of its uuid; ``size`` what it takes on
    the disk; ``has_meta``: something is known of it.
    """

    uuid: str
    epoch_ms: int
    size: int
    has_meta: bool


@dataclass(frozen=True, slots=True)
class _Place:
    number: int
    picture: KeptPicture


class PictureRing:
    """Pictures by their uuids; threads may share one."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Opens the folder, makes it where it is missing, and makes room where it holds too much.

        Raises:
            StorageError: the folder cannot be used.
        """
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._places: dict[str, _Place] = {}  # oldest first
        self._bytes = 0
        self._removed = 0
        with translated(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._load()
        with self._lock:
            self._next = 1 + max((place.number for place in self._places.values()), default=0)
            self._make_room(0)

    @property
    def used_bytes(self) -> int:
        """What all pictures take on the disk, with what is known of them."""
        return self._bytes

    @property
    def max_bytes(self) -> int:
        return self._max_bytes

    @property
    def removed(self) -> int:
        """Pictures that went to make room, since the ring was opened."""
        return self._removed

    def __len__(self) -> int:
        return len(self._places)

    def put(self, uuid: str, jpeg: bytes, meta: Mapping[str, object] | None = None) -> bool:
        """Keeps a picture; one of that uuid is replaced and becomes the newest. False: it alone is too large.

        With something that is known of it, it survives a power cut; others, of which cameras give several a second,
        are on the disk when the system likes, as ``note`` makes up for.

        Raises:
            ValueError: the uuid has another form.
            StorageFull, StorageError: it cannot be written.
        """
        known = None if meta is None else _json(meta)
        taken = _blocks(len(jpeg)) + _blocks(len(known or b""))
        picture = KeptPicture(uuid, _epoch_ms(uuid), taken, known is not None)
        if taken > self._max_bytes:
            return False
        with self._lock, translated(self._folder):
            before = self._places.pop(uuid, None)
            if before is not None:
                self._remove(before)
            self._make_room(taken)
            place = _Place(self._next, picture)
            self._next += 1
            if known is not None:
                write_whole(self._path(place, "json"), known, is_durable=False)
            try:
                write_whole(self._path(place, "jpg"), jpeg, is_durable=known is not None)
            except BaseException:
                self._path(place, "json").unlink(missing_ok=True)
                raise
            self._places[uuid] = place
            self._bytes += taken
        return True

    def note(self, uuid: str, meta: Mapping[str, object]) -> bool:
        """Replaces what is known of a picture, which survives a power cut from then on; False when it is not there
        (any more).
        """
        known = _json(meta)
        with self._lock, translated(self._folder):
            place = self._places.get(uuid)
            if place is None:
                return False
            path = self._path(place, "json")
            before = _blocks(path.stat().st_size) if path.exists() else 0
            write_whole(path, known, is_durable=False)
            sync_file(self._path(place, "jpg"))
            grown = _blocks(len(known)) - before
            picture = KeptPicture(uuid, place.picture.epoch_ms, place.picture.size + grown, True)
            self._places[uuid] = _Place(place.number, picture)  # keeps its turn
            self._bytes += grown
            self._make_room(0)
            return uuid in self._places

    def get(self, uuid: str) -> bytes | None:
        """The JPEG file; None when it is not there (any more), whatever the uuid looks like."""
        return self._read(uuid, "jpg")

    def meta(self, uuid: str) -> dict[str, object] | None:
        """What is known of a picture; None when nothing is, or it is not there (any more)."""
        data = self._read(uuid, "json")
        if data is None:
            return None
        try:
            known = json.loads(data)
        except ValueError:  # somebody else wrote there
            return None
        return known if isinstance(known, dict) else None

    def list(self, start_ms: int | None = None, end_ms: int | None = None) -> tuple[KeptPicture, ...]:
        """Those taken from ``start_ms`` to ``end_ms``, both included: oldest first, at most the newest 10 000."""
        with self._lock:
            places = tuple(self._places.values())
        found = [
            place.picture
            for place in places
            if (start_ms is None or place.picture.epoch_ms >= start_ms)
            and (end_ms is None or place.picture.epoch_ms <= end_ms)
        ]
        return tuple(found[-MOST_LISTED:])

    def _read(self, uuid: str, kind: str) -> bytes | None:
        with self._lock:
            place = self._places.get(uuid)
        if place is None:
            return None
        with translated(self._folder):
            try:
                return self._path(place, kind).read_bytes()
            except FileNotFoundError:  # it went in between
                return None

    def _path(self, place: _Place, kind: str) -> Path:
        return self._folder / f"{place.number:012}_{place.picture.uuid}.{kind}"

    def _make_room(self, wanted: int) -> None:
        while self._places and self._bytes + wanted > self._max_bytes:
            uuid = next(iter(self._places))
            with translated(self._folder):
                self._remove(self._places.pop(uuid))
            self._removed += 1

    def _remove(self, place: _Place) -> None:
        self._bytes -= place.picture.size
        self._path(place, "jpg").unlink(missing_ok=True)
        self._path(place, "json").unlink(missing_ok=True)

    def _load(self) -> None:
        """What the folder holds; halves of pictures and unfinished files go, what is not ours stays."""
        sizes: dict[tuple[int, str], dict[str, int]] = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                found = _FILE.fullmatch(entry.name)
                if found and entry.is_file(follow_symlinks=False):
                    kinds = sizes.setdefault((int(found["number"]), found["uuid"]), {})
                    size = entry.stat(follow_symlinks=False).st_size
                    # What a power cut has left of a picture is nothing at all.
                    kinds[found["kind"] if size else "empty"] = size
                elif entry.name.startswith(".") and entry.name.endswith(".new"):
                    with suppress(FileNotFoundError):
                        os.unlink(entry.path)  # noqa: PTH108
        for (number, uuid), kinds in sorted(sizes.items()):
            taken = sum(_blocks(size) for size in kinds.values())
            place = _Place(number, KeptPicture(uuid, _epoch_ms(uuid), taken, "json" in kinds))
            before = self._places.pop(uuid, None)
            if before is not None:  # killed while it was replaced
                self._remove(before)
            self._bytes += taken
            if "jpg" in kinds:
                self._places[uuid] = place
            else:
                self._remove(place)
        sync_folder(self._folder)


def _json(meta: Mapping[str, object]) -> bytes:
    return json.dumps(meta, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _epoch_ms(uuid: str) -> int:
    """The time in a uuid, 0 for one without. Raises ValueError for what is no uuid."""
    if not _UUID.fullmatch(uuid):
        raise ValueError(f"a picture's uuid is 1 to 200 letters, digits, _ and -, not {uuid[:220]!r}")
    found = _TIME.fullmatch(uuid)
    return int(found[1]) if found else 0
