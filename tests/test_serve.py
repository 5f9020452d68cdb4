"""``openplate serve`` as a real process: its start, its bounds, how it ends, several processes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from openplate.cli.listening import listen
from openplate.errors import SettingsError
from serving import READER, STREET, TEXTS, Reply, Server, end, form, serving

pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests that leave it as it is."""
    limits = {"server__max_connections": "20", "server__idle_timeout_s": "2"}
    with serving("--workers", "1", data=tmp_path_factory.mktemp("data"), **limits) as running:
        yield running


def texts_of(reply: Reply) -> set[str]:
    return {result["plate"] for result in reply.json["results"]}


def test_it_says_where_it_is_who_may_ask_and_how_to_try(server: Server) -> None:
    assert f"http://127.0.0.1:{server.port}/docs" in server.banner
    assert "tokens: not asked for" in server.banner
    assert "to open it to the network: openplate serve --host 0.0.0.0" in server.banner


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_line_to_try_works(server: Server) -> None:
    line = server.banner.splitlines()[-1].replace("car.jpg", str(STREET))
    ran = subprocess.run([*shlex.split(line), "--silent"], capture_output=True, check=True, timeout=60)
    assert {result["plate"] for result in json.loads(ran.stdout)["results"]} == TEXTS


def test_every_call_is_counted_once(server: Server) -> None:
    before = server.calls()
    replies = [server.recognize() for _ in range(3)]
    assert [reply.json["usage"]["calls"] for reply in replies] == [before + 1, before + 2, before + 3]
    assert server.recognize(b"no picture").status == 400
    assert server.calls() == before + 3


def test_what_is_no_http_gets_an_answer_all_the_same(server: Server) -> None:
    with server.raw() as link:
        link.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20)
        answer = read_all(link)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status_code"] == 400


def read_all(link: socket.socket) -> bytes:
    data = b""
    while piece := link.recv(65536):
        data += piece
    return data


def test_an_endless_head_is_refused(server: Server) -> None:
    with server.raw() as link:
        link.sendall(b"GET / HTTP/1.1\r\n")
        try:
            for number in range(3000):
                link.sendall(b"x-%d: %s\r\n" % (number, b"y" * 90))
        except OSError:
            pass  # it stopped listening
        assert link.recv(65536).startswith(b"HTTP/1.1 431 ")


def test_a_head_that_comes_too_slowly_is_not_waited_for(server: Server) -> None:
    with server.raw() as link:
        start = time.monotonic()
        link.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n")
        answer = read_all(link)
        assert 1.5 < time.monotonic() - start < 20
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_connection_on_which_nothing_is_asked_is_closed_without_a_word(server: Server) -> None:
    with server.raw() as link:
        assert read_all(link) == b""


def test_a_body_that_becomes_no_http_ends_its_request(server: Server) -> None:
    for beginning in (b"", b"5\r\nhello\r\n"):
        with server.raw() as link:
            link.sendall(
                f"POST {READER} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + beginning
            )
            time.sleep(0.2)
            link.sendall(b"no length\r\n")
            answers = read_all(link)
        assert answers.startswith(b"HTTP/1.1 400 ")
        assert answers.count(b"content-length") == 1
    wait_until(lambda: "openplate_upload_bytes_held 0.0" in server.get("/metrics").body.decode(), 20)
    assert not any("Traceback" in line for line in server.complaints)


