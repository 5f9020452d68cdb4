"""Kept recognitions: found by time and text, removed by age and size."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from storage_helpers import NOON, after, kept_files, make_entry

from openplate.storage import File, Message, Removed, Store

DAY_S = 86_400.0


def keep(store: Store, second: float, *texts: str, size: int = 100) -> str:
    body = '"' + "x" * (size - 2) + '"'
    entry = make_entry(at=after(second), keep=True, texts=texts, recognition_json=body)
    store.record(entry, NOON)
    return entry.id


def test_nothing_is_kept_unless_asked_for(store: Store) -> None:
    store.record(make_entry(texts=("AB123",)), NOON)
    assert store.recognitions() == []


def test_a_recognition_comes_back_as_it_was(store: Store) -> None:
    _, token = store.create_token("a", None, None)
    entry = make_entry(
        token_id=token.id,
        camera_id="Tor 1, Süd",
        at=NOON + timedelta(microseconds=7),
        recognition_json='{"text": "粤B12345"}',
        keep=True,
        crops=(File("plate", "1.jpg", b"one"), File("plate", "2.jpg", b"two")),
        texts=("AB 123",),
    )
    store.record(entry, NOON)
    (found,) = store.recognitions()
    assert (found.id, found.at, found.camera_id, found.token_id) == (entry.id, entry.at, entry.camera_id, token.id)
    assert found.recognition_json == entry.recognition_json
    assert [(crop.name, crop.filename, crop.path.read_bytes()) for crop in found.crops] == list(entry.crops)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [3, 2, 1, 0]),
        ({"limit": 2}, [3, 2]),
        ({"since": after(10)}, [3, 2, 1]),
        ({"until": after(20)}, [1, 0]),
        ({"since": after(10), "until": after(11)}, [1]),
        ({"text": "ab123"}, [1, 0]),
        ({"text": "b1"}, [1, 0]),
        ({"text": "XY-9"}, [3, 1]),
        ({"text": "XY-9", "until": after(30)}, [1]),
        ({"text": "%"}, [3, 2, 1, 0]),
        ({"text": "none"}, []),
    ],
)
def test_found_by_time_and_text(store: Store, asked: dict[str, object], expected: list[int]) -> None:
    ids = [
        keep(store, 0, "AB 123"),
        keep(store, 10, "AB-1234", "XY 99"),
        keep(store, 20, ""),
        keep(store, 30, "XY987", "XY987"),
    ]
    assert [ids.index(each.id) for each in store.recognitions(**asked)] == expected  # type: ignore[arg-type]


def test_removed_by_age(store: Store, data_folder: Path) -> None:
    for days in (0, 1, 2, 3):
        crop = File("plate", "a.jpg", b"crop of %d" % days)
        store.record(make_entry(at=after(-days * DAY_S), keep=True, texts=("A",), crops=(crop,)), NOON)
    assert store.remove_expired(NOON, 2 * DAY_S, None) == Removed(recognitions=1, files=1)
    assert [each.at for each in store.recognitions()] == [after(-days * DAY_S) for days in (0, 1, 2)]
    assert len(kept_files(data_folder)) == 3
    assert store.remove_expired(NOON, 2 * DAY_S, None) == Removed()


def test_removed_by_size_oldest_first(store: Store) -> None:
    ids = [keep(store, second, "A", size=1000) for second in range(10)]
    assert store.remove_expired(NOON, None, 5999).recognitions == 5
    assert [each.id for each in store.recognitions()] == ids[:4:-1]
    assert store.remove_expired(NOON, None, 5000).recognitions == 0
    assert store.remove_expired(NOON, 0, None).recognitions == 0  # all of them lie in the future
    assert store.remove_expired(NOON, None, 0).recognitions == 5


def test_crops_count_towards_the_size(store: Store) -> None:
    for second in range(3):
        entry = make_entry(at=after(second), keep=True, crops=(File("plate", "a", bytes(1000 + second)),))
        store.record(entry, NOON)
    assert store.remove_expired(NOON, None, 2500).recognitions == 1


def test_more_than_one_batch_is_removed(store: Store) -> None:
    for second in range(703):
        keep(store, second - 5000, "A")
    assert store.remove_expired(NOON, 100, None).recognitions == 703
    assert store.recognitions(text="A") == []


def test_counters_and_messages_outlive_what_is_removed(store: Store) -> None:
    target = store.create_target("http://a/")
    store.record(make_entry(keep=True, messages=(Message(target.id, "1"),)), NOON)
    store.remove_expired(after(1), 0, 0)
    assert store.recognitions() == []
    assert store.usage(None, NOON).calls == 1
    assert len(store.due(target.id, NOON, 10)) == 1


def test_what_was_given_up_is_removed_after_a_month(store: Store, data_folder: Path) -> None:
    target = store.create_target("http://a/")
    for body in ("given up", "waits"):
        file = File("upload", "a.jpg", body.encode())
        store.record(make_entry(messages=(Message(target.id, body, (file,)),)), NOON)
    store.failed(store.due(target.id, NOON, 1)[0].id, NOON, None, "no")
    assert store.remove_expired(after(29 * DAY_S), None, None) == Removed()
    assert store.remove_expired(after(31 * DAY_S), None, None) == Removed(deliveries=1, files=1)
    assert [each.body for each in store.due(target.id, after(31 * DAY_S), 10)] == ["waits"]
    assert len(kept_files(data_folder)) == 1


def test_a_call_is_remembered_for_a_day(store: Store) -> None:
    """So that the ids of millions of calls do not pile up."""
    entry = make_entry()
    store.record(entry, NOON)
    store.remove_expired(after(DAY_S - 1), None, None)
    assert store.record(entry, after(DAY_S - 1)).calls == 1
    store.remove_expired(after(DAY_S + 1), None, None)
    assert store.record(entry, after(DAY_S + 1)).calls == 2


def test_the_database_file_shrinks(tmp_path: Path) -> None:
    store = Store.open(None, tmp_path)
    for second in range(300):
        keep(store, second, "A", size=20_000)
    store.close()
    before = (tmp_path / "openplate.db").stat().st_size
    store = Store.open(None, tmp_path)
    store.remove_expired(NOON, None, 0)
    store.close()
    assert before > 6_000_000
    assert (tmp_path / "openplate.db").stat().st_size < before / 5
