"""Exchanges with real servers on loopback: pinning, deadlines, limits, redirects, certificates."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
from receivers import OK, Received, Reply, do_nothing, free_port, receiving, talking

from openplate.delivery.addresses import AddressPolicy
from openplate.delivery.connections import Body, Caller, ConnectionPolicy
from openplate.errors import AddressRefused, DeliveryError, RequestError

INSIDE = AddressPolicy(allow_private=True)
POLICY = ConnectionPolicy(INSIDE, timeout_s=5)


def names(**addresses: str) -> AddressPolicy:
    """A name server that knows ``one="127.0.0.1"`` as one.example, and everything that is an address."""
    known = {f"{name}.example": address for name, address in addresses.items()}
    return AddressPolicy(allow_private=True, resolve=lambda host, _port: [known.get(host, host)])


def test_a_body_arrives_with_its_length_and_headers() -> None:
    with receiving() as receiver, Caller(POLICY) as caller:
        body = Body.of("application/json", [b'{"a":', b" 1}"])
        answer = caller.exchange("POST", receiver.url, {"Authorization": "Token x"}, body)
    assert (answer.status, answer.body, answer.is_whole) == (200, b"OK", True)
    (request,) = receiver.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook", b'{"a": 1}')
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == "8"
    assert request.headers["authorization"] == "Token x"
    assert request.headers["host"] == receiver.url.split("/")[2]


def test_files_are_sent_from_disk_and_can_be_sent_again(tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(bytes(range(256)) * 1000)
    body = Body.of("image/jpeg", [b"<", picture, b">"])
    with receiving() as receiver, Caller(POLICY) as caller:
        for _ in range(2):
            caller.exchange("POST", receiver.url, {}, body)
    assert [request.body for request in receiver.requests] == [b"<" + picture.read_bytes() + b">"] * 2


def test_a_connection_is_kept_for_the_next_message() -> None:
    with receiving() as receiver, Caller(POLICY) as caller:
        for _ in range(3):
            caller.exchange("POST", receiver.url, {}, Body.of("text/plain", [b"x"]))
    assert len({request.connection for request in receiver.requests}) == 1


def test_compressed_answers_are_not_asked_for() -> None:
    with receiving() as receiver, Caller(POLICY) as caller:
        caller.exchange("GET", receiver.url, {})
    assert receiver.requests[0].headers["accept-encoding"] == "identity"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    with receiving() as receiver, Caller(POLICY) as caller:
        assert caller.exchange("GET", receiver.url, {}).status == 200


def test_cookies_are_not_kept() -> None:
    with receiving(lambda _: Reply(headers=(("Set-Cookie", "a=b"),))) as receiver, Caller(POLICY) as caller:
        for _ in range(2):
            caller.exchange("GET", receiver.url, {})
    assert "cookie" not in receiver.requests[1].headers


def test_private_addresses_are_refused_before_anything_is_sent() -> None:
    with receiving() as receiver, Caller(ConnectionPolicy(timeout_s=5)) as caller, pytest.raises(AddressRefused):
        caller.exchange("GET", receiver.url, {})
    assert receiver.requests == []


def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to() -> None:
    """A name server may give a good address when asked first and an inner one when asked again."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    policy = ConnectionPolicy(AddressPolicy(allow_private=True, resolve=resolve), timeout_s=5)
    with receiving() as receiver, Caller(policy) as caller:
        port = receiver.url.split(":")[2].split("/")[0]
        assert caller.exchange("GET", f"http://rebinding.example:{port}/", {}).status == 200
        assert receiver.requests[0].headers["host"] == f"rebinding.example:{port}"
    assert asked == ["rebinding.example"]
    with Caller(policy) as caller, pytest.raises(AddressRefused):
        caller.exchange("GET", f"http://rebinding.example:{port}/", {})


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    policy = ConnectionPolicy(AddressPolicy(True, lambda _host, _port: ["127.0.0.2", "127.0.0.1"]), timeout_s=5)
    with receiving() as receiver, Caller(policy) as caller:
        port = receiver.url.split(":")[2].split("/")[0]
        assert caller.exchange("GET", f"http://two.example:{port}/", {}).status == 200


def test_addresses_of_version_6_are_connected_to_as_well() -> None:
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no loopback address of version 6")
    requests: list[bytes] = []

    def serve() -> None:
        link, _ = listening.accept()
        with link:
            requests.append(read_request(link))
            link.sendall(OK)

    thread = threading.Thread(target=serve)
    thread.start()
    with listening, Caller(POLICY) as caller:
        port = listening.getsockname()[1]
        assert caller.exchange("GET", f"http://[::1]:{port}/", {}).status == 200
        thread.join()
    assert f"host: [::1]:{port}".encode() in requests[0].lower()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "①②⑦.⓪.⓪.①", "127。0。0。1"]
)
def test_no_spelling_of_this_machine_gets_through(host: str) -> None:
    with receiving() as receiver, Caller(ConnectionPolicy(timeout_s=5)) as caller:
        port = receiver.url.split(":")[2].split("/")[0]
        with pytest.raises((AddressRefused, RequestError, DeliveryError)):
            caller.exchange("GET", f"http://{host}:{port}/", {})
    assert receiver.requests == []


