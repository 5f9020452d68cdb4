"""E-mail to the owners of targets, through the mail server that the settings name."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Literal

from openplate.errors import DeliveryError

Encryption = Literal["starttls", "tls", "none"]
SendMail = Callable[[str, str, str], None]
"""To an address, with a subject and a text; DeliveryError when the mail was not taken."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. ``timeout_s`` is for each step of the conversation; ``ca_file`` is trusted too."""

    host: str
    port: int = 587
    encryption: Encryption = "starttls"
    user: str | None = None
    password: str | None = None
    sender: str = "openplate@localhost"
    timeout_s: float = 30.0
    ca_file: Path | None = None

    def send(self, recipient: str, subject: str, text: str) -> None:
        """Hands in one mail.

        Raises:
            DeliveryError: an address or the subject cannot be used, or the server did not take it.
        """
        message = EmailMessage()
        try:
            message["From"] = self.sender
            message["To"] = recipient
            message["Subject"] = subject
            message["Date"] = formatdate()
            message["Message-ID"] = make_msgid(domain="openplate.invalid")
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(text)
            self._hand_in(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise DeliveryError(f"mail to {recipient} through {self.host}:{self.port} failed: {error}") from error

    def _hand_in(self, message: EmailMessage) -> None:
        server = self._connect()
        try:
            if self.encryption == "starttls":
                server.starttls(context=self._context())
            if self.user is not None:
                server.login(self.user, self.password or "")
            server.send_message(message)
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()  # the mail is taken already
        finally:
            server.close()

    def _connect(self) -> smtplib.SMTP:
        name = socket.gethostname() or "localhost"  # the library's own choice asks a name server
        if self.encryption == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, name, timeout=self.timeout_s, context=self._context())
        return smtplib.SMTP(self.host, self.port, name, timeout=self.timeout_s)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        return context
