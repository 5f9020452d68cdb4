"""Receivers of Stream's webhooks in the outbox, kept as the settings have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from openplate.delivery.dispatcher import TargetOptions
from openplate.settings.stream import StreamWebhook
from openplate.storage import ImageKind, Store, Target

FOLDER: Final = "stream"
_FORM: Final[tuple[ImageKind, ...]] = ("original",)


def open_stream_store(data_folder: Path) -> Store:
    """The outbox of Stream's webhooks, apart from the server's: its receivers are told of nothing else.

    Raises:
        StorageError: it cannot be opened.
    """
    return Store.open(None, data_folder / FOLDER)


def keep_targets(store: Store, webhooks: Iterable[StreamWebhook]) -> Mapping[StreamWebhook, Target]:
    """Makes the store's targets those of the settings, and says which is whose.

    What waits for a receiver that the settings name no more is still delivered; after it the receiver is forgotten. One
    that was disabled after days of failing is tried again.

    Raises:
        StorageError: the store cannot be used.
    """
    known = {_key(target): target for target in store.targets()}
    found: dict[StreamWebhook, Target] = {}
    for webhook in dict.fromkeys(webhooks):
        key = (webhook.url, target_images(webhook), webhook.header or None)
        target = known.get(key)
        if target is None:
            target = store.create_target(webhook.url, images=key[1], header=key[2])
            known[key] = target
        elif target.state != "active":
            target = store.set_target_state(target.id, "active")
            store.requeue(target.id)
        found[webhook] = target
    wanted = {target.id for target in found.values()}
    waiting = {each.target_id for each in store.backlog() if each.waiting}
    for target in known.values():
        if target.id not in wanted | waiting:
            store.delete_target(target.id)
    return found


def target_options(targets: Mapping[StreamWebhook, Target]) -> dict[int, TargetOptions]:
    """``request_timeout`` and ``caching`` by the targets' ids; of sections that share one the more patient counts."""
    found: dict[int, TargetOptions] = {}
    for webhook, target in targets.items():
        known = found.get(target.id, TargetOptions(0.0, tries_once=True))
        timeout_s = max(known.timeout_s or 0.0, webhook.request_timeout)
        found[target.id] = TargetOptions(timeout_s, tries_once=known.tries_once and not webhook.caching)
    return found


def target_images(webhook: StreamWebhook) -> tuple[ImageKind, ...]:
    """A target without pictures would be sent bare JSON, as the Snapshot does; Stream always sends a form."""
    return tuple(webhook.image_type) if webhook.image and webhook.image_type else _FORM


def _key(target: Target) -> tuple[str, tuple[ImageKind, ...], str | None]:
    return target.url, target.images, target.header
