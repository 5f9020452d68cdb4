"""Stream's config.ini: what it says, what it takes for granted, and what is wrong with it, in words."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.errors import SettingsError
from openplate.settings.stream_config import (
    StreamCamera,
    StreamWebhook,
    describe_stream_camera,
    describe_stream_settings,
    describe_stream_webhook,
    load_stream_settings,
    write_default_config,
)

COMPOSED = """\
timezone = Europe/Berlin
config_change_restart = no
[cameras]
  regions = us-ca, mx          # applies to every camera
  mmc = true
  webhook_targets = office
  image_format = $(camera)_screenshots/%y-%m-%d/%H-%M-%S.%f.jpg
  [[gate-1]]                   # the section name is the camera id
    active = yes
    url = rtsp://10.0.0.7:554/main
    csv_file = $(camera)_%y-%m-%d.csv
  [[gate-2]]
    url = rtsp://10.0.0.8:554/main
    regions = de
    mmc = off
    webhook_targets = ,
[webhooks]
  [[office]]
    url = http://10.0.0.2:8001/
    image = yes
    image_type = original, plate
    caching = yes
    header = Authorization: Token abc
"""

EVERY_KEY = """\
timezone = UTC
version = 2
config_change_restart = 1
[cameras]
[[a]]
url = rtsp://h/1
active = no
name = North gate
sample = 4
total = 100
regions = de, fr
region_config = strict
detection_rule = strict
detection_mode = vehicle
mmc = YES
max_prediction_delay = 1.5
memory_decay = 60
merge_buffer = 1
max_dwell_delay = 20
trajectory = on
report_static = true
text_formats = "[a-z]{2,3}[0-9]{4}", [0-9][0-9][0-9]
plates_per_vehicle = 2
max_reconnection_delay = 30
image_format = x/%f.jpg
image_quality = 70
csv_file = a.csv
jsonlines_file = a.jsonl
mask_id = lane
video_fps = 5
video_overlay = plate
webhook_targets = office, http://h/2
webhook_target = http://h/3
webhook_header = MAC: 1cf64c54a756
webhook_image = no
webhook_image_type = plate
webhook_caching = no
webhook_request_timeout = 5
user_data = 48.1, 11.5
ground_points = 0.2 0.9 0 0, 0.8 .9 4 0, 0.6 0.3 4 20, 0.4 0.3 0 20
[webhooks]
[[office]]
url = https://h/1?x=1
header = MAC: 1cf64c54a756
image = off
image_type = vehicle
image_quality = 60
caching = 0
request_timeout = 7.5
video = yes
name = the office
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "config.ini"
    path.write_bytes(text.encode())
    return path


def one(folder: Path, lines: str, head: str = "") -> StreamCamera:
    text = f"{head}[cameras]\n[[gate]]\nurl = rtsp://h/1\n{lines}\n"
    (camera,) = load_stream_settings(write(folder, text)).cameras
    return camera