def test_one_connection_too_many_hears_so_and_the_others_go_on(server: Server) -> None:
    links = [server.raw() for _ in range(20)]
    try:
        with server.raw() as one_more:
            one_more.sendall(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
            answer = read_all(one_more)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in answer
        links[0].sendall(b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert read_all(links[0]).startswith(b"HTTP/1.1 200 ")
    finally:
        for link in links:
            link.close()
    assert server.get("/health/live").status == 200


def test_pictures_that_cannot_wait_are_refused_at_once(tmp_path: Path) -> None:
    with serving("--workers", "1", data=tmp_path, server__queue="1") as server, ThreadPoolExecutor(8) as clients:
        assert server.recognize().status == 200
        replies = list(clients.map(lambda _: server.recognize(), range(8)))
        refused = [reply for reply in replies if reply.status == 503]
        assert sorted({reply.status for reply in replies}) == [200, 503]
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)
        assert all(texts_of(reply) == TEXTS for reply in replies if reply.status == 200)
        assert server.calls() == 1 + len(replies) - len(refused)


def test_the_cloud_asks_for_a_token(tmp_path: Path) -> None:
    from openplate.storage import Store

    with serving("--flavour", "cloud", data=tmp_path, server__success_status="201") as server:
        assert "there is none yet: openplate tokens create NAME" in server.banner
        assert "-H 'Authorization: Token YOUR_TOKEN'" in server.banner
        assert server.recognize().status == 403
        store = Store.open(None, tmp_path)
        secret, token = store.create_token("gate", None, None)
        assert server.recognize(token=secret).status == 201
        store.revoke_token(token.id)
        assert server.recognize(token=secret).status == 403
        store.close()


def test_a_signal_lets_accepted_requests_finish(tmp_path: Path) -> None:
    with serving("--workers", "1", data=tmp_path) as server, ThreadPoolExecutor(6) as clients:
        assert server.recognize().status == 200
        slow = clients.submit(upload_slowly, server)
        answers = [clients.submit(server.recognize) for _ in range(5)]
        answers[0].result()
        for _ in range(3):  # as from a service manager that tells every process, and then once more
            server.terminate()
            time.sleep(0.05)
        assert {answer.result().status for answer in answers} == {200}
        assert b" 200 OK" in slow.result()
        assert server.wait(60) == 0
        with pytest.raises(ConnectionError):
            server.raw(5)
    with serving(data=tmp_path) as again:
        assert again.calls() == 7


def start_upload(server: Server) -> socket.socket:
    """A request of which the end is still missing."""
    body, headers = form({"upload": STREET.read_bytes()})
    lines = [f"POST {READER} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items())]) + "\r\n\r\n"
    link = server.raw()
    link.sendall(head.encode() + body[:1000])
    return link


def upload_slowly(server: Server) -> bytes:
    with start_upload(server) as link:
        time.sleep(1.5)
        link.sendall(form({"upload": STREET.read_bytes()})[0][1000:])
        return read_all(link)


def test_it_does_not_wait_longer_for_them_than_it_was_told(tmp_path: Path) -> None:
    with serving(data=tmp_path, server__stop_timeout_s="1") as server, start_upload(server):
        time.sleep(0.5)
        server.terminate()
        start = time.monotonic()
        server.wait(30)
        assert time.monotonic() - start < 15


def test_what_was_counted_survives_a_kill(tmp_path: Path) -> None:
    with serving(data=tmp_path) as server:
        for _ in range(3):
            assert server.recognize().status == 200
        server.process.kill()
        server.wait(10)
    with serving(data=tmp_path) as again:
        assert again.calls() == 3
        assert texts_of(again.recognize()) == TEXTS


def children_of(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    names = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in listed.split()}
    return [child for child, line in names.items() if b"spawn_main" in line]


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until(condition: object, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes as Linux shows them")
def test_several_processes_share_port_and_counters_and_are_replaced(tmp_path: Path) -> None:
    with serving("--processes", "2", "--workers", "1", data=tmp_path) as server, ThreadPoolExecutor(4) as clients:
        replies = list(clients.map(lambda _: server.recognize(), range(8)))
        assert sorted(reply.json["usage"]["calls"] for reply in replies) == list(range(1, 9))
        counted = re.search(r'requests_total{method="POST",.*} (\d+)', server.get("/metrics").body.decode())
        assert counted
        assert float(counted[1]) == 8  # whichever process answers
        first = children_of(server.process.pid)
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)
        wait_until(lambda: len(set(children_of(server.process.pid)) - set(first)) == 1)
        assert server.recognize().status == 200
        server.terminate()
        assert server.wait(60) == 0
        assert not any(is_alive(child) for child in first)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes as Linux shows them")
def test_processes_end_with_their_parent(tmp_path: Path) -> None:
    with serving("--processes", "2", "--workers", "1", data=tmp_path) as server:
        children = children_of(server.process.pid)
        assert len(children) == 2
        server.process.kill()
        wait_until(lambda: not any(is_alive(child) for child in children))


def test_a_process_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    database = tmp_path / "file" / "x.db"
    url = f"sqlite:///{database}"
    ran = run_serve("--processes", "2", "--port", "0", OPENPLATE_STORAGE_URL=url, data=tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.splitlines()[-1].startswith("openplate: ")
    assert str(database.parent) in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_taken_port_is_told_before_anything_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = subprocess.run(
            [sys.executable, "-m", "openplate", "serve", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"port {port} of 127.0.0.1 is in use by another program; choose another one with --port" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_where_it_cannot_listen_is_told() -> None:
    with pytest.raises(SettingsError, match=r"no address is known for the host 'nowhere\.invalid'"):
        listen("nowhere.invalid", 8080)
    ran = run_serve("--host", "192.0.2.1")
    assert ran.returncode == 2
    assert "192.0.2.1 is not an address of this machine; --host 0.0.0.0 is every one that it has" in ran.stderr


def run_serve(*arguments: str, data: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "openplate", "serve", *arguments]
    environment = {**os.environ, **variables, "OPENPLATE_STORAGE_DATA_FOLDER": str(data or "")}
    return subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may listen anywhere")
def test_a_port_that_needs_rights_is_told() -> None:
    with pytest.raises(SettingsError, match=r"port 1 of 127\.0\.0\.1 may not be listened on by this user"):
        listen("127.0.0.1", 1)


OPEN = """
from openplate.cli.listening import is_open, listen, url_of
for host in ("127.0.0.1", "localhost", "0.0.0.0"):
    sockets = listen(host, 0)
    assert len({each.getsockname()[1] for each in sockets}) == 1
    print(host, any(map(is_open, sockets)), url_of(sockets[0]).rpartition(":")[0])
"""


def test_whether_others_can_reach_it() -> None:
    """In a process of its own: this one may not even look at addresses of the network."""
    ran = subprocess.run([sys.executable, "-c", OPEN], capture_output=True, text=True, check=True, timeout=60)
    lines = ran.stdout.splitlines()
    assert lines[0] == "127.0.0.1 False http://127.0.0.1"
    assert lines[1].startswith("localhost False http://")
    assert lines[2] == "0.0.0.0 True http://127.0.0.1"


WITHOUT_UVICORN = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name == "uvicorn" else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path = [Without(finder) for finder in sys.meta_path]
from openplate.cli import main
sys.argv = ["openplate", *sys.argv[1:]]
main()
"""


def test_a_missing_extra_is_told_with_the_line_to_install_it() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT_UVICORN, "serve"], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        "openplate: the server needs uvicorn, not installed here; install with: pip install 'openplate[server]'\n"
    )


def test_recognize_needs_nothing_of_the_server() -> None:
    server_only = ("uvicorn", "starlette", "fastapi", "sqlalchemy", "alembic", "httpx2", "openplate.service")
    code = (
        f"import sys; sys.argv = ['openplate', 'recognize', {str(STREET)!r}]\n"
        "from openplate.cli import main\n"
        "try:\n    main()\nfinally:\n"
        f"    print([name for name in {server_only} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert ran.stdout.splitlines()[-1] == "[]"


WATCHED = """
import os, sys

def watch(event, arguments):
    if event == "open":
        path, _, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND)
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "tempfile.mkstemp", "tempfile.mkdtemp"):
        path, writes = arguments[0], True
    else:
        return
    if writes and isinstance(path, str) and not path.startswith((allowed, "/dev/")):
        print("wrote:", event, path, file=sys.stderr, flush=True)

allowed = os.environ["OPENPLATE_STORAGE_DATA_FOLDER"]
sys.dont_write_bytecode = True
sys.addaudithook(watch)
from openplate.cli import main
sys.argv = ["openplate", *sys.argv[1:]]
main()
"""


def test_nothing_is_written_outside_the_data_folder(tmp_path: Path) -> None:
    server = Server.start("--workers", "1", data=tmp_path, command=(sys.executable, "-c", WATCHED))
    try:
        assert server.recognize().status == 200
        large = STREET.read_bytes() + bytes(8 * 2**20)
        assert server.recognize(large).status in (200, 400)
    finally:
        end(server)
    assert [line for line in server.complaints if line.startswith("wrote:")] == []
