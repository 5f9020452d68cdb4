"""Opening: fresh, again, by several at once; what cannot be opened says why; steps lead to the tables."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from storage_helpers import NOON, make_entry, run_processes

from openplate.errors import StorageError, StorageFull
from openplate.storage import Message, Store, default_url, migrations
from openplate.storage.database import Database
from openplate.storage.tables import metadata


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://a/b", "not mysql"),
        ("nonsense", "sqlite:///PATH or postgresql://"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:////proc/openplate/a.db", "cannot write"),
        ("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2", "the database failed"),
    ],
)
def test_addresses_that_cannot_be_opened(tmp_path: Path, url: str, reason: str) -> None:
    with pytest.raises(StorageError, match=reason):
        Store.open(url, tmp_path)


def test_a_password_is_not_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        Store.open("postgresql://nobody:geheim@127.0.0.1:1/none?connect_timeout=2", tmp_path)
    assert "geheim" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "openplate.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match="not a database"):
        Store.open(None, tmp_path)


def test_the_default_database_is_in_the_data_folder(tmp_path: Path) -> None:
    assert default_url(Path("/data")) == "sqlite:////data/openplate.db"
    Store.open(None, tmp_path / "a b%20c").close()
    assert (tmp_path / "a b%20c" / "openplate.db").is_file()


def test_the_steps_lead_to_the_tables(empty_url: str, data_folder: Path) -> None:
    Store.open(empty_url, data_folder).close()
    database = Database.open(empty_url)

    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    assert database.read(differences) == []
    database.close()


def test_the_newest_step_is_the_one_that_is_checked_for(url: str) -> None:
    database = Database.open(url)
    config = database.read(migrations.configuration)
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD
    database.close()


def test_a_database_of_a_newer_version_is_left_alone(store: Store, url: str, data_folder: Path) -> None:
    store.close()
    database = Database.open(url)
    database.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    database.close()
    with pytest.raises(StorageError, match="newer version of Openplate"):
        Store.open(url, data_folder)


def test_a_step_that_fails_changes_nothing(empty_url: str, data_folder: Path) -> None:
    """Here because a table of that name is there already, the last that is made."""
    database = Database.open(empty_url)
    database.write(lambda connection: connection.execute(text("CREATE TABLE files (a INTEGER)")))
    with pytest.raises(StorageError, match="files"):
        Store.open(empty_url, data_folder)
    database.write(lambda connection: connection.execute(text("DROP TABLE files")))
    database.close()
    Store.open(empty_url, data_folder).close()


def test_several_processes_open_a_fresh_database(empty_url: str, data_folder: Path) -> None:
    code = """
