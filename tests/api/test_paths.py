"""The other paths: accounts, health, counters, pages, CORS, methods that are not allowed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.api.calling import Answer, call, form
from tests.api.stand_in_service import SECRET, StandInService, as_port, json_errors

from openplate.api.app import create_app
from openplate.api.openapi import document
from openplate.api.openapi_examples import EXAMPLES

JPEG = b"\xff\xd8\xff" + bytes(100)
TOKEN = {"Authorization": f"Token {SECRET}"}


def get(path: str, service: StandInService | None = None, headers: dict[str, str] | None = None) -> Answer:
    return call(create_app(as_port(service or StandInService())), "GET", path, b"", headers)


@pytest.mark.parametrize("path", ["/v1/statistics/", "/v1/statistics", "/info/", "/info"])
def test_accounts_ask_for_a_token_in_the_cloud_flavour_only(path: str) -> None:
    assert "usage" in get(path).json
    cloud = StandInService(flavour="cloud", token_required=True)
    refused = get(path, cloud)
    assert (refused.status, refused.json["detail"]) == (403, "Authentication credentials were not provided.")
    assert get(path, cloud, TOKEN).status == 200


def test_health() -> None:
    assert get("/health/live").json == {"status": "alive"}
    assert get("/health/ready").json == {"status": "ready", "checks": {"networks": "ok", "database": "ok"}}
    answer = get("/health/ready", StandInService(ready=False))
    assert (answer.status, answer.json["checks"]["database"]) == (503, "locked")


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/plate-reader/x", "/v2/plate-reader/", "/v1//plate-reader/"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_unknown_paths(method: str, path: str) -> None:
    answer = call(create_app(as_port(StandInService())), method, path, b"")
    assert (answer.status, answer.body) == (404, b'{"detail":"Not found."}')


def test_methods_that_are_not_allowed() -> None:
    answer = get("/v1/plate-reader/")
    assert (answer.status, answer.body) == (405, b'{"detail":"Method \\"GET\\" not allowed."}')
    assert answer.headers["allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("path", ["/v1/plate-reader/", "/v1/plate-reader", "/v1/statistics/", "/info/"])
def test_pages_of_any_origin_may_call(path: str) -> None:
    app = create_app(as_port(StandInService()))
    asked = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    answer = call(app, "OPTIONS", path, b"", asked)
    assert answer.status == 200
    assert answer.headers["content-length"] == "0"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert answer.headers["allow"] == answer.headers["access-control-allow-methods"]
    error = call(app, "PUT", path, b"", {"Origin": "https://example.com"})
    assert error.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/v1/webhooks", "/", "/metrics"])
def test_the_rest_is_for_our_own_pages(path: str) -> None:
    assert "access-control-allow-origin" not in get(path).headers


def test_counters() -> None:
    app = create_app(as_port(StandInService()))
    body, headers = form(("upload", "car.jpg", JPEG))
    for _ in range(3):
        call(app, "POST", "/v1/plate-reader", body, headers)
    call(app, "POST", "/v1/plate-reader/", b"")
    call(app, "GET", "/some/where")
    page = call(app, "GET", "/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page.body.decode())
        for sample in family.samples
    }
    assert samples[("openplate_http_requests_total", "/v1/plate-reader/", "200", "POST")] == 3
    assert samples[("openplate_http_requests_total", "/v1/plate-reader/", "400", "POST")] == 1
    assert samples[("openplate_http_requests_total", "404", "GET", "other")] == 1
    assert samples[("openplate_http_request_seconds_count", "/v1/plate-reader/")] == 4
    assert samples[("openplate_queue_length",)] == 3
    assert samples[("openplate_upload_bytes_held",)] == 0


@pytest.mark.parametrize("path", ["/", "/docs"])
@pytest.mark.parametrize("token_required", [False, True])
def test_pages_load_nothing_from_elsewhere(path: str, token_required: bool) -> None:
    answer = get(path, StandInService(token_required=token_required))
    text = answer.body.decode()
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"(src|href)=\"(https?:)?//", text)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    for element in re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(element.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert ('id="token"' in text) == (token_required and path == "/")


def references(tree: Any) -> set[str]:
    if isinstance(tree, dict):
        own = {tree["$ref"]} if "$ref" in tree else set()
        return own.union(*(references(value) for value in tree.values()))
    return set().union(*(references(value) for value in tree)) if isinstance(tree, list) else set()


def test_the_openapi_document_describes_the_paths_that_there_are() -> None:
    service = StandInService()
    app = create_app(as_port(service))
    description = call(app, "GET", "/openapi.json").json
    assert description == document(False, 200)
    for path, operations in description["paths"].items():
        answer = call(app, "OPTIONS", path.replace("{id}", "1"))
        allowed = set(answer.headers["allow"].split(", ")) - {"HEAD", "OPTIONS"}
        assert allowed == {method.upper() for method in operations}, path
    known = {f"#/components/schemas/{name}" for name in description["components"]["schemas"]}
    assert references(description) <= known


def test_every_operation_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
    for path, operations in document(False, 200)["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path}`" in text


def test_every_operation_is_on_the_page() -> None:
    text = get("/docs").body.decode()
    for path, operations in document(False, 200)["paths"].items():
        for method, operation in operations.items():
            assert f'<h2 id="{operation["operationId"]}"><span class="method">{method.upper()}</span>' in text
            assert f"<code>{path}</code>" in text
    assert text.count("<h3>Fields</h3>") == 3
    assert text.index("b4k77q") < text.index("84k77q")


def test_example_errors_are_what_the_server_sends() -> None:
    app = create_app(as_port(StandInService()))
    form_of_mmc = {"Content-Type": "application/x-www-form-urlencoded"}
    assert call(app, "POST", "/v1/plate-reader/", b"mmc=true", form_of_mmc).json == EXAMPLES["bad_request"]
    plain = call(app, "POST", "/v1/plate-reader/", b"x", {"Content-Type": "text/plain"})
    assert plain.json == EXAMPLES["media_type"]
    assert get("/nothing").json == EXAMPLES["not_found"]


class TestWebhooks:
    """Our own: the vendor manages them on a web page."""

    def create(self, app: Any, **fields: Any) -> Answer:
        body = json.dumps({"url": "https://example.com/plates", **fields}).encode()
        return call(app, "POST", "/v1/webhooks", body, {**TOKEN, "Content-Type": "application/json"})

    def test_from_creation_to_deletion(self) -> None:
        app = create_app(as_port(StandInService()))
        created = self.create(app, images=["plate", "original"], header="Authorization: Token x", secret="whsec_abc")
        assert created.status == 201
        assert created.json == {
            "id": 1,
            "url": "https://example.com/plates",
            "event": "image.done",
            "images": ["original", "plate"],
            "header": "Authorization",
            "signed": True,
            "state": "active",
            "owner_email": None,
            "created_at": "2026-03-05T14:02:11.093412+00:00",
            "failing_since": None,
        }
        assert set(created.json) == set(EXAMPLES["Webhook"])
        assert call(app, "GET", "/v1/webhooks/", b"", TOKEN).json == {"webhooks": [created.json]}
        assert call(app, "POST", "/v1/webhooks/1/pause", b"", TOKEN).json["state"] == "paused"
        assert call(app, "POST", "/v1/webhooks/1/resume/", b"", TOKEN).json["state"] == "active"
        assert call(app, "POST", "/v1/webhooks/1/test", b"", TOKEN).json == EXAMPLES["TestOutcome"]
        assert call(app, "GET", "/v1/webhooks/1", b"", TOKEN).json == created.json
        assert call(app, "DELETE", "/v1/webhooks/1", b"", TOKEN).json == {"deleted": 1}
        assert call(app, "GET", "/v1/webhooks/1", b"", TOKEN).status == 404

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", ""), ("POST", ""), ("GET", "/1"), ("DELETE", "/1"), ("POST", "/1/test"), ("POST", "/1/pause")],
    )
    def test_every_call_needs_a_token_in_either_flavour(self, method: str, path: str) -> None:
        service = StandInService()
        answer = call(create_app(as_port(service)), method, "/v1/webhooks" + path, b"")
        assert answer.json == json_errors(403, "Authentication credentials were not provided.")

    @pytest.mark.parametrize("identity", ["2", "0", "-1", "x", "9" * 30, "9" * 5000, "٣", "1%0a"])
    def test_targets_that_are_not_there(self, identity: str) -> None:
        app = create_app(as_port(StandInService()))
        self.create(app)
        for method, action in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/resume")):
            assert call(app, method, f"/v1/webhooks/{identity}{action}", b"", TOKEN).status == 404

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"url": ""}, "url is missing"),
            ({"url": "https://x/" + "y" * 3000}, "longer than 2048"),
            ({"url": "https://x/\r\nX: y"}, "control characters"),
            ({"url": "http://169.254.169.254/"}, "may not be connected"),
            ({"urll": "x"}, "did you mean url?"),
            ({"event": "image.new"}, "image.done"),
            ({"images": ["plates"]}, "original, vehicle, plate"),
            ({"header": "no colon"}, "Name: value"),
            ({"header": "A: b\r\nC: d"}, "control characters"),
            ({"header": "A b: c"}, "Name: value"),
            ({"header": "A: ü"}, "Name: value"),
            ({"secret": ["a", "b"]}, "once only"),
        ],
    )
    def test_wrong_fields_are_told(self, fields: dict[str, Any], words: str) -> None:
        answer = self.create(create_app(as_port(StandInService())), **fields)
        assert answer.status == 400
        assert words in answer.json["detail"]

    def test_a_form_does_as_well_as_json(self) -> None:
        body = b"url=https%3A%2F%2Fexample.com%2F&images=original,plate"
        headers = {**TOKEN, "Content-Type": "application/x-www-form-urlencoded"}
        answer = call(create_app(as_port(StandInService())), "POST", "/v1/webhooks", body, headers)
        assert answer.json["images"] == ["original", "plate"]

    def test_large_bodies_are_refused(self) -> None:
        assert self.create(create_app(as_port(StandInService())), secret="x" * 70_000).status == 413
