"""The application on the real service: networks, database and all; answers have exactly the documented keys."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.api.calling import Answer, call, form

from openplate.api.app import create_app
from openplate.api.openapi import document
from openplate.api.openapi_examples import EXAMPLES
from openplate.api.openapi_schemas import SCHEMAS
from openplate.service import Service
from openplate.settings import Settings
from openplate.settings.tree import ServerSettings, StorageSettings, WebhookSettings

jsonschema_rs = pytest.importorskip("jsonschema_rs")

PATH = "/v1/plate-reader/"
STREET = (Path(__file__).parents[2] / "examples" / "street.jpg").read_bytes()
TEXTS = {"kn4827t", "we3159a"}
MMC = {"model_make", "color", "orientation"}
Apps = dict[str, Any]


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    """Both flavours, and a token under "secret"."""
    made: Apps = {}
    services = []
    for flavour in ("sdk", "cloud"):
        settings = Settings(
            workers=1,
            server=ServerSettings(flavour=flavour),
            storage=StorageSettings(data_folder=tmp_path_factory.mktemp(flavour)),
            webhooks=WebhookSettings(allow_private=True),
        )
        services.append(service := Service.open(settings))
        made[flavour] = create_app(service)
        made[flavour + " token"], _ = service._store.create_token("gate", 1000, None)
    yield made
    for service in services:
        service.close(10)


def strict(tree: Any) -> Any:
    """A schema that allows nothing it does not name."""
    if isinstance(tree, dict):
        closed = {"additionalProperties": False} if "properties" in tree else {}
        return {**{key: strict(value) for key, value in tree.items()}, **closed}
    return [strict(value) for value in tree] if isinstance(tree, list) else tree


def check(name: str, value: object) -> None:
    """Raises where a value has not exactly the form of a component of the OpenAPI document."""
    components = {"components": {"schemas": strict(SCHEMAS)}}
    jsonschema_rs.validate({"$ref": f"#/components/schemas/{name}", **components}, value)


def recognize(apps: Apps, flavour: str = "sdk", **fields: str) -> Answer:
    parts = [(name, None, value.encode()) for name, value in fields.items()]
    body, headers = form(("upload", "gate.jpg", STREET), *parts)
    headers["Authorization"] = f"Token {apps[flavour + ' token']}"
    return call(apps[flavour], "POST", PATH, body, headers)


def plates(answer: Answer) -> set[str]:
    return {result["plate"] for result in answer.json["results"]}


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name in SCHEMAS])
def test_examples_fit_their_schemas(name: str) -> None:
    check(name, EXAMPLES[name])


def test_the_answer_of_the_sdk(apps: Apps) -> None:
    answer = recognize(apps)
    check("Recognition", answer.json)
    assert plates(answer) == TEXTS
    assert list(answer.json) == list(EXAMPLES["Recognition"])
    assert answer.json["filename"] == "gate.jpg"
    assert answer.json["camera_id"] == "null"
    assert {frozenset(result) for result in answer.json["results"]} == {
        frozenset(EXAMPLES["Recognition"]["results"][0])
    }


def test_the_answer_of_the_cloud(apps: Apps) -> None:
    answer = recognize(apps, "cloud", camera_id="gate-1", timestamp="2026-03-05T14:02:11")
    check("Recognition", answer.json)
    assert "usage" not in answer.json
    assert answer.json["filename"].endswith("_gate.jpg")
    assert (answer.json["camera_id"], answer.json["timestamp"]) == ("gate-1", "2026-03-05T14:02:11")
    assert recognize(apps, "cloud").json["camera_id"] is None
    statistics = call(apps["cloud"], "GET", "/v1/statistics", b"", {"Authorization": f"Token {apps['cloud token']}"})
    check("Statistics", statistics.json)
    assert (statistics.json["usage"]["calls"], statistics.json["total_calls"]) == (2, 1000)


@pytest.mark.parametrize("word", ["true", "True", "1"])
def test_mmc_adds_its_three_lists_to_every_result(apps: Apps, word: str) -> None:
    answer = recognize(apps, mmc=word, direction=word)
    check("Recognition", answer.json)
    for result in answer.json["results"]:
        assert set(result) >= MMC
    for result in recognize(apps, mmc="False").json["results"]:
        assert not set(result) & MMC


def test_vehicles_too(apps: Apps) -> None:
    answer = recognize(apps, config='{"detection_mode": "vehicle"}')
    check("VehicleRecognition", answer.json)
    check("VehicleRecognition", recognize(apps, mmc="1", direction="1", config='{"detection_mode": "vehicle"}').json)
    assert {r["plate"]["props"]["plate"][0]["value"] for r in answer.json["results"] if r["plate"]} == TEXTS


def test_all_ways_to_send_a_picture_give_the_same(apps: Apps) -> None:
    text = base64.encodebytes(STREET)
    app = apps["sdk"]
    as_json = json.dumps({"upload": text.decode(), "regions": ["us-ca"]}).encode()
    answers = [
        recognize(apps, regions="us-ca"),
        call(app, "POST", PATH, *form(("upload", None, text), ("regions", None, b"us-ca"))),
        call(app, "POST", PATH, as_json, {"Content-Type": "application/json"}),
    ]
    assert [answer.status for answer in answers] == [200] * 3
    assert len({json.dumps(answer.json["results"]) for answer in answers}) == 1


def test_thresholds_and_strict_regions_leave_plates_out(apps: Apps) -> None:
    assert plates(recognize(apps, config='{"threshold_d": 1.0}')) == set()
    assert plates(recognize(apps, config='{"threshold_o": 1.0}')) < TEXTS
    assert plates(recognize(apps, config='{"region": "strict"}')) == TEXTS
    assert plates(recognize(apps, config='{"region": "strict"}', regions="br")) == set()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"config": "nonsense"}, "config"),
        ({"config": "[]"}, "config"),
        ({"config": '{"threshold_d": 2}'}, "threshold_d"),
        ({"regions": "nowhere"}, "nowhere"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"mmc": "perhaps"}, "mmc"),
        ({"camera_id": "a\nb"}, "camera_id"),
        ({"upload_url": "ftp://example.com/a.jpg"}, "upload_url"),
        ({"upload_url": "http://169.254.169.254/latest/meta-data"}, "169.254"),
    ],
)
def test_reasons_name_what_is_meant(apps: Apps, fields: dict[str, str], words: str) -> None:
    answer = recognize(apps, **fields)
    assert answer.status == 400
    assert words in answer.json["detail"]


@pytest.mark.parametrize("picture", [b"no picture", STREET[:5000], b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_what_is_no_picture_is_not_counted(apps: Apps, picture: bytes) -> None:
    before = call(apps["sdk"], "GET", "/info/").json["usage"]["calls"]
    answer = call(apps["sdk"], "POST", PATH, *form(("upload", "a.jpg", picture)))
    assert answer.status == 400
    check("Error", answer.json)
    assert call(apps["sdk"], "GET", "/info/").json["usage"]["calls"] == before


def test_info_health_and_counters(apps: Apps) -> None:
    check("Info", call(apps["sdk"], "GET", "/info/").json)
    check("Health", call(apps["sdk"], "GET", "/health/ready").json)
    assert call(apps["sdk"], "GET", "/health/ready").status == 200
    page = call(apps["sdk"], "GET", "/metrics").body.decode()
    assert "openplate_queue_length 0.0" in page
    documented = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
    families = {family.name.removesuffix("_created") for family in text_string_to_metric_families(page)}
    assert {name for name in families if name not in documented} == set()


def test_webhooks(apps: Apps) -> None:
    headers = {"Authorization": f"Token {apps['sdk token']}", "Content-Type": "application/json"}
    url = {"url": "http://127.0.0.1:9/plates", "images": ["original"]}

    def send(method: str, path: str, value: object = None) -> Answer:
        return call(apps["sdk"], method, path, b"" if value is None else json.dumps(value).encode(), headers)

    created = send("POST", "/v1/webhooks", url)
    assert created.status == 201
    check("Webhook", created.json)
    one = f"/v1/webhooks/{created.json['id']}"
    check("Webhooks", send("GET", "/v1/webhooks").json)
    outcome = send("POST", one + "/test").json
    check("TestOutcome", outcome)
    assert not outcome["delivered"]
    assert send("POST", one + "/pause").json["state"] == "paused"
    assert send("DELETE", one).status == 200
    assert send("GET", one).json == EXAMPLES["not_found"]
    assert send("POST", "/v1/webhooks", {**url, "url": "http://169.254.169.254/"}).status == 400


def test_the_document_of_the_cloud_says_that_a_token_is_needed() -> None:
    assert document(True, 201)["paths"][PATH]["post"]["security"] == [{"token": []}]
    assert "201" in document(True, 201)["paths"][PATH]["post"]["responses"]
