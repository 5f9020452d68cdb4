"""The ring of pictures: bounded, oldest first out, whole after any kill, deaf to paths."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.errors import StorageError
from openplate.storage.pictures import BLOCK, PictureRing

WRITER = """
import sys
from pathlib import Path
from openplate.storage.pictures import PictureRing
ring = PictureRing(Path(sys.argv[1]), int(sys.argv[2]))
number = int(sys.argv[3])
while True:
    number += 1
    data = (b"%09d" % number) * 1000
    ring.put(f"agent-1-{number}", data, {"number": number})
    ring.note(f"agent-1-{number}", {"number": number, "again": True})
    print(number, flush=True)
"""


def uuids(ring: PictureRing) -> list[str]:
    return [each.uuid for each in ring.list()]


def test_what_is_put_is_there(tmp_path: Path) -> None:
    ring = PictureRing(tmp_path / "deep" / "ring", 10**6)
    assert ring.put("agent-7-1772712000123", b"jpeg", {"a": "ü"})
    assert ring.get("agent-7-1772712000123") == b"jpeg"
    assert ring.meta("agent-7-1772712000123") == {"a": "ü"}
    (kept,) = ring.list()
    assert (kept.uuid, kept.epoch_ms, kept.size, kept.has_meta) == ("agent-7-1772712000123", 1772712000123, 8192, True)
    assert ring.used_bytes == 2 * BLOCK
    assert len(ring) == 1


def test_nothing_known_is_none(tmp_path: Path) -> None:
    ring = PictureRing(tmp_path, 10**6)
    ring.put("a-1-5", b"x")
    assert ring.meta("a-1-5") is None
    assert not ring.list()[0].has_meta
    assert ring.note("a-1-5", {"b": 1})
    assert ring.meta("a-1-5") == {"b": 1}
    assert PictureRing(tmp_path, 10**6).list() == ring.list()
    assert not ring.note("a-1-6", {})


def test_the_oldest_go_first_whatever_the_clock_says(tmp_path: Path) -> None:
    ring = PictureRing(tmp_path, 3 * BLOCK)
    for moment in (50, 40, 30, 20, 10):  # a clock that is set back again and again
        ring.put(f"a-1-{moment}", b"x")
    assert uuids(ring) == ["a-1-30", "a-1-20", "a-1-10"]
    assert ring.get("a-1-50") is None
    assert ring.removed == 2
    assert len(list(tmp_path.iterdir())) == 3


def test_the_order_outlives_a_restart(tmp_path: Path) -> None:
    ring = PictureRing(tmp_path, 10 * BLOCK)
    for moment in (3, 1, 2):
        ring.put(f"a-1-{moment}", b"x" * moment)
    again = PictureRing(tmp_path, 10 * BLOCK)
    assert uuids(again) == ["a-1-3", "a-1-1", "a-1-2"]
    assert again.used_bytes == ring.used_bytes
    again.put("a-1-0", b"x")
    assert uuids(PictureRing(tmp_path, 2 * BLOCK)) == ["a-1-2", "a-1-0"]


def test_a_uuid_put_again_is_the_newest(tmp_path: Path) -> None:
    ring = PictureRing(tmp_path, 10 * BLOCK)
    ring.put("a-1-1", b"old", {"x": 1})
    ring.put("a-1-2", b"x")
    ring.put("a-1-1", b"new")
    assert uuids(ring) == ["a-1-2", "a-1-1"]
    assert (ring.get("a-1-1"), ring.meta("a-1-1")) == (b"new", None)
    assert ring.used_bytes == 2 * BLOCK


def test_a_picture_larger_than_the_ring_is_not_kept_and_costs_no_other(tmp_path: Path) -> None:
    ring = PictureRing(tmp_path, 2 * BLOCK)
    ring.put("a-1-1", b"x")
    assert not ring.put("a-1-2", b"x" * (2 * BLOCK + 1))
    assert uuids(ring) == ["a-1-1"]


def test_what_is_known_counts_too(tmp_path: Path) -> None:
    ring = PictureRing(tmp_path, 4 * BLOCK)
    ring.put("a-1-1", b"x")
    ring.put("a-1-2", b"x")
    ring.note("a-1-2", {"long": "x" * (2 * BLOCK)})
    assert uuids(ring) == ["a-1-2"]
    assert ring.used_bytes == 4 * BLOCK


def test_list_by_time(tmp_path: Path) -> None:
    ring = PictureRing(tmp_path, 10 * BLOCK)
    for moment in (10, 20, 30):
        ring.put(f"a-1-{moment}", b"x")
    assert [each.epoch_ms for each in ring.list(10, 20)] == [10, 20]
    assert [each.epoch_ms for each in ring.list(11)] == [20, 30]
    assert ring.list(end_ms=9) == ()


@pytest.mark.parametrize("uuid", ["", "../a", "a/b", "a\\b", "a\0", "ä", ".a", "-a", "a.jpg", "a" * 201, "a\n"])
def test_odd_uuids_are_refused_and_never_found(tmp_path: Path, uuid: str) -> None:
    ring = PictureRing(tmp_path / "ring", 10**6)
    (tmp_path / "a").write_bytes(b"secret")
    with pytest.raises(ValueError, match="uuid"):
        ring.put(uuid, b"x")
    assert ring.get(uuid) is None
    assert ring.meta(uuid) is None


def test_only_pictures_of_groups_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow disk all cameras waited for each other's pictures, five a second of each."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    ring = PictureRing(tmp_path, 10**6)
    synced.clear()
    ring.put("a-1-1", b"x")
    assert synced == []
    ring.note("a-1-1", {"a": 1})
    assert len(synced) == 2  # the picture, and its name
    ring.put("a-1-2", b"x", {"a": 1})
    assert len(synced) == 4


def test_what_a_power_cut_left_empty_is_gone(tmp_path: Path) -> None:
    ring = PictureRing(tmp_path, 10**6)
    ring.put("a-1-1", b"x")
    ring.put("a-1-2", b"x", {"a": 1})
    for path in tmp_path.glob("*_a-1-2.*"):
        path.write_bytes(b"")
    ring.put("a-1-3", b"x", {"a": 1})
    next(tmp_path.glob("*_a-1-3.json")).write_bytes(b"")
    again = PictureRing(tmp_path, 10**6)
    assert uuids(again) == ["a-1-1", "a-1-3"]
    assert again.meta("a-1-3") is None
    assert not list(tmp_path.glob("*_a-1-2.*"))


def test_halves_go_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    ring = PictureRing(tmp_path, 10**6)
    ring.put("a-1-1", b"x", {})
    (tmp_path / "000000000009_a-1-9.json").write_text("{}")
    (tmp_path / ".0123456789abcdef.new").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    again = PictureRing(tmp_path, 10**6)
    assert uuids(again) == ["a-1-1"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "000000000001_a-1-1.jpg",
        "000000000001_a-1-1.json",
        "notes.txt",
    }
    (tmp_path / "000000000001_a-1-1.json").write_text("[broken")
    assert again.meta("a-1-1") is None
    (tmp_path / "000000000001_a-1-1.jpg").unlink()
    assert again.get("a-1-1") is None


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "ring").write_bytes(b"")
    with pytest.raises(StorageError, match="ring"):
        PictureRing(tmp_path / "ring", 10**6)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3 * BLOCK), st.booleans()), max_size=30))
def test_never_more_than_allowed(tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[int, int, bool]]) -> None:
    folder = tmp_path_factory.mktemp("ring")
    ring = PictureRing(folder, 8 * BLOCK)
    for moment, size, is_known in puts:
        ring.put(f"a-1-{moment}", b"x" * size, {"a": 1} if is_known else None)
        taken = sum(-(-path.stat().st_size // BLOCK) * BLOCK for path in folder.iterdir())
        assert taken == ring.used_bytes <= 8 * BLOCK
    assert PictureRing(folder, 8 * BLOCK).list() == ring.list()


def test_a_killed_writer_leaves_whole_pictures_only(tmp_path: Path) -> None:
    """Whatever it had reported is there, unless it was the oldest; nothing is half."""
    most, last = 10 * (4 * BLOCK), 0
    for kills in range(4):
        arguments: Any = [sys.executable, "-c", WRITER, str(tmp_path), str(most), str(last)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(15 + 7 * kills):
                last = int(writer.stdout.readline())
            writer.kill()
            last = max([last, *(int(line) for line in writer.stdout.read().split("\n")[:-1])])
        ring = PictureRing(tmp_path, most)
        kept = [int(uuid.rpartition("-")[2]) for uuid in uuids(ring)]
        assert set(range(last - 8, last + 1)) <= set(kept)
        for number in kept:
            assert ring.get(f"agent-1-{number}") == (b"%09d" % number) * 1000
        last = max(kept)
        assert not list(tmp_path.glob(".*"))
