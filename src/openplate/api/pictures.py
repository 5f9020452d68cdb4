"""The agent's picture server, as Scout has it on port 8355: frames by their uuids, whole, cut out and scaled down."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape
from threading import BoundedSemaphore
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from openplate.datatypes import Box
from openplate.errors import ImageError, RequestError, StorageError
from openplate.imaging import Image, ImageLimits, crop, encode_jpeg
from openplate.imaging.scaling import scaled_down
from openplate.storage.pictures import PictureRing

LARGEST_NUMBER: Final = 10**15
LIMITS: Final = ImageLimits(max_bytes=32 * 2**20, max_pixels=50_000_000)
"""Pictures of the ring are our own; what somebody else put there is not decoded without bounds."""
QUALITY: Final = 90
MOST_BOX: Final = 100_000

_DECODING = BoundedSemaphore(4)
"""So many pictures are changed at the same time: each takes its memory."""
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")
_JSON: Final = "application/json"


def create_picture_app(ring: PictureRing) -> ASGIApp:
    """The application; it changes nothing, and asks nobody who they are: let it listen where only friends are."""
    server = _Pictures(ring)
    return Router(
        [
            _route("/", server.home),
            _route("/img/{name}", server.picture),
            _route("/crop/{name}", server.cut),
            _route("/list", server.list),
            _route("/meta/{name}", server.meta),
        ],
        redirect_slashes=False,
        default=_not_found,
    )


def _route(path: str, work: Callable[[Request], Response]) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            answer = await run_in_threadpool(work, request)
        except RequestError as error:
            answer = _refusal(400, str(error))
        except ImageError:
            answer = _refusal(404, "The stored picture cannot be read.")
        except StorageError:
            answer = _refusal(503, "The folder of pictures cannot be read at present.")
        answer.headers["x-content-type-options"] = "nosniff"
        return answer

    return Route(path, endpoint, methods=["GET"])


class _Pictures:
    def __init__(self, ring: PictureRing) -> None:
        self._ring = ring

    def home(self, _request: Request) -> Response:
        """Programs look for the earliest time in this page."""
        kept = [each for each in self._ring.list() if each.has_meta]
        earliest = kept[0].epoch_ms if kept else 0
        lines = [
            "<!doctype html><html lang=en><meta charset=utf-8><title>Openplate: pictures</title>",
            f"<p>Pictures: {len(self._ring)}, {self._ring.used_bytes} of {self._ring.max_bytes} bytes</p>",
            f"<p>Earliest date epoch: {earliest}</p>",
        ]
        return HTMLResponse("\n".join(lines))

    def picture(self, request: Request) -> Response:
        """A whole frame; ``x y width height`` cut a part out, ``max_width`` scales down."""
        uuid = str(request.path_params["name"])
        uuid = uuid.removesuffix(".jpg").removesuffix(".jpeg")
        numbers = _numbers(request, ("x", "y", "width", "height", "max_width"))
        data = self._ring.get(uuid)
        if data is None:
            return _gone(uuid)
        box = _box_of_size(numbers)
        max_width = numbers.get("max_width")
        if max_width is not None and not 1 <= max_width <= MOST_BOX:
            raise RequestError(f"max_width must be a number from 1 to {MOST_BOX}.")
        if box is None and max_width is None:
            return _jpeg(data)
        return _jpeg(_changed(data, box, None if max_width is None else int(max_width)))

    def cut(self, request: Request) -> Response:
        """The part between two corners."""
        uuid = str(request.path_params["name"])
        uuid = uuid.removesuffix(".jpg").removesuffix(".jpeg")
        names = ("x1", "y1", "x2", "y2")
        numbers = _numbers(request, names)
        missing = [name for name in names if name not in numbers]
        if missing:
            raise RequestError(f"A crop needs x1, y1, x2 and y2; missing: {', '.join(missing)}.")
        if not (numbers["x1"] < numbers["x2"] and numbers["y1"] < numbers["y2"]):
            raise RequestError("A crop needs x1 < x2 and y1 < y2.")
        data = self._ring.get(uuid)
        if data is None:
            return _gone(uuid)
        return _jpeg(_changed(data, Box(*(numbers[name] for name in names)), None))

    def list(self, request: Request) -> Response:
        """Pictures of which a group is known, with the times at which they were taken, oldest first."""
        numbers = _numbers(request, ("start", "end"))
        start, end = (None if name not in numbers else int(numbers[name]) for name in ("start", "end"))
        kept = self._ring.list(start, end)
        return _json([{"time": each.epoch_ms, "key": each.uuid} for each in kept if each.has_meta])

    def meta(self, request: Request) -> Response:
        """The group whose best picture it is."""
        uuid = str(request.path_params["name"])
        known = self._ring.meta(uuid)
        return _gone(uuid) if known is None else _json(known)


def _numbers(request: Request, names: tuple[str, ...]) -> dict[str, float]:
    """The numbers that the query gives; other keys are nobody's business. Raises RequestError."""
    found = {}
    for name in names:
        text = request.query_params.get(name)
        if text is None or text == "":
            continue
        if not _NUMBER.fullmatch(text) or abs(float(text)) > LARGEST_NUMBER:
            raise RequestError(f"{name} must be a number, not {text[:40]!r}.")
        found[name] = float(text)
    return found


def _box_of_size(numbers: dict[str, float]) -> Box | None:
    names = ("x", "y", "width", "height")
    given = [name for name in names if name in numbers]
    if not given:
        return None
    missing = [name for name in names if name not in numbers]
    if missing:
        raise RequestError(f"A part needs x, y, width and height; missing: {', '.join(missing)}.")
    x, y, width, height = (numbers[name] for name in names)
    if not (1 <= width <= MOST_BOX and 1 <= height <= MOST_BOX):
        raise RequestError(f"width and height must be numbers from 1 to {MOST_BOX}.")
    return Box(x, y, x + width, y + height)


def _changed(data: bytes, box: Box | None, max_width: int | None) -> bytes:
    """Raises RequestError for a part outside of the picture."""
    with _DECODING:
        image = Image.from_bytes(data, LIMITS)
        if box is not None:
            if box.intersect(Box(0, 0, image.width, image.height)) is None:
                size = f"{image.width} x {image.height}"
                raise RequestError(f"That part is outside of the picture, which has {size} pixels.")
            image = crop(image, box)
        if max_width is not None:
            image = scaled_down(image, max_width)
        return encode_jpeg(image, QUALITY)


def _jpeg(data: bytes) -> Response:
    """A picture of a uuid never changes, but may be gone soon."""
    return Response(data, media_type="image/jpeg", headers={"cache-control": "private, max-age=300"})


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False).encode(), status, media_type=_JSON)


def _refusal(status: int, sentence: str) -> Response:
    return _json({"error": sentence}, status)


def _gone(uuid: str) -> Response:
    return _refusal(404, f"There is no picture {escape(uuid[:200])!r} here (any more).")


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
        return
    await _refusal(404, "There is no such page.")(scope, receive, send)
