"""The pages for people: ``/`` to try a picture, ``/docs`` to read the interface. Nothing is loaded from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from jinja2 import DictLoader, Environment

from openplate import __version__
from openplate.api.errors import Headers, Response, json_response
from openplate.api.exchange import Exchange
from openplate.api.openapi import document
from openplate.api.ports import ServicePort

_HTML: Final = "text/html; charset=utf-8"
_NAMES: Final = ("home.html", "reference.html", "page.css", "home.js")


class Pages:
    """A page is the same for everyone."""

    def __init__(self, service: ServicePort) -> None:
        self._home, self._reference, self._openapi = _make(service.token_required, service.success_status)

    async def home(self, _exchange: Exchange) -> Response:
        return self._home

    async def reference(self, _exchange: Exchange) -> Response:
        return self._reference

    async def openapi(self, _exchange: Exchange) -> Response:
        return self._openapi


@cache
def _make(token_required: bool, success_status: int) -> tuple[Response, Response, Response]:
    """The page to try, the page to read, and the description for programs."""
    sources = _sources()
    environment = Environment(loader=DictLoader(sources), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}  # examples are read in their order
    description = document(token_required, success_status)
    values: dict[str, Any] = {
        "version": __version__,
        "style": sources["page.css"],
        "script": sources["home.js"],
        "token_required": token_required,
        "document": description,
    }
    headers = _headers(sources["page.css"], sources["home.js"])
    home = _page(environment, "home.html", values, headers)
    return home, _page(environment, "reference.html", values, headers), json_response(description)


def _sources() -> dict[str, str]:
    folder = files("openplate.api") / "templates"
    return {name: (folder / name).read_text(encoding="utf-8") for name in _NAMES}


def _page(environment: Environment, name: str, values: dict[str, Any], headers: Headers) -> Response:
    text = environment.get_template(name).render(values)
    return Response(200, text.encode("utf-8"), _HTML, headers)


def _headers(style: str, script: str) -> Headers:
    """Only our own style and script run, by their checksums, and only this server is talked to."""
    rules = (
        "default-src 'none'",
        f"style-src '{_checksum(style)}'",
        f"script-src '{_checksum(script)}'",
        "img-src 'self' blob: data:",  # the picture that was chosen, and the icon
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return (("content-security-policy", "; ".join(rules)), ("referrer-policy", "no-referrer"))


def _checksum(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode("utf-8")).digest()).decode("ascii")
