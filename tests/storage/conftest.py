"""Every storage test runs on both databases: ``url`` is a fresh one, ``store`` is open on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from openplate.storage import Store

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
START_S = 60.0


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; then its own user runs it."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


def _wait_for(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            psycopg.connect(address).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The folder of the socket of a private PostgreSQL server, which is gone afterwards."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="openplate-postgresql-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        initdb = [PROGRAMS[-1] / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **_unprivileged())
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        options += ["-c", "max_connections=200"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [PROGRAMS[-1] / "postgres", "-D", data, *options], stderr=log, stdout=log, cwd=folder, **_unprivileged()
            )
        try:
            _wait_for(server, f"host={folder} user=postgres dbname=postgres")
            yield str(folder)
        finally:
            server.send_signal(2)  # ends at once, whatever is still connected
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(socket: str, command: str) -> None:
    with psycopg.connect(f"host={socket} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute(command)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables made."""
    folder = tmp_path_factory.mktemp("template")
    Store.open(None, folder).close()
    return folder / "openplate.db"


@pytest.fixture(scope="session")
def postgresql_template(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with its tables made."""
    _run(postgresql, "CREATE DATABASE template_with_tables")
    url = f"postgresql://postgres@/template_with_tables?host={postgresql}"
    Store.open(url, tmp_path_factory.mktemp("template")).close()
    return "template_with_tables"


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on."""
    name: str = request.param
    return name


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    yield from _postgresql_url(request, "template1") if kind == "postgresql" else _sqlite_url(tmp_path, None)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with empty tables."""
    if kind == "postgresql":
        yield from _postgresql_url(request, request.getfixturevalue("postgresql_template"))
    else:
        yield from _sqlite_url(tmp_path, request.getfixturevalue("sqlite_template"))


def _sqlite_url(folder: Path, template: Path | None) -> Iterator[str]:
    path = folder / "database" / "openplate.db"
    if template is not None:
        path.parent.mkdir()
        shutil.copy(template, path)
    yield f"sqlite:///{path}"


def _postgresql_url(request: pytest.FixtureRequest, template: str) -> Iterator[str]:
    socket = request.getfixturevalue("postgresql")
    name = f"test_{uuid.uuid4().hex}"
    _run(socket, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield f"postgresql://postgres@/{name}?host={socket}"
    _run(socket, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(url: str, data_folder: Path) -> Iterator[Store]:
    opened = Store.open(url, data_folder)
    yield opened
    opened.close()
