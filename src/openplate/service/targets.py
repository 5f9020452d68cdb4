"""Receivers of webhooks, managed: what may be one, what may be done with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from openplate.delivery.addresses import AddressPolicy
from openplate.delivery.messages import check_target
from openplate.service.values import NewTarget
from openplate.storage import Store, Target


class TargetDesk:
    """Blocking: for threads that may wait for the database and for name servers."""

    def __init__(self, store: Store, addresses: AddressPolicy, changed: Callable[[], None]) -> None:
        """
        Args:
            store: where they are.
            addresses: what may be sent to.
            changed: called after each change.
        """
        self._store, self._addresses, self._changed = store, addresses, changed

    def create(self, new: NewTarget) -> Target:
        """Raises RequestError (AddressRefused) for what messages cannot be sent to."""
        check_target(new.url, self._addresses, header=new.header, secret=new.secret, owner_email=new.owner_email)
        target = self._store.create_target(
            new.url,
            images=new.images,
            header=new.header,
            secret=new.secret,
            owner_email=new.owner_email,
        )
        self._changed()
        return target

    def set_state(self, target_id: int, state: Literal["active", "paused"]) -> Target | None:
        """None: there is no such target. One that becomes active gets what it was given up on as if it were new."""
        if self._store.target(target_id) is None:
            return None
        after = self._store.set_target_state(target_id, state)
        if state == "active":
            self._store.requeue(target_id)
        self._changed()
        return after

    def delete(self, target_id: int) -> bool:
        """False: there is no such target."""
        if self._store.target(target_id) is None:
            return False
        self._store.delete_target(target_id)
        self._changed()
        return True

    def levels(self) -> Mapping[str, float]:
        """What waits for receivers, and how many receivers are in which state."""
        backlog, targets = self._store.backlog(), self._store.targets()
        states = {f"targets_{state}": 0.0 for state in ("active", "paused", "disabled")}
        for target in targets:
            states[f"targets_{target.state}"] += 1
        return {
            "outbox_messages": float(sum(each.waiting for each in backlog)),
            "outbox_given_up": float(sum(each.given_up for each in backlog)),
            **states,
        }