def test_nobody_listens() -> None:
    with Caller(POLICY) as caller, pytest.raises(DeliveryError, match="refused"):
        caller.exchange("GET", f"http://127.0.0.1:{free_port()}/", {})


def read_request(link: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        request += link.recv(65536)
    return request


def never_answers(link: socket.socket) -> None:
    read_request(link)
    do_nothing(link)


def drips_headers(link: socket.socket) -> None:
    read_request(link)
    link.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(400):
        link.sendall(b"x")
        time.sleep(0.05)


def drips_a_body(link: socket.socket) -> None:
    read_request(link)
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(400):
        link.sendall(b"x")
        time.sleep(0.05)


def stays_informational(link: socket.socket) -> None:
    read_request(link)
    for _ in range(400):
        link.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.05)


def does_not_read(link: socket.socket) -> None:
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    do_nothing(link)


def sips(link: socket.socket) -> None:
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    while link.recv(4096):
        time.sleep(0.05)


@pytest.mark.parametrize("talk", [never_answers, drips_headers, drips_a_body, stays_informational, does_not_read, sips])
def test_whatever_a_server_does_the_exchange_ends_at_the_deadline(talk: object) -> None:
    assert callable(talk)
    with talking(talk) as url, Caller(ConnectionPolicy(INSIDE, timeout_s=0.5)) as caller:
        started = time.monotonic()
        with pytest.raises(DeliveryError, match=r"no answer within 0\.5 s"):
            caller.exchange("POST", url, {}, Body.of("text/plain", [bytes(64 * 2**20)]))
        assert 0.4 < time.monotonic() - started < 3


def test_a_server_that_never_finishes_the_handshake_ends_at_the_deadline() -> None:
    with talking(do_nothing) as url, Caller(ConnectionPolicy(INSIDE, timeout_s=0.5)) as caller:
        started = time.monotonic()
        with pytest.raises(DeliveryError, match="no answer within"):
            caller.exchange("GET", url.replace("http", "https"), {})
        assert time.monotonic() - started < 3


def test_redirects_share_one_deadline() -> None:
    again = Reply(302, (("Location", "/again"),), delay_s=0.3)
    with (
        receiving(lambda _: again) as receiver,
        Caller(ConnectionPolicy(INSIDE, timeout_s=0.7, max_redirects=10)) as caller,
    ):
        started = time.monotonic()
        with pytest.raises(DeliveryError, match="no answer"):
            caller.exchange("GET", receiver.url, {})
        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x16\x03\x01",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000,
        b"HTTP/1.1 99 No\r\n\r\n",
    ],
)
def test_answers_that_are_not_http_are_delivery_errors(answer: bytes) -> None:
    def talk(link: socket.socket) -> None:
        read_request(link)
        link.sendall(answer)
        link.shutdown(socket.SHUT_WR)
        while link.recv(65536):
            pass

    with talking(talk) as url, Caller(POLICY) as caller, pytest.raises(DeliveryError):
        caller.exchange("GET", url, {})


