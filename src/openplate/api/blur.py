"""``POST /v1/blur``: a picture with its plates made unreadable. Errors are ``{"error": ...}``, unlike Snapshot's."""

from __future__ import annotations

import json

from openplate.api.auth import caller
from openplate.api.errors import Response, error_response, json_response
from openplate.api.exchange import Exchange
from openplate.api.ports import Picture, ServicePort
from openplate.api.uploads import Form, Room, read_form
from openplate.errors import ImageError, RequestError
from openplate.formats.blur import BlurRequest, blur_answer, failure, parse_blur_request
from openplate.service.blurring import blur

_MARK = "logo"


class Blur:
    """The blur call; it counts as a call of recognition does."""

    def __init__(self, service: ServicePort, room: Room) -> None:
        self._service, self._room = service, room

    async def post(self, exchange: Exchange) -> Response:
        try:
            return await self._answer(exchange)
        except (RequestError, ImageError) as error:
            plain = error_response(error)
            return json_response(failure(json.loads(plain.body)["detail"]), plain.status, plain.headers)

    async def _answer(self, exchange: Exchange) -> Response:
        service = self._service
        token = await caller(exchange, service)
        await service.admit(token)
        with self._room.share() as share:
            form = await read_form(exchange, service.limits, share, files=("upload", _MARK))
            request = parse_blur_request(form.fields)
            picture = await self._picture(form, request)
            recognizer = service.recognizer
            done = await service.in_pool(lambda: blur(picture, form.files.get(_MARK), request, recognizer))
        await service.count(token, request.snapshot.camera_id, exchange.received_at)
        if (exchange.header("accept") or "").startswith("image/"):
            return Response(200, done.picture, "image/jpeg")
        name = request.filename or picture.filename
        body = blur_answer(
            done.recognition, request, filename=name, timestamp=exchange.received_at, blurred=done.picture
        )
        return json_response(body)

    async def _picture(self, form: Form, request: BlurRequest) -> Picture:
        url = request.snapshot.upload_url
        if url is not None:
            return await self._service.fetch(url)
        if "upload" in form.files:
            return form.files["upload"]
        raise RequestError("No picture: send it in the field upload, or name it in upload_url.")