store = Store.open(url, data_folder)
print(store.record(Entry(uuid.uuid4().hex, None, None, NOON, "{}"), NOON).calls)
store.close()
"""
    answers = run_processes(code, empty_url, data_folder, 4)
    assert sorted(int(answer) for answer in answers) == [1, 2, 3, 4]


def test_an_error_inside_a_transaction_undoes_it(url: str, data_folder: Path) -> None:
    Store.open(url, data_folder).close()
    database = Database.open(url)

    def insert_and_fail(connection: Connection) -> None:
        connection.execute(text("INSERT INTO counted (id, at) VALUES ('a', 1)"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        database.write(insert_and_fail)
    assert database.read(lambda connection: connection.execute(text("SELECT count(*) FROM counted")).scalar()) == 0
    database.write(lambda connection: connection.execute(text("INSERT INTO counted (id, at) VALUES ('a', 1)")))
    with pytest.raises(StorageError, match=r"(?i)unique"):
        database.write(lambda connection: connection.execute(text("INSERT INTO counted (id, at) VALUES ('a', 1)")))
    database.close()


def test_a_full_database_says_so(tmp_path: Path) -> None:
    Store.open(None, tmp_path).close()
    database = Database.open(default_url(tmp_path))

    def fill(connection: Connection) -> None:
        connection.execute(text("PRAGMA max_page_count=40"))
        connection.execute(text("INSERT INTO usage VALUES (1, 1, 1)"))
        connection.execute(text("INSERT INTO counted VALUES (hex(zeroblob(400000)), 1)"))

    with pytest.raises(StorageFull, match="full"):
        database.write(fill)
    assert database.read(lambda connection: connection.execute(text("SELECT count(*) FROM usage")).scalar()) == 0
    database.close()


def test_an_accepted_call_is_synchronised(tmp_path: Path) -> None:
    """FULL (2) for what must outlive a power cut, NORMAL (1) for what may be done again."""
    Store.open(None, tmp_path).close()
    database = Database.open(default_url(tmp_path))

    def level(connection: Connection) -> int:
        return connection.execute(text("PRAGMA synchronous")).scalar_one()

    levels = [database.write(level, is_durable=is_durable) for is_durable in (True, False, True, True)]
    assert levels == [2, 1, 2, 2]
    assert database.read(lambda connection: connection.execute(text("PRAGMA journal_mode")).scalar()) == "wal"
    database.close()


def test_a_reader_is_not_held_up_by_a_writer(tmp_path: Path) -> None:
    store = Store.open(None, tmp_path)
    store.record(make_entry(), NOON)
    writer = sqlite3.connect(tmp_path / "openplate.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE usage SET calls = 9")
    assert store.usage(None, NOON).calls == 1
    writer.execute("COMMIT")
    writer.close()
    assert store.usage(None, NOON).calls == 9
    store.close()


def test_a_lost_connection_is_made_again(postgresql: str, tmp_path: Path) -> None:
    store = Store.open(f"postgresql://postgres@/postgres?host={postgresql}", tmp_path)
    others = Database.open(f"postgresql://postgres@/postgres?host={postgresql}")
    ended = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'postgres'"
    )
    calls = []
    for _ in range(3):
        calls.append(store.record(make_entry(), NOON).calls)
        others.read(lambda connection: connection.execute(ended).all())
    assert calls == [1, 2, 3]
    others.close()
    store.close()


def test_of_two_that_wait_for_each_other_both_get_through(store: Store, url: str) -> None:
    """PostgreSQL undoes one of them, which is then done again; SQLite has one writer at a time."""
    for _ in range(2):
        store.create_target("http://receiver/")
    database = Database.open(url)
    both = threading.Barrier(2)

    def write(order: tuple[int, int]) -> None:
        is_first = True

        def touch(connection: Connection) -> None:
            nonlocal is_first
            for which in order:
                connection.execute(text(f"UPDATE targets SET leased_at = leased_at + 1 WHERE id = {which}"))
                if is_first and not database.is_sqlite:
                    is_first = False
                    both.wait(30)

        database.write(touch)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, [(1, 2), (2, 1)]))
    touched = database.read(
        lambda connection: connection.execute(text("SELECT leased_at FROM targets")).scalars().all()
    )
    assert touched == [2, 2]
    database.close()


def test_opening_a_ready_database_loads_no_alembic(tmp_path: Path) -> None:
    """So that each worker process starts quickly and small."""
    Store.open(None, tmp_path).close()
    code = f"""
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from openplate.storage import Store
Store.open(None, Path({str(tmp_path)!r})).close()
print("alembic" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_what_is_forced_to_the_disk(tmp_path: Path) -> None:
    """Every call that leaves more than a count, and a mere count once a second."""
    store = Store.open(None, tmp_path)
    target = store.create_target("http://receiver/")
    counted, kept, told = {}, {"keep": True}, {"messages": (Message(target.id, "{}"),)}
    forced = []
    for changes in (counted, counted, kept, counted, told, counted):
        store.record(make_entry(**changes), NOON)
        forced.append(store._database._is_durable)
    time.sleep(1.1)
    store.record(make_entry(), NOON)
    forced.append(store._database._is_durable)
    store.close()
    assert forced == [True, False, True, False, True, False, True]
