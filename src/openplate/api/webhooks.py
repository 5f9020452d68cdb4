"""``/v1/webhooks``: who is told of recognitions. Every call needs a token, in either flavour.

A target receives every plate that is read, so whoever may set one must be known even where recognition is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Final, Literal

from openplate.api.auth import token_of
from openplate.api.errors import Response, json_response, not_found
from openplate.api.exchange import Exchange
from openplate.api.ports import NewTarget, ServicePort
from openplate.api.uploads import Room, read_form
from openplate.errors import RequestError
from openplate.storage.records import IMAGE_DONE, IMAGE_KINDS, ImageKind, Target

_MAX_BODY_BYTES: Final = 64 * 2**10
_LARGEST_ID: Final = 2**31 - 1
_LONGEST: Final = {"event": 60, "url": 2048, "header": 2048, "secret": 200, "owner_email": 254}
_FIELDS: Final = ("url", "event", "images", "header", "secret", "owner_email")


class Webhooks:
    """The list of targets and what can be done with one."""

    def __init__(self, service: ServicePort, room: Room) -> None:
        self._service, self._room = service, room

    async def list(self, exchange: Exchange) -> Response:
        await token_of(exchange, self._service)
        targets = await self._service.targets()
        return json_response({"webhooks": [describe_target(target) for target in targets]})

    async def create(self, exchange: Exchange) -> Response:
        await token_of(exchange, self._service)
        limits = replace(self._service.limits, max_body_bytes=_MAX_BODY_BYTES)
        with self._room.share() as share:
            form = await read_form(exchange, limits, share, files=())
        target = await self._service.create_target(parse_target(form.fields))
        return json_response(describe_target(target), 201)

    async def show(self, exchange: Exchange) -> Response:
        await token_of(exchange, self._service)
        return _described(await self._service.target(_id(exchange)))

    async def delete(self, exchange: Exchange) -> Response:
        await token_of(exchange, self._service)
        target_id = _id(exchange)
        if not await self._service.delete_target(target_id):
            raise not_found()
        return json_response({"deleted": target_id})

    async def pause(self, exchange: Exchange) -> Response:
        return await self._set_state(exchange, "paused")

    async def resume(self, exchange: Exchange) -> Response:
        return await self._set_state(exchange, "active")

    async def _set_state(self, exchange: Exchange, state: Literal["active", "paused"]) -> Response:
        await token_of(exchange, self._service)
        return _described(await self._service.set_target_state(_id(exchange), state))

    async def test(self, exchange: Exchange) -> Response:
        await token_of(exchange, self._service)
        outcome = await self._service.test_target(_id(exchange))
        if outcome is None:
            raise not_found()
        return json_response({"delivered": outcome.delivered, "status": outcome.status, "detail": outcome.detail})


def describe_target(target: Target) -> dict[str, object]:
    """A target as clients see it: the values of its header and its secret stay here."""
    return {
        "id": target.id,
        "url": target.url,
        "event": target.event,
        "images": list(target.images),
        "header": None if target.header is None else target.header.partition(":")[0].strip(),
        "signed": target.secret is not None,
        "state": target.state,
        "owner_email": target.owner_email,
        "created_at": target.created_at.isoformat(),
        "failing_since": None if target.failing_since is None else target.failing_since.isoformat(),
    }


def parse_target(fields: Mapping[str, tuple[str, ...]]) -> NewTarget:
    """The target that a form or a JSON object describes.

    Raises:
        RequestError: a field is missing, unknown or of the wrong form.
    """
    for name in fields:
        if name not in _FIELDS:
            near = get_close_matches(name, _FIELDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_FIELDS)}."
            raise RequestError(f"There is no field {name[:60]!r}; {hint}")
    url = _one(fields, "url")
    if url is None:
        raise RequestError("The field url is missing: the address that messages are sent to.")
    event = _one(fields, "event") or IMAGE_DONE
    if event != IMAGE_DONE:
        raise RequestError(f"The event must be {IMAGE_DONE}, not {event[:60]!r}.")
    return NewTarget(
        url=url,
        images=_images(fields.get("images", ())),
        header=_header(_one(fields, "header")),
        secret=_one(fields, "secret"),
        owner_email=_one(fields, "owner_email"),
    )


def _one(fields: Mapping[str, tuple[str, ...]], name: str) -> str | None:
    values = fields.get(name, ())
    if len(values) > 1:
        raise RequestError(f"The field {name} can be given once only.")
    text = values[0].strip() if values else ""
    if len(text) > _LONGEST[name]:
        raise RequestError(f"The field {name} is longer than {_LONGEST[name]} characters.")
    if not text.isprintable():
        raise RequestError(f"The field {name} may not contain control characters or line breaks.")
    return text or None


def _images(values: tuple[str, ...]) -> tuple[ImageKind, ...]:
    asked = {word.strip() for value in values for word in value.split(",")} - {""}
    unknown = sorted(asked - set(IMAGE_KINDS))
    if unknown:
        raise RequestError(f"There is no image {unknown[0][:60]!r}; there are {', '.join(IMAGE_KINDS)}.")
    return tuple(kind for kind in IMAGE_KINDS if kind in asked)


def _header(text: str | None) -> str | None:
    """``Name: value`` in ASCII; nothing that could end the line and begin another."""
    if text is None:
        return None
    name, colon, value = text.partition(":")
    if not colon or not name.replace("-", "").replace("_", "").isalnum() or not text.isascii() or not value.strip():
        raise RequestError("The field header must be of the form Name: value, in ASCII.")
    return f"{name}: {value.strip()}"


def _id(exchange: Exchange) -> int:
    text: str = exchange.parameters["target_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _LARGEST_ID):
        raise not_found()
    return int(text)


def _described(target: Target | None) -> Response:
    if target is None:
        raise not_found()
    return json_response(describe_target(target))
