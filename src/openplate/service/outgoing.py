"""What leaves the server, as the settings allow it: messages, mail, pictures that are fetched."""

from __future__ import annotations

from datetime import timedelta

from openplate.delivery.addresses import AddressPolicy
from openplate.delivery.connections import ConnectionPolicy
from openplate.delivery.dispatcher import Dispatcher, DispatcherOptions
from openplate.delivery.mail import MailServer
from openplate.settings import Settings, SmtpSettings
from openplate.storage import Store


def receiver_addresses(settings: Settings) -> AddressPolicy:
    """Where receivers of webhooks may be."""
    return AddressPolicy(settings.webhooks.allow_private)


def build_dispatcher(store: Store, settings: Settings) -> Dispatcher:
    """The dispatcher of a process, not started yet."""
    webhooks = settings.webhooks
    policy = ConnectionPolicy(
        addresses=receiver_addresses(settings), timeout_s=webhooks.timeout_s, max_redirects=webhooks.max_redirects
    )
    server = _mail_server(settings.smtp)
    give_up_after = timedelta(seconds=webhooks.give_up_after_s)
    return Dispatcher(
        store,
        policy,
        None if server is None else server.send,
        DispatcherOptions(senders=webhooks.senders, give_up_after=give_up_after),
    )


def fetch_policy(settings: Settings) -> ConnectionPolicy:
    """How pictures are fetched that requests name."""
    limits = settings.upload_url
    return ConnectionPolicy(
        addresses=AddressPolicy(limits.allow_private),
        timeout_s=limits.timeout_s,
        max_redirects=limits.max_redirects,
        max_answer_bytes=limits.max_bytes,
    )


def _mail_server(smtp: SmtpSettings) -> MailServer | None:
    if smtp.host is None:
        return None
    return MailServer(smtp.host, smtp.port, smtp.encryption, smtp.user, smtp.password, smtp.sender, smtp.timeout_s)
