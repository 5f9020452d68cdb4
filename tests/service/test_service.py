"""The service: what a call leads to in answer, database and outbox; who is let in; how it ends."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli_helpers import CAR, PLATE, TEXTS, Bench
from openplate.errors import (
    AddressRefused,
    OpenplateError,
    Overloaded,
    QuotaExceeded,
    RateExceeded,
    RequestError,
    StorageError,
    StorageFull,
    TokenError,
    UndecodableImage,
)
from openplate.formats.snapshot_request import SnapshotRequest, parse_snapshot_request
from openplate.imaging import Image
from openplate.options import RecognitionOptions
from openplate.pipeline import Recognizer
from openplate.service import Service
from openplate.service.calls import options_of
from openplate.service.values import NewTarget, Picture
from openplate.settings import Settings, load_settings
from openplate.settings.building import open_store
from openplate.stages import LateAttributes
from openplate.storage import Delivery
from pictures import encode, exif_block, jpeg_with
from stand_ins import paint_street

AT = datetime(2026, 3, 5, 12, 0, 0, 123456, tzinfo=UTC)
STREET = paint_street(320, 240, [CAR], [(PLATE, 0)])
PNG = Picture(encode(".png", STREET), "car.png")
JPEG = Picture(encode(".jpg", STREET), "car.jpeg")
ANY = SnapshotRequest()


def make_settings(folder: Path, **values: object) -> Settings:
    """Settings by names with ``__`` for the dot."""
    given = {name.replace("__", "."): value for name, value in values.items()}
    return load_settings(environment={}, command_line={"storage.data_folder": folder, **given}).settings


@contextmanager
def opened(settings: Settings, workers: int = 2) -> Iterator[Service]:
    """A service that does not deliver: what is in the outbox stays there."""
    recognizer = Bench().build(RecognitionOptions(), settings, workers)
    service = Service(settings, recognizer, open_store(settings), workers)
    try:
        yield service
    finally:
        assert service.close(20)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with opened(make_settings(tmp_path, webhooks__allow_private=True)) as service:
        yield service


def recognize(service: Service, picture: Picture = PNG, request: SnapshotRequest = ANY, token: Any = None) -> Any:
    return asyncio.run(service.recognize(picture, request, token, AT))


def waiting(service: Service, target_id: int) -> list[Delivery]:
    later = datetime(2100, 1, 1, tzinfo=UTC)
    return service._store.due(target_id, later, 100)


def test_an_answer_has_what_was_found_and_what_was_used(service: Service) -> None:
    answer = recognize(service)
    (result,) = answer["results"]
    assert result["plate"] == TEXTS[0].lower()
    assert result["box"] == pytest.approx({"xmin": 100, "ymin": 150, "xmax": 180, "ymax": 174}, abs=2)
    assert (answer["filename"], answer["timestamp"]) == ("car.png", "2026-03-05 12:00:00")
    assert answer["usage"]["calls"] == 1
    assert recognize(service)["usage"]["calls"] == 2


def test_the_cloud_renames_and_counts_by_token(tmp_path: Path) -> None:
    with opened(make_settings(tmp_path, server__flavour="cloud")) as service:
        _, token = service._store.create_token("gate", 10, None)
        first, second = (recognize(service, token=token) for _ in range(2))
        assert first["filename"] != second["filename"]
        assert first["filename"].endswith("_car.png")
        assert "usage" not in first
        statistics = asyncio.run(service.statistics(token))
        assert (statistics["usage"]["calls"], statistics["total_calls"]) == (2, 10)  # type: ignore[index]
        assert asyncio.run(service.info())["usage"] == {"calls": 0}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"regions": ["pl,cz"], "config": ['{"region": "strict"}']}, {"regions": ("pl", "cz"), "strict": True}),
        (
            {"config": ['{"threshold_d": 0.5, "threshold_o": 0.7}']},
            {"threshold_detection": 0.5, "threshold_reading": 0.7},
        ),
        ({"config": ['{"mode": "fast"}']}, {"mode": "fast"}),
        ({"mmc": ["true"]}, {"attributes": True}),
        ({"config": ['{"detection_rule": "strict"}']}, {"vehicle_required": True}),
        ({"config": ['{"text_formats": ["[a-z]{3}"]}']}, {"text_formats": ("[a-z]{3}",)}),
        (
            {"config": ['{"plates_per_vehicle": 3, "zoom_in_vehicles": 0}']},
            {"plates_per_vehicle": 3, "zoom_in_vehicles": 0},
        ),
    ],
)
def test_what_a_request_asks_of_the_recognizer(fields: dict[str, list[str]], expected: dict[str, Any]) -> None:
    usual = RecognitionOptions(threshold_detection=0.2, threshold_reading=0.6, plates_per_vehicle=1, zoom_in_vehicles=4)
    assert options_of(parse_snapshot_request(fields)) == replace(usual, **expected)


def test_attributes_are_told_with_mmc_only(service: Service) -> None:
    (result,) = recognize(service, request=SnapshotRequest(mmc=True))["results"]
    assert (result["model_make"][0]["make"], result["model_make"][0]["model"]) == ("SEAT", "Leon")
    assert result["color"][0]["color"] == "silver"
    assert result["vehicle"]["type"] == "SUV"
    (plain,) = recognize(service)["results"]
    assert not {"model_make", "color", "orientation"} & set(plain)
    assert plain["vehicle"]["type"] == "Unknown"


def test_without_a_network_for_attributes_mmc_says_unknown(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    usual = Bench().build(RecognitionOptions(), settings, 1)
    stages = replace(usual.stages, late_attributes=LateAttributes(lambda: None))
    service = Service(settings, Recognizer.from_stages(stages), open_store(settings), 1)
    try:
        (result,) = recognize(service, request=SnapshotRequest(mmc=True))["results"]
    finally:
        assert service.close(20)
    assert result["color"] == [{"color": "unknown", "score": 0.0}]
    assert result["vehicle"]["type"] == "Unknown"


def test_what_cannot_be_used_is_an_error_and_not_counted(service: Service) -> None:
    with pytest.raises(UndecodableImage):
        recognize(service, Picture(b"no picture", "x"))
    assert recognize(service)["usage"]["calls"] == 1


def test_calls_at_the_same_time_are_counted_once_each(service: Service) -> None:
    async def scenario() -> list[Any]:
        return await asyncio.gather(*(service.recognize(PNG, ANY, None, AT) for _ in range(20)))

    answers = asyncio.run(scenario())
    assert sorted(answer["usage"]["calls"] for answer in answers) == list(range(1, 21))


# --- messages


def add_target(service: Service, **fields: Any) -> int:
    return asyncio.run(service.create_target(NewTarget("http://127.0.0.1:9/", **fields))).id


def test_each_target_gets_its_message_with_the_call(service: Service) -> None:
    first, second = add_target(service), add_target(service)
    answer = recognize(service, request=SnapshotRequest(camera_id="gate"))
    for target in (first, second):
        (delivery,) = waiting(service, target)
        body = json.loads(delivery.body)
        assert body["hook"] == {"target": "http://127.0.0.1:9/", "id": target, "event": "image.done"}
        assert body["data"]["results"] == answer["results"]
        assert body["data"]["camera_id"] == "gate"
        assert "usage" not in body["data"]
        assert delivery.attachments == ()
    assert asyncio.run(service.gauges())["outbox_messages"] == 2


def test_no_plate_is_a_message_too(service: Service) -> None:
    target = add_target(service)
    recognize(service, Picture(encode(".png", paint_street(64, 64)), "x.png"))
    (delivery,) = waiting(service, target)
    assert json.loads(delivery.body)["data"]["results"] == []


def test_a_picture_that_fails_is_no_message(service: Service) -> None:
    target = add_target(service)
    with pytest.raises(UndecodableImage):
        recognize(service, Picture(b"no picture", "x"))
    assert waiting(service, target) == []


def test_coordinates_are_those_of_the_picture_sent(service: Service) -> None:
    target = add_target(service, images=("plate", "original"))
    recognize(service, JPEG)
    (delivery,) = waiting(service, target)
    sent, original = delivery.attachments
    assert [(each.name, each.filename) for each in (sent, original)] == [
        ("upload", "car.jpeg"),
        ("original", "car.jpeg"),
    ]
    assert original.path.read_bytes() == JPEG.data
    picture = Image.from_path(sent.path)
    (result,) = json.loads(delivery.body)["data"]["results"]
    assert (picture.width, picture.height) == pytest.approx((80, 24), abs=2)
    assert result["box"] == pytest.approx({"xmin": 0, "ymin": 0, "xmax": 80, "ymax": 24}, abs=2)
    assert int(picture.pixels[12, 40, 0]) > 180  # the plate's red


@pytest.mark.parametrize("picture", [PNG, Picture(jpeg_with(encode(".jpg", np.rot90(STREET)), exif_block(6)), "a b")])
def test_whole_pictures_are_sent_upright_as_jpeg(service: Service, picture: Picture) -> None:
    target = add_target(service, images=("original",))
    recognize(service, picture)
    (delivery,) = waiting(service, target)
    (sent,) = delivery.attachments
    data = sent.path.read_bytes()
    assert data != picture.data
    assert data.startswith(b"\xff\xd8\xff")
    assert sent.filename.endswith(".jpg")
    image = Image.from_bytes(data)
    assert (image.width, image.height) == (320, 240)
    (result,) = json.loads(delivery.body)["data"]["results"]
    box = result["box"]
    middle = image.pixels[(box["ymin"] + box["ymax"]) // 2, (box["xmin"] + box["xmax"]) // 2]
    assert int(middle[0]) > 180


def test_a_paused_target_gets_it_later_and_a_disabled_one_never(service: Service) -> None:
    paused, disabled = add_target(service), add_target(service)
    recognize(service)
    asyncio.run(service.set_target_state(paused, "paused"))
    service._store.set_target_state(disabled, "disabled")
    service._told.forget()
    recognize(service)
    assert (len(waiting(service, paused)), len(waiting(service, disabled))) == (2, 1)


# --- what is kept


@pytest.mark.parametrize(
    ("keep", "texts", "crops"), [("nothing", [], 0), ("recognitions", [TEXTS[0]], 0), ("crops", [TEXTS[0]], 1)]
)
def test_what_is_kept_is_a_setting(tmp_path: Path, keep: str, texts: list[str], crops: int) -> None:
    with opened(make_settings(tmp_path, storage__keep=keep)) as service:
        recognize(service, request=SnapshotRequest(camera_id="gate", timestamp=AT))
        kept = service._store.recognitions(text=TEXTS[0])
        found = [json.loads(each.recognition_json)["plates"][0]["text"] for each in kept]
        assert found == texts
        assert sum(len(each.crops) for each in kept) == crops
        assert all(each.camera_id == "gate" for each in kept)
        for each in kept:
            for crop in each.crops:
                assert (Image.from_path(crop.path).width, crop.filename) == (96, "1.jpg")


# --- who is let in


def admit(service: Service, token: Any = None) -> None:
    asyncio.run(service.admit(token))


def test_the_calls_of_a_month_end(tmp_path: Path) -> None:
    with opened(make_settings(tmp_path, accounts__max_calls=2)) as service:
        target = add_target_anywhere(service)
        for _ in range(2):
            admit(service)
            assert recognize(service)["usage"]["max_calls"] == 2
        with pytest.raises(QuotaExceeded):
            admit(service)
        with pytest.raises(QuotaExceeded):  # as of two who were let in together, the second
            recognize(service)
        assert len(waiting(service, target)) == 2


def add_target_anywhere(service: Service) -> int:
    return service._store.create_target("http://127.0.0.1:9/").id


def test_a_token_has_its_own_limits(service: Service) -> None:
    secret, token = service._store.create_token("gate", 1, 1.0)
    assert asyncio.run(service.find_token(secret)) == token
    admit(service, token)
    with pytest.raises(RateExceeded):
        admit(service, token)
    recognize(service, token=token)
    with pytest.raises(QuotaExceeded):
        admit(service, token)
    admit(service)
    service._store.revoke_token(token.id)
    for wrong in (secret, "0" * 40, ""):
        with pytest.raises(TokenError, match=r"Invalid token\."):
            asyncio.run(service.find_token(wrong))


def test_nothing_is_accepted_that_could_not_be_stored(tmp_path: Path) -> None:
    with opened(make_settings(tmp_path, storage__min_free_bytes=2**50)) as service:
        with pytest.raises(StorageFull):
            admit(service)
        with pytest.raises(StorageFull):
            recognize(service)
        readiness = asyncio.run(service.readiness())
        assert not readiness.ready
        assert readiness.checks["networks"] == "ok"
        assert str(tmp_path) not in str(readiness.checks)


def test_a_full_outbox_stops_calls_only_where_there_are_targets(tmp_path: Path) -> None:
    with opened(make_settings(tmp_path, storage__max_outbox=1, webhooks__allow_private=True)) as service:
        admit(service)
        add_target(service)
        recognize(service)
        service._room.forget()
        service._store._room._counted_at = float("-inf")
        with pytest.raises(StorageFull):
            admit(service)


def test_a_full_queue_refuses_and_those_inside_finish(tmp_path: Path) -> None:
    gate = threading.Event()

    async def scenario(service: Service) -> None:
        stuck = asyncio.create_task(service.in_pool(gate.wait))
        await asyncio.sleep(0.1)
        inside = asyncio.create_task(service.recognize(PNG, ANY, None, AT))
        await asyncio.sleep(0.1)
        with pytest.raises(Overloaded):
            await service.admit(None)
        with pytest.raises(Overloaded):
            await service.recognize(PNG, ANY, None, AT)
        assert not (await service.readiness()).ready
        assert (await service.gauges())["queue_length"] == 1
        gate.set()
        assert (await inside)["usage"] == {"max_calls": 1_000_000_000, "calls": 1}
        await stuck
        await service.admit(None)

    with opened(make_settings(tmp_path, server__queue=1), workers=1) as service:
        asyncio.run(scenario(service))


def test_closing_finishes_what_was_accepted(tmp_path: Path) -> None:
    async def scenario(service: Service) -> list[Any]:
        calls = [asyncio.create_task(service.recognize(PNG, ANY, None, AT)) for _ in range(6)]
        await asyncio.sleep(0)
        gathered = asyncio.gather(*calls, return_exceptions=True)
        await asyncio.to_thread(service._pool.close, 20)
        return list(await gathered)

    settings = make_settings(tmp_path)
    with opened(settings, workers=1) as service:
        answers = asyncio.run(scenario(service))
        assert [type(answer) for answer in answers] == [dict] * 6
    store = open_store(settings)
    assert store.usage(None, datetime.now(UTC)).calls == 6
    store.close()


# --- targets and addresses


def test_receivers_on_this_network_need_a_setting(tmp_path: Path) -> None:
    with opened(make_settings(tmp_path)) as service, pytest.raises(AddressRefused):
        add_target(service)


@pytest.mark.parametrize("fields", [{"header": "no colon"}, {"secret": "short"}, {"owner_email": "nobody"}])
def test_what_a_target_cannot_be(service: Service, fields: dict[str, str]) -> None:
    with pytest.raises(RequestError):
        add_target(service, **fields)
    assert asyncio.run(service.targets()) == ()


def test_targets_that_are_not_there(service: Service) -> None:
    assert asyncio.run(service.target(5)) is None
    assert asyncio.run(service.set_target_state(5, "paused")) is None
    assert asyncio.run(service.test_target(5)) is None
    assert asyncio.run(service.delete_target(5)) is False


def test_a_target_that_is_enabled_again_gets_its_backlog(service: Service) -> None:
    target = add_target(service)
    recognize(service)
    (delivery,) = waiting(service, target)
    service._store.failed(delivery.id, AT, None, "gone")
    service._store.set_target_state(target, "disabled")
    assert waiting(service, target) == []
    after = asyncio.run(service.set_target_state(target, "active"))
    assert after is not None
    assert after.state == "active"
    assert [each.id for each in waiting(service, target)] == [delivery.id]
    assert asyncio.run(service.delete_target(target))
    assert asyncio.run(service.gauges())["outbox_messages"] == 0


class Neighbour(BaseHTTPRequestHandler):
    """Gives the picture away, and takes messages."""

    taken: list[bytes]

    def do_GET(self) -> None:
        self._answer(PNG.data)

    def do_POST(self) -> None:
        self.taken.append(self.rfile.read(int(self.headers["content-length"])))
        self._answer(b"OK")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def neighbour() -> Iterator[tuple[str, list[bytes]]]:
    taken: list[bytes] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Neighbour,), {"taken": taken})) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", taken
        server.shutdown()
        thread.join()


def test_pictures_are_fetched_as_the_settings_allow(tmp_path: Path, neighbour: tuple[str, list[bytes]]) -> None:
    url = neighbour[0] + "a/b.png?c=d"
    for switch, error in (("allow_private", AddressRefused), ("enabled", RequestError)):
        with opened(make_settings(tmp_path, **{f"upload_url__{switch}": False})) as service, pytest.raises(error):
            asyncio.run(service.fetch(url))
    with opened(make_settings(tmp_path, upload_url__allow_private=True)) as service:
        assert asyncio.run(service.fetch(url)) == Picture(PNG.data, "b.png")


def test_messages_are_delivered_while_it_runs(service: Service, neighbour: tuple[str, list[bytes]]) -> None:
    url, taken = neighbour
    target = asyncio.run(service.create_target(NewTarget(url)))
    outcome = asyncio.run(service.test_target(target.id))
    assert outcome is not None
    assert (outcome.delivered, outcome.status) == (True, 200)
    recognize(service)
    service.start()
    wait_for(lambda: len(taken) == 2)
    assert json.loads(taken[1])["data"]["results"][0]["plate"] == TEXTS[0].lower()


def wait_for(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    end = datetime.now(UTC).timestamp() + timeout_s
    while not condition():
        assert datetime.now(UTC).timestamp() < end
        threading.Event().wait(0.02)


def test_what_has_had_its_time_is_removed(tmp_path: Path) -> None:
    with opened(make_settings(tmp_path, storage__keep="crops", storage__keep_for_s=60)) as service:
        recognize(service)  # long ago
        assert len(service._store.recognitions()) == 1
        service._housekeeping.tidy()
        assert service._store.recognitions() == []


def test_a_data_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OpenplateError) as failure:
        open_store(make_settings(tmp_path / "file" / "data"))
    assert isinstance(failure.value, StorageError)
