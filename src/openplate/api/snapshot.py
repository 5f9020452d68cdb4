"""``POST /v1/plate-reader/``: what the plates of one picture say."""

from __future__ import annotations

from openplate.api.auth import caller
from openplate.api.errors import Response, json_response
from openplate.api.exchange import Exchange
from openplate.api.ports import Picture, ServicePort
from openplate.api.uploads import Form, Room, read_form
from openplate.errors import RequestError
from openplate.formats.snapshot_request import SnapshotRequest, parse_snapshot_request


class PlateReader:
    """The recognition call; everything that can refuse a request without its body does so before it is read."""

    def __init__(self, service: ServicePort, room: Room) -> None:
        self._service, self._room = service, room

    async def post(self, exchange: Exchange) -> Response:
        service = self._service
        token = await caller(exchange, service)
        await service.admit(token)
        with self._room.share() as share:
            form = await read_form(exchange, service.limits, share)
            request = parse_snapshot_request(form.fields)
            picture = await self._picture(form, request)
            body = await service.recognize(picture, request, token, exchange.received_at)
        return json_response(body, service.success_status)

    async def _picture(self, form: Form, request: SnapshotRequest) -> Picture:
        if request.upload_url is not None:
            return await self._service.fetch(request.upload_url)
        if "upload" in form.files:
            return form.files["upload"]
        sent = sorted({*form.fields, *form.unexpected})
        seen = f" The request has the fields {', '.join(sent)[:200]}." if sent else ""
        raise RequestError(
            "No picture: send it in the field upload, as a file or as base64 text, or name it in upload_url." + seen
        )
