"""Mail to owners, handed in to a real (small) mail server on loopback."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import BinaryIO
from urllib.parse import urlsplit

import pytest
from receivers import do_nothing, free_port, talking

from openplate.delivery.mail import MailServer
from openplate.errors import DeliveryError


@dataclass
class PostOffice:
    """Speaks enough SMTP to take mail; ``refusals`` are the answers to some commands."""

    refusals: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)

    def talk(self, link: socket.socket) -> None:
        with link.makefile("rb") as lines:
            self.converse(link, lines)

    def converse(self, link: socket.socket, lines: BinaryIO) -> None:
        link.sendall(b"220 post.example\r\n")
        while line := lines.readline():
            command = line.decode(errors="replace").strip()
            self.commands.append(command)
            word = command.partition(" ")[0].upper()
            if word in self.refusals:
                link.sendall(self.refusals[word].encode() + b"\r\n")
            elif word == "EHLO":
                link.sendall(b"250-post.example\r\n250 AUTH PLAIN\r\n")
            elif word == "AUTH":
                link.sendall(b"235 Welcome\r\n")
            elif word == "DATA":
                link.sendall(b"354 Go on\r\n")
                self.mails.append(b"".join(iter(lines.readline, b".\r\n")))
                link.sendall(b"250 Taken\r\n")
            else:
                link.sendall(b"250 Yes\r\n")


def server_at(url: str, *, user: str | None = None, timeout_s: float = 5) -> MailServer:
    port = urlsplit(url).port
    assert port is not None
    return MailServer("127.0.0.1", port, "none", user, "word", "openplate@gate.example", timeout_s)


def test_a_mail_is_handed_in() -> None:
    office = PostOffice()
    with talking(office.talk) as url:
        server_at(url, user="gate").send("owner@example.org", "Webhook 7 is disabled", "It failed:\ngrößer\n.\n")
    (sent,) = office.mails
    mail = message_from_bytes(sent, policy=policy.default)
    assert mail["To"] == "owner@example.org"
    assert mail["From"] == "openplate@gate.example"
    assert mail["Subject"] == "Webhook 7 is disabled"
    assert mail["Date"]
    assert mail["Message-ID"]
    assert "größer" in mail.get_body().get_content()  # type: ignore[union-attr]
    assert any(command.startswith("AUTH PLAIN") for command in office.commands)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "AUTH"])
def test_a_refusal_is_a_delivery_error(command: str) -> None:
    office = PostOffice({command: "550 Not with us"})
    with talking(office.talk) as url, pytest.raises(DeliveryError, match="Not with us"):
        server_at(url, user="gate").send("owner@example.org", "Subject", "Text")


def test_encryption_is_demanded_where_it_is_set() -> None:
    with talking(PostOffice().talk) as url:
        port = urlsplit(url).port or 0
        with pytest.raises(DeliveryError, match="STARTTLS"):
            MailServer("127.0.0.1", port).send("owner@example.org", "Subject", "Text")
        with pytest.raises(DeliveryError):
            MailServer("127.0.0.1", port, "tls", timeout_s=1).send("owner@example.org", "Subject", "Text")


@pytest.mark.parametrize(
    ("recipient", "subject"),
    [("owner@example.org\r\nBcc: all@example.org", "Subject"), ("owner@example.org", "Subject\nBcc: all@example.org")],
)
def test_headers_cannot_be_injected(recipient: str, subject: str) -> None:
    office = PostOffice()
    with talking(office.talk) as url, pytest.raises(DeliveryError):
        server_at(url).send(recipient, subject, "Text")
    assert office.mails == []


def test_nobody_there_and_nobody_answering_are_delivery_errors() -> None:
    with pytest.raises(DeliveryError, match="owner@"):
        MailServer("127.0.0.1", free_port(), "none").send("owner@example.org", "Subject", "Text")
    with talking(do_nothing) as url, pytest.raises(DeliveryError, match="timed out"):
        server_at(url, timeout_s=0.3).send("owner@example.org", "Subject", "Text")