def test_an_answer_before_the_whole_body_is_taken() -> None:
    def talk(link: socket.socket) -> None:
        read_request(link)
        link.sendall(b"HTTP/1.1 413 Too large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        link.shutdown(socket.SHUT_WR)
        while link.recv(65536):
            pass

    with talking(talk) as url, Caller(POLICY) as caller:
        assert caller.exchange("POST", url, {}, Body.of("text/plain", [bytes(2**20)])).status == 413


def test_of_a_long_answer_only_the_beginning_is_read() -> None:
    def talk(link: socket.socket) -> None:
        read_request(link)
        link.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            link.sendall(b"x" * 65536)

    with talking(talk) as url, Caller(ConnectionPolicy(INSIDE, timeout_s=5, max_answer_bytes=1000)) as caller:
        answer = caller.exchange("GET", url, {})
    assert (answer.is_whole, answer.body) == (False, b"x" * 1000)


def redirect_to(location: str, status: int = 302) -> Reply:
    return Reply(status, (("Location", location),))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_where_the_policy_allows(status: int) -> None:
    def reply(request: Received) -> Reply:
        return redirect_to("/there?a=b", status) if request.path == "/hook" else Reply(body=b"there")

    with receiving(reply) as receiver:
        with Caller(ConnectionPolicy(INSIDE, max_redirects=1)) as caller:
            answer = caller.exchange("GET", receiver.url, {})
            assert (answer.status, answer.body) == (200, b"there")
            assert answer.url.endswith("/there?a=b")
        with Caller(POLICY) as caller:
            assert caller.exchange("GET", receiver.url, {}).status == status


def test_redirects_end() -> None:
    with (
        receiving(lambda _: redirect_to("/hook")) as receiver,
        Caller(ConnectionPolicy(INSIDE, max_redirects=3)) as caller,
    ):
        assert caller.exchange("GET", receiver.url, {}).status == 302
    assert len(receiver.requests) == 4


@pytest.mark.parametrize(("status", "requests"), [(301, 1), (302, 1), (303, 1), (307, 2), (308, 2)])
def test_a_message_is_sent_on_only_as_a_message(status: int, requests: int) -> None:
    def reply(request: Received) -> Reply:
        return redirect_to("/there", status) if request.path == "/hook" else Reply()

    with receiving(reply) as receiver, Caller(ConnectionPolicy(INSIDE, max_redirects=3)) as caller:
        caller.exchange("POST", receiver.url, {"authorization": "Token x"}, Body.of("text/plain", [b"body"]))
    assert [(each.method, each.body) for each in receiver.requests] == [("POST", b"body")] * requests
    assert receiver.requests[-1].headers["authorization"] == "Token x"


def test_headers_for_one_receiver_are_not_told_to_another() -> None:
    with (
        receiving() as other,
        receiving(lambda _: redirect_to(other.url, 307)) as first,
        Caller(ConnectionPolicy(INSIDE, max_redirects=3)) as caller,
    ):
        caller.exchange("POST", first.url, {"authorization": "Token x"}, Body.of("text/plain", [b"body"]))
    assert other.requests[0].body == b"body"
    assert "authorization" not in other.requests[0].headers


def test_a_redirect_to_an_inner_address_is_refused() -> None:
    """The outer address here is loopback under a policy that lets that one address pass, as a public one would."""

    def resolve(host: str, _port: int) -> list[str]:
        return {"outer.example": ["127.0.0.1"]}.get(host, ["169.254.169.254"])

    policy = ConnectionPolicy(AddressPolicy(True, resolve), max_redirects=3)
    with receiving(lambda _: redirect_to("http://inner.example/latest/meta-data/")) as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        with Caller(policy) as caller, pytest.raises(AddressRefused, match=r"inner\.example"):
            caller.exchange("GET", f"http://outer.example:{port}/", {})


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://example.org/", "http://user:word@127.0.0.1/", "http://[::1/", "http://:80/"],
)
def test_a_redirect_to_something_else_is_an_error(location: str) -> None:
    with (
        receiving(lambda _: redirect_to(location)) as receiver,
        Caller(ConnectionPolicy(INSIDE, max_redirects=3)) as caller,
        pytest.raises(RequestError),
    ):
        caller.exchange("GET", receiver.url, {})


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b"])
def test_headers_cannot_be_injected(value: str) -> None:
    with receiving() as receiver, Caller(POLICY) as caller:
        with pytest.raises((DeliveryError, RequestError)):
            caller.exchange("POST", receiver.url, {"X-Given": value}, Body.of("text/plain", [b""]))
        assert caller.exchange("GET", receiver.url, {}).status == 200
    assert all("x-evil" not in request.headers for request in receiver.requests)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for camera.example that vouches for itself, and its key."""
    folder = tmp_path_factory.mktemp("authority")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=camera.example", "-addext", "subjectAltName=DNS:camera.example"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("the openssl command is not installed: no certificate to test with")
    return folder


@pytest.mark.parametrize(
    ("host", "trusted", "works"),
    [("camera", True, True), ("camera", False, False), ("other", True, False)],
    ids=["as certified", "unknown authority", "another name"],
)
def test_certificates_are_checked_for_the_name_not_the_address(
    authority: Path, host: str, trusted: bool, works: bool
) -> None:
    seen: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "certificate.pem", authority / "key.pem")
    context.sni_callback = lambda _socket, name, _context: seen.append(name)
    policy = ConnectionPolicy(
        names(camera="127.0.0.1", other="127.0.0.1"),
        timeout_s=5,
        ca_file=authority / "certificate.pem" if trusted else None,
    )
    with receiving(tls=context) as receiver, Caller(policy) as caller:
        url = receiver.url.replace("127.0.0.1", f"{host}.example")
        if works:
            assert caller.exchange("GET", url, {}).status == 200
            assert caller.exchange("GET", url, {}).status == 200
            assert len({request.connection for request in receiver.requests}) == 1
        else:
            with pytest.raises(DeliveryError, match="certificate verify failed"):
                caller.exchange("GET", url, {})
            assert receiver.requests == []
    assert set(seen) == {f"{host}.example"}


def test_from_https_no_redirect_leads_to_http(authority: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "certificate.pem", authority / "key.pem")
    policy = ConnectionPolicy(
        names(camera="127.0.0.1"), timeout_s=5, max_redirects=3, ca_file=authority / "certificate.pem"
    )
    with (
        receiving() as plain,
        receiving(lambda _: redirect_to(plain.url), tls=context) as secure,
        Caller(policy) as caller,
        pytest.raises(AddressRefused, match="from https to http"),
    ):
        caller.exchange("GET", secure.url.replace("127.0.0.1", "camera.example"), {})
    assert plain.requests == []


def test_a_caller_closes_its_connections() -> None:
    closed = threading.Event()

    def talk(link: socket.socket) -> None:
        read_request(link)
        link.sendall(OK)
        if link.recv(1) == b"":
            closed.set()

    with talking(talk) as url:
        with Caller(POLICY) as caller:
            caller.exchange("GET", url, {})
        assert closed.wait(5)
