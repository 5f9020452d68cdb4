"""The description of the interface for programs: OpenAPI 3.1, with an example of every body."""

from __future__ import annotations

from typing import Any, Final

from openplate import __version__
from openplate.api.openapi_examples import EXAMPLES
from openplate.api.openapi_schemas import BLUR_FORMS, RECOGNITION_FORMS, SCHEMAS, Schema, reference

_TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}]
_NO_TOKEN: Final[list[dict[str, list[str]]]] = [{}, {"token": []}]
_ERRORS: Final = {
    400: ("bad_request", "What was sent cannot be used; the detail says why."),
    403: ("forbidden", "The token is missing or wrong, or its calls are used up."),
    404: ("not_found", "There is no such thing."),
    408: ("too_slow", "The body did not arrive in time."),
    413: ("too_large", "The body is larger than the limit; the answer comes before it is read whole."),
    415: ("media_type", "The body is of a type that is not understood."),
    429: ("throttled", "More calls per second than the token allows."),
    503: ("overloaded", "More work than can be waited for, or no room to store."),
}
_RETRY: Final[Schema] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def document(token_required: bool, success_status: int, server_url: str = "/") -> dict[str, Any]:
    """The OpenAPI document of a server with those settings."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Openplate",
            "version": __version__,
            "description": "Reads licence plates. Speaks Plate Recognizer's Snapshot interface: "
            "an existing client needs no change but the host name.",
        },
        "servers": [{"url": server_url}],
        "paths": {**_recognition(token_required, success_status), **_webhooks(), **_watching()},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "The word Token, a space, and what openplate tokens create printed.",
                }
            },
        },
    }


def _recognition(token_required: bool, success_status: int) -> Schema:
    security = _TOKEN if token_required else _NO_TOKEN
    recognize = {
        "summary": "Read the plates of a picture",
        "operationId": "recognize",
        "security": security,
        "requestBody": {"required": True, "content": RECOGNITION_FORMS},
        "responses": {
            str(success_status): {
                "description": "What was found. Another form with detection_mode vehicle.",
                "content": {
                    "application/json": {
                        "schema": {"anyOf": [reference("Recognition"), reference("VehicleRecognition")]},
                        "examples": {
                            "recognition": {"value": EXAMPLES["Recognition"]},
                            "vehicles": {"value": EXAMPLES["VehicleRecognition"]},
                        },
                    }
                },
            },
            **_errors(400, 403, 408, 413, 415, 429, 503),
        },
    }
    statistics = _get("statistics", "Calls of the period", "Statistics", security, _errors(403))
    info = _get("info", "The server and its use", "Info", security, _errors(403))
    return {
        "/v1/plate-reader/": {"post": recognize},
        "/v1/blur": {"post": _blur(security)},
        "/v1/statistics/": {"get": statistics},
        "/info/": {"get": info},
    }


def _blur(security: list[Any]) -> Schema:
    wrong = {
        "type": "object",
        "properties": {"error": {"type": "string"}},
        "required": ["error"],
        "additionalProperties": False,
    }
    example = {"error": "Give plates or faces: a strength from 1 to 10, 0 to find without blurring, -1 to skip."}
    blurred = _answer("Blur", "The plates, and the picture with them made unreadable.")
    blurred["content"]["image/jpeg"] = {"schema": {"type": "string", "format": "binary"}}
    return {
        "summary": "Make the plates of a picture unreadable",
        "operationId": "blur",
        "security": security,
        "requestBody": {"required": True, "content": BLUR_FORMS},
        "responses": {
            "200": blurred,
            "400": _content("The picture or a field cannot be used.", wrong, example),
            "413": _content("The request is too large.", wrong, {"error": "The request is larger than the limit."}),
            **_errors(403, 408, 415, 429, 503),
        },
    }


def _webhooks() -> Schema:
    new = {"schema": reference("NewWebhook"), "example": EXAMPLES["NewWebhook"]}
    create = {
        "summary": "Add a webhook",
        "operationId": "create_webhook",
        "security": _TOKEN,
        "requestBody": {"required": True, "content": {"application/json": new}},
        "responses": {"201": _answer("Webhook", "It was added."), **_errors(400, 403, 408, 413, 415, 503)},
    }
    targets = {
        "summary": "List the webhooks",
        "operationId": "webhooks",
        "security": _TOKEN,
        "responses": {
            "200": _answer("Webhooks", "All of them."),
            **_errors(403),
        },
    }
    paths: Schema = {"/v1/webhooks": {"get": targets, "post": create}}
    one = "/v1/webhooks/{id}"
    deleted = {"type": "object", "properties": {"deleted": {"type": "integer"}}, "required": ["deleted"]}
    paths[one] = {
        "get": _on_one("show_webhook", "Show a webhook", _answer("Webhook", "It.")),
        "delete": _on_one("delete_webhook", "Delete a webhook", _content("It is gone.", deleted, {"deleted": 7})),
    }
    for action, summary, answer in (
        ("test", "Send a sample message now", _answer("TestOutcome", "What its receiver answered.")),
        ("pause", "Stop sending for a while", _answer("Webhook", "It, paused.")),
        ("resume", "Send again, with what has piled up", _answer("Webhook", "It, active.")),
    ):
        paths[f"{one}/{action}"] = {"post": _on_one(f"{action}_webhook", summary, answer)}
    return paths


def _watching() -> Schema:
    ready = _get("ready", "Whether it can do its work", "Health", [], {})
    ready["responses"]["503"] = _answer("Health", "Not now; checks say why.")
    text = {"description": "Counters for Prometheus.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    metrics = {"summary": "Counters", "operationId": "metrics", "security": [], "responses": {"200": text}}
    return {
        "/health/live": {"get": _get("live", "Whether the process answers", "Health", [], {})},
        "/health/ready": {"get": ready},
        "/metrics": {"get": metrics},
    }


def _get(identity: str, summary: str, schema: str, security: list[Any], errors: Schema) -> Schema:
    return {
        "summary": summary,
        "operationId": identity,
        "security": security,
        "responses": {"200": _answer(schema, summary + "."), **errors},
    }


def _on_one(identity: str, summary: str, answer: Schema) -> Schema:
    number = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
    return {
        "summary": summary,
        "operationId": identity,
        "security": _TOKEN,
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": number}],
        "responses": {"200": answer, **_errors(400, 403, 404, 503)},
    }


def _answer(schema: str, description: str) -> Schema:
    return _content(description, reference(schema), EXAMPLES[schema])


def _content(description: str, schema: Schema, example: object) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema, "example": example}}}


def _errors(*statuses: int) -> Schema:
    answers = {}
    for status in statuses:
        name, description = _ERRORS[status]
        answer = _content(description, reference("Error"), EXAMPLES[name])
        if status in (429, 503):
            answer["headers"] = _RETRY
        answers[str(status)] = answer
    return answers
