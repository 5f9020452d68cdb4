"""All paths of the interface as one ASGI application."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from openplate.api.accounts import Accounts
from openplate.api.blur import Blur
from openplate.api.errors import Response, not_found
from openplate.api.exchange import Exchange
from openplate.api.health import Health
from openplate.api.metrics import Metrics
from openplate.api.pages import Pages
from openplate.api.ports import ServicePort
from openplate.api.resource import Handler, Resource
from openplate.api.snapshot import PlateReader
from openplate.api.uploads import Room
from openplate.api.webhooks import Webhooks


def create_app(service: ServicePort) -> ASGIApp:
    """The application. ``service`` is open, and closed by whoever opened it; one event loop serves both."""
    metrics, room = Metrics(), Room(service.limits.max_waiting_bytes)
    routes = _Routes(metrics)
    _add_recognition(routes, service, room)
    _add_management(routes, service, room)
    _add_watching(routes, service, metrics, room)
    _add_pages(routes, service, room)
    other = Resource("other", dict.fromkeys(_METHODS, _not_found), metrics)
    return Application(Router(routes.all, redirect_slashes=False, default=other))


class Application:
    """The router for HTTP and nothing else."""

    def __init__(self, router: Router) -> None:
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        await self._router(scope, receive, send)


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class _Routes:
    def __init__(self, metrics: Metrics) -> None:
        self.all: list[BaseRoute] = []
        self._metrics = metrics

    def add(self, path: str, *, open_to_origins: bool = False, **handlers: Handler) -> None:
        """One path, with and without a slash at its end: a redirect would lose the body of a POST."""
        resource = Resource(path, handlers, self._metrics, open_to_origins=open_to_origins)
        other = path.removesuffix("/") if path.endswith("/") else path + "/"
        for form in (path, other) if path != "/" else (path,):
            self.all.append(Route(form, resource))


def _add_recognition(routes: _Routes, service: ServicePort, room: Room) -> None:
    accounts = Accounts(service)
    routes.add("/v1/plate-reader/", POST=PlateReader(service, room).post, open_to_origins=True)
    routes.add("/v1/statistics/", GET=accounts.statistics, open_to_origins=True)
    routes.add("/info/", GET=accounts.info, open_to_origins=True)


def _add_management(routes: _Routes, service: ServicePort, room: Room) -> None:
    webhooks = Webhooks(service, room)
    one = "/v1/webhooks/{target_id}"
    routes.add("/v1/webhooks", GET=webhooks.list, POST=webhooks.create)
    routes.add(one, GET=webhooks.show, DELETE=webhooks.delete)
    routes.add(one + "/test", POST=webhooks.test)
    routes.add(one + "/pause", POST=webhooks.pause)
    routes.add(one + "/resume", POST=webhooks.resume)


def _add_watching(routes: _Routes, service: ServicePort, metrics: Metrics, room: Room) -> None:
    health = Health(service, metrics, room)
    routes.add("/health/live", GET=health.live)
    routes.add("/health/ready", GET=health.ready)
    routes.add("/metrics", GET=health.metrics)


def _add_pages(routes: _Routes, service: ServicePort, room: Room) -> None:
    """Older clients of Blur send to the root."""
    pages, blur = Pages(service), Blur(service, room)
    routes.add("/v1/blur", POST=blur.post)
    routes.add("/", GET=pages.home, POST=blur.post)
    routes.add("/docs", GET=pages.reference)
    routes.add("/openapi.json", GET=pages.openapi, open_to_origins=True)


async def _not_found(_exchange: Exchange) -> Response:
    raise not_found()