def refused(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_stream_settings(write(folder, text))
    return str(caught.value).replace(str(folder / "config.ini"), "F")


def test_the_form_of_the_founding_documents(tmp_path: Path) -> None:
    settings = load_stream_settings(write(tmp_path, COMPOSED))
    office = StreamWebhook(
        "office", "http://10.0.0.2:8001/", "Authorization: Token abc", image_type=("original", "plate")
    )
    first, second = settings.cameras
    assert (first.id, first.regions, first.mmc, first.webhooks) == ("gate-1", ("us-ca", "mx"), True, (office,))
    assert (first.csv_file, first.name, first.source) == ("$(camera)_%y-%m-%d.csv", "", first.url)
    assert (second.regions, second.mmc, second.webhooks, second.csv_file) == (("de",), False, (), "")
    assert (settings.timezone, settings.config_change_restart, settings.version) == ("Europe/Berlin", False, 2)
    assert settings.zone.utcoffset(datetime(2026, 7, 1, tzinfo=UTC)) is not None
    assert (settings.webhooks, settings.warnings, settings.folder) == ((office,), (), tmp_path)


def test_line_ends_of_windows_and_a_byte_order_mark(tmp_path: Path) -> None:
    plain = load_stream_settings(write(tmp_path, COMPOSED))
    assert load_stream_settings(write(tmp_path, "\ufeff" + COMPOSED.replace("\n", "\r\n"))) == plain


def test_every_key_arrives(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "lane.png").write_bytes(b"")
    settings = load_stream_settings(write(tmp_path, EVERY_KEY))
    (camera,) = settings.cameras
    old = StreamWebhook(
        "http://h/2", "http://h/2", "MAC: 1cf64c54a756", False, ("plate",), caching=False, request_timeout=5.0
    )
    office = StreamWebhook(
        "office", "https://h/1?x=1", "MAC: 1cf64c54a756", False, ("vehicle",), 60, False, 7.5, True, "the office"
    )
    other = StreamWebhook("http://h/3", "http://h/3", *(getattr(old, f.name) for f in fields(old)[2:]))
    assert camera == StreamCamera(
        id="a",
        url="rtsp://h/1",
        active=False,
        name="North gate",
        sample=4,
        total=100,
        regions=("de", "fr"),
        region_config="strict",
        detection_rule="strict",
        detection_mode="vehicle",
        mmc=True,
        max_prediction_delay=1.5,
        memory_decay=60.0,
        merge_buffer=1,
        max_dwell_delay=20.0,
        trajectory=True,
        report_static=True,
        text_formats=("[a-z]{2,3}[0-9]{4}", "[0-9][0-9][0-9]"),
        plates_per_vehicle=2,
        max_reconnection_delay=30.0,
        image_format="x/%f.jpg",
        image_quality=70,
        csv_file="a.csv",
        jsonlines_file="a.jsonl",
        mask_id="lane",
        video_fps=5.0,
        video_overlay="plate",
        webhook_targets=("office", "http://h/2"),
        webhook_target="http://h/3",
        webhook_header="MAC: 1cf64c54a756",
        webhook_image=False,
        webhook_image_type=("plate",),
        webhook_caching=False,
        webhook_request_timeout=5.0,
        user_data="48.1, 11.5",
        ground_points=((0.2, 0.9, 0.0, 0.0), (0.8, 0.9, 4.0, 0.0), (0.6, 0.3, 4.0, 20.0), (0.4, 0.3, 0.0, 20.0)),
        source="rtsp://h/1",
        mask=tmp_path / "masks" / "lane.png",
        webhooks=(office, old, other),
    )
    assert settings.config_change_restart
    assert settings.request_timeout_s == 7.5


def test_every_key_is_in_the_test_above() -> None:
    for described in (describe_stream_settings(), describe_stream_camera(), describe_stream_webhook()):
        for key, *_ in described:
            assert f"\n{key} = " in "\n" + EVERY_KEY


def test_what_is_taken_for_granted(tmp_path: Path) -> None:
    camera = one(tmp_path, "")
    assert (camera.active, camera.sample, camera.total, camera.detection_mode) == (True, 2, -1, "plate")
    assert (camera.max_prediction_delay, camera.memory_decay, camera.merge_buffer) == (6.0, 300.0, -1)
    assert (camera.image_format, camera.csv_file) == ("$(camera)_screenshots/%y-%m-%d/%H-%M-%S.%f.jpg", "")
    assert (camera.max_dwell_delay, camera.mmc, camera.report_static, camera.webhooks) == (None, False, False, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[cameras]\n[[a]]\nsample = 2", "F: [cameras] [[a]] url must be an address of RTSP or HTTP, a video file"),
        ("[cameras]\nsample = x\n[[a]]\nurl = x", "F: [cameras] sample must be a whole number from 1 to 1000, not 'x'"),
        ("[cameras]\n[[a]]\nurl = x\nmmc = maybe", "F: [cameras] [[a]] mmc must be yes or no, not 'maybe'"),
        ("[cameras]\n[[a]]\nurl = x\nmmc = yes, no", "mmc must be yes or no, not ['yes', 'no']"),
        ("[cameras]\n[[a]]\nurl = x\nmax_prediction_delay = 0.05", "a number from 0.1 to 3600, not '0.05'"),
        ("[cameras]\n[[a]]\nurl = x\nmerge_buffer = 0", "merge_buffer must be a whole number from 1 to 10000, or -1"),
        ("[cameras]\n[[a]]\nurl = x\ndetection_mode = car", "detection_mode must be one of plate, vehicle, not 'car'"),
        ("[cameras]\n[[a]]\nurl = x\nregions = usca", "F: [cameras] [[a]] regions: "),
        ("[cameras]\n[[a]]\nurl = x\ntext_formats = (a", "F: [cameras] [[a]] text_formats: "),
        ("[cameras]\n[[a]]\nurl = x\nground_points = 0 0 1 1, 1 1", "ground_points must be four or more points with"),
        (
            "[cameras]\n[[a]]\nurl = x\nground_points = 0 0 0 0, 1 0 1 0, .5 0 2 3, 1 1 1 1",
            "F: [cameras] [[a]] ground_points: all of the points, or all but one, stand in one line on the picture",
        ),
        ("[cameras]\n[[a]]\nurl = x\nground_points = a", "[[a]] ground_points must be four or more points"),
        ("[cameras]\n[[a]]\nurl = x\ncsv_file = ../a.csv", "F: [cameras] [[a]] csv_file: '../a.csv' is no name"),
        ("[cameras]\n[[a/b]]\nurl = x", "F: [cameras] [[a/b]] is no id of a camera"),
        ("[cameras]\n[[a]]\nurl = x\nmask_id = lane", "[[a]] mask_id must be the name of a picture masks/ID.png"),
        ("[cameras]\n[[a]]\nurl = x\nmask_id = ../lane", "[[a]] mask_id: '../lane' cannot be part"),
        ("timezone = Berlin\n[cameras]\n[[a]]\nurl = x", "F: timezone must be a name of the tz database"),
        ("[cameras]\n[[a]]\nurl = ,", "F: [cameras] [[a]] url must be an address"),
        ("[cameras]\n", "F: [cameras] must have a section for each camera"),
        ("[cameras]\n[[a]]\nurl = x\n[[[b]]]\nc = d", "F: STR0021: [cameras] [[a]] [[[b]]] is one section too deep"),
        ("[cameras\n[[a]]\n", "F: STR0021: "),
        ("[cameras]\n[[a]]\nurl = x\nurl = y", "F: STR0021: Duplicate keyword name at line 4"),
        (
            "[cameras]\n[[a]]\nurl = x\nwebhook_targets = ofice\n[webhooks]\n[[office]]\nurl = http://h/",
            "F: STR0019: [cameras] [[a]] webhook_targets names 'ofice', which is no section of [webhooks] and no "
            "address; did you mean office?",
        ),
        ("[cameras]\n[[a]]\nurl = x\nwebhook_target = ftp://h/", "F: STR0019: [cameras] [[a]] webhook_target must be"),
        ("[webhooks]\n[[o]]\nurl = h", "F: STR0019: [webhooks] [[o]] url must be an address that starts with http://"),
        ("[webhooks]\n[[o]]\nurl = http://h:99999/", "F: STR0019: [webhooks] [[o]] url must be"),
        ("[webhooks]\n[[o]]\nimage = no", "F: STR0019: [webhooks] [[o]] url must be an address"),
        (
            "[webhooks]\n[[o]]\nurl = http://h/\nheader = secret",
            "F: STR0020: [webhooks] [[o]] header must be one line, Name: value, not ******",
        ),
        (
            "[cameras]\n[[a]]\nurl = x\nwebhook_header = Token abc",
            "F: STR0020: [cameras] [[a]] webhook_header must be one line",
        ),
        ("[webhooks]\n[[o]]\nurl = http://h/\nimage_type = car", "[[o]] image_type must be one or several of vehicle"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(tmp_path, text)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "config.ini").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(SettingsError, match="STR0021"):
        load_stream_settings(tmp_path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_stream_settings(tmp_path)


def test_unknown_keys_are_told_with_what_may_be_meant(tmp_path: Path) -> None:
    text = "timezon = UTC\n[camera]\n[cameras]\nsampel = 2\n[[a]]\nurl = x\nqqq = 1\n[webhooks]\nurl = x\n"
    told = [
        each.replace(str(tmp_path / "config.ini"), "F") for each in load_stream_settings(write(tmp_path, text)).warnings
    ]
    assert "F: timezon is not known here and has no effect; did you mean timezone?" in told
    assert "F: [camera] is not known here; did you mean [cameras]?" in told
    assert "F: [cameras] sampel is not known here and has no effect; did you mean sample?" in told
    assert "F: [cameras] [[a]] qqq is not known here and has no effect" in told
    assert "F: [webhooks] url is not known here and has no effect" in told


def test_keys_without_effect_are_told(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "lane.png").write_bytes(b"")
    told = "\n".join(load_stream_settings(write(tmp_path, EVERY_KEY)).warnings)
    for key in ("video_fps", "video_overlay", "video"):
        assert f" {key} has no effect" in told


def test_video_files_lie_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "Videos").mkdir()
    (tmp_path / "Videos" / "x.mp4").write_bytes(b"")
    text = "[cameras]\n[[a]]\nurl = /user-data/Videos/x.mp4\n[[b]]\nurl = file-upload\n"
    first, second = load_stream_settings(write(tmp_path, text)).cameras
    assert (first.url, first.source) == ("/user-data/Videos/x.mp4", str(tmp_path / "Videos" / "x.mp4"))
    assert (second.source, second.is_file_upload, first.is_file_upload) == ("file-upload", True, False)


def test_commas_and_hashes_in_texts(tmp_path: Path) -> None:
    text = "[cameras]\n[[a]]\nurl = rtsp://me:p,w@h/1\nuser_data = 48.1, 11.5\n[[b]]\nurl = 'rtsp://me:p#w@h/1' # c\n"
    first, second = load_stream_settings(write(tmp_path, text)).cameras
    assert (first.url, first.user_data) == ("rtsp://me:p,w@h/1", "48.1, 11.5")
    assert second.url == "rtsp://me:p#w@h/1"


def test_the_file_that_is_written_can_be_read(tmp_path: Path) -> None:
    path = write_default_config(tmp_path / "new")
    assert b"\r\n" in path.read_bytes()
    settings = load_stream_settings(path.parent)
    assert [(camera.id, camera.active) for camera in settings.cameras] == [("camera-1", False)]
    assert settings.warnings == ()


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, COMPOSED)
    assert write_default_config(tmp_path).read_bytes() == COMPOSED.encode()


KEYS = [key for described in (describe_stream_settings(), describe_stream_camera()) for key, *_ in described]
VALUES = st.sampled_from(["yes", "1", "-1", "0.5", "x", ",", "'a'", "a, b", "http://h/", "$(camera)/%y", "%", "", '"'])
LINES = st.one_of(
    st.builds("{} = {}".format, st.sampled_from([*KEYS, "header", "q"]), VALUES | st.text(max_size=8)),
    st.sampled_from(["[cameras]", "[[a]]", "[[b c]]", "[[[d]]]", "[webhooks]", "[[office]]", "# c", ""]),
    st.text(max_size=12),
)


@given(st.lists(LINES, max_size=12))
def test_whatever_stands_there_it_is_read_or_told(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / "config.ini").write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    try:
        settings = load_stream_settings(folder)
    except SettingsError:
        return
    assert settings.cameras
    assert all(camera.url for camera in settings.cameras)
