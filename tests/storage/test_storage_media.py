"""Kept files: whole, once each, there while a row names them and gone afterwards."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from storage_helpers import NOON, PICTURE, kept_files, make_entry, queue, run_processes

from openplate.errors import StorageError
from openplate.storage import File, Message, Store

HOUR_S = 3600.0


def leave(path: Path, data: bytes, age_s: float) -> Path:
    """A file that a process that died has left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def test_a_file_has_the_name_of_its_contents_and_belongs_to_one_user(store: Store, data_folder: Path) -> None:
    queue(store, store.create_target("http://a/").id, "1", files=(PICTURE, File("b", "b", b"")))
    names = {path.name for path in kept_files(data_folder)}
    assert "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" in names  # of no bytes at all
    assert all(oct(path.stat().st_mode & 0o777) == "0o600" for path in kept_files(data_folder))
    assert list((data_folder / "media" / "new").iterdir()) == []


def test_what_nobody_needs_is_swept_once_it_is_old(store: Store, data_folder: Path) -> None:
    media = data_folder / "media"
    queue(store, store.create_target("http://a/").id, "1", files=(PICTURE,))
    (needed,) = kept_files(data_folder)
    os.utime(needed, (0, 0))
    for name, age_s in (("0" * 64, 2 * HOUR_S), ("1" * 64, 60.0)):
        leave(media / name[:2] / name, b"x", age_s)
    leave(media / "new" / "a", b"half of a pic", 2 * HOUR_S)
    young = leave(media / "new" / "b", b"being writ", 1.0)
    assert store.remove_expired(NOON, None, None).files == 2
    assert kept_files(data_folder) == sorted([needed, media / "11" / ("1" * 64), young])


def test_a_file_that_is_needed_again_is_written_again(store: Store, data_folder: Path) -> None:
    target = store.create_target("http://a/")
    for _ in range(3):
        queue(store, target.id, "1", files=(PICTURE,))
        (delivery,) = store.due(target.id, NOON, 10)
        assert delivery.attachments[0].path.read_bytes() == PICTURE.data
        store.delivered(delivery.id, NOON)
        assert kept_files(data_folder) == []


def test_crops_and_messages_share_a_file(store: Store, data_folder: Path) -> None:
    target = store.create_target("http://a/")
    store.record(make_entry(keep=True, crops=(PICTURE,), messages=(Message(target.id, "1", (PICTURE,)),)), NOON)
    store.delivered(store.due(target.id, NOON, 1)[0].id, NOON)
    assert len(kept_files(data_folder)) == 1
    assert store.remove_expired(NOON, None, 0).files == 1
    assert kept_files(data_folder) == []


def test_no_crop_is_written_where_nothing_is_kept(store: Store, data_folder: Path) -> None:
    store.record(make_entry(crops=(PICTURE,)), NOON)
    assert kept_files(data_folder) == []


CHURN = """
store = Store.open(url, data_folder)
file = File("upload", "a.jpg", b"always the same picture")
for i in range(60):
    store.record(Entry(uuid.uuid4().hex, None, None, NOON, "{}", messages=(Message(number + 1, "x", (file,)),)), NOON)
    for delivery in store.due(number + 1, NOON, 10):
        assert delivery.attachments[0].path.read_bytes() == file.data
        store.delivered(delivery.id, NOON)
store.close()
"""


def test_one_process_never_removes_what_another_has_just_recorded(store: Store, url: str, data_folder: Path) -> None:
    for _ in range(3):
        store.create_target("http://a/")
    run_processes(CHURN, url, data_folder, 3)
    assert kept_files(data_folder) == []


def test_threads_never_remove_what_another_has_just_recorded(store: Store, data_folder: Path) -> None:
    targets = [store.create_target("http://a/").id for _ in range(6)]

    def churn(target_id: int) -> None:
        for _ in range(20):
            queue(store, target_id, "x", files=(PICTURE,))
            for delivery in store.due(target_id, NOON, 10):
                assert delivery.attachments[0].path.read_bytes() == PICTURE.data
                store.delivered(delivery.id, NOON)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(churn, targets))
    assert kept_files(data_folder) == []


@pytest.mark.skipif(os.name == "nt", reason="a folder cannot be replaced by a file while it is in use")
def test_a_data_folder_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    with pytest.raises(StorageError, match="a file"):
        Store.open(None, blocked / "data")


def test_a_file_that_cannot_be_written_leaves_no_call(store: Store, data_folder: Path) -> None:
    target = store.create_target("http://a/")
    new = data_folder / "media" / "new"
    new.rmdir()
    with pytest.raises(StorageError):
        queue(store, target.id, "1", files=(PICTURE,))
    assert store.usage(None, NOON).calls == 0
    assert store.backlog() == ()
    new.mkdir()
    queue(store, target.id, "1", files=(PICTURE,))
