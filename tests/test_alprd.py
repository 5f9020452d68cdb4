"""Scout's own files: what they say, what stands beneath, and what is wrong with them, in words."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from openplate.errors import SettingsError
from openplate.settings.alprd import (
    ScoutCamera,
    ScoutSettings,
    describe_camera_settings,
    describe_scout_settings,
    load_scout_settings,
)

WHOLE = """\
; Settings of the agent
# with a comment of the other kind
company_id = 3f0c-none
upload_data = 0
upload_address=http://10.0.0.2:8080/push/?site=1;2#3
upload_threads = 4
use_beanstalkd = 0
websockets_enabled = 0
web_server_enabled = 1
web_server_port = 8356
store_plates = yes
store_plates_location = /srv/plates of the gate/
store_plates_maxsize_mb = 12
store_plates_jpeg_quality = 70
store_plates_cleanup_interval_seconds = 60
analysis_threads = 3
motion_detection = 0
camera_buffer_size = 10
classify_vehicles = off
plate_groups_enabled = 1
plate_groups_span_cameras = 1
plate_groups_time_delta_ms = 2000
plate_groups_min_plates_to_group = 3
plate_groups_min_confidence = 75.5
plate_groups_max_plates_to_group = 50
plate_groups_max_delay_to_send = 100
user_data = north gate
hardware_acceleration = 1
gpu_id = 1
gpu_batch_size = 8
topn = 20
country = eu
pattern = de
site_id = gate
scout_version = 3
upload_groups_only = 0
upload_queue_maxsize_mb = 5
custom_data = {"API_KEY": "x"}
"""


def write(folder: Path, conf: str = "company_id = a\n", **cameras: str) -> Path:
    (folder / "alprd.conf").write_text(conf, encoding="utf-8")
    (folder / "stream.d").mkdir(exist_ok=True)
    for name, text in cameras.items():
        (folder / "stream.d" / f"{name}.conf").write_text(text, encoding="utf-8")
    return folder


def test_every_key_arrives(tmp_path: Path) -> None:
    settings = load_scout_settings(write(tmp_path, WHOLE))
    assert settings == ScoutSettings(
        company_id="3f0c-none",
        site_id="gate",
        country="eu",
        pattern="de",
        topn=20,
        user_data="north gate",
        upload_data=False,
        upload_address="http://10.0.0.2:8080/push/?site=1;2#3",
        upload_threads=4,
        use_beanstalkd=False,
        websockets_enabled=False,
        web_server_enabled=True,
        web_server_port=8356,
        store_plates=True,
        store_plates_location="/srv/plates of the gate/",
        store_plates_maxsize_mb=12,
        store_plates_jpeg_quality=70,
        store_plates_cleanup_interval_seconds=60,
        analysis_threads=3,
        motion_detection=False,
        camera_buffer_size=10,
        classify_vehicles=False,
        plate_groups_enabled=True,
        plate_groups_span_cameras=True,
        plate_groups_time_delta_ms=2000,
        plate_groups_min_plates_to_group=3,
        plate_groups_min_confidence=75.5,
        plate_groups_max_plates_to_group=50,
        plate_groups_max_delay_to_send=100,
        hardware_acceleration=True,
        gpu_id=1,
        gpu_batch_size=8,
        scout_version=3,
        upload_groups_only=False,
        upload_queue_maxsize_mb=5,
        custom_data='{"API_KEY": "x"}',
        warnings=("gpu_id = 1 has no effect: the first graphics card is used",),
    )


def test_the_whole_file_names_every_key() -> None:
    named = {line.partition("=")[0].strip() for line in WHOLE.splitlines() if "=" in line}
    assert named == {key for key, *_ in describe_scout_settings()}
    rest = {field.name for field in fields(ScoutSettings)} - named
    assert rest == {"agent_uid", "cameras", "warnings"}


def test_an_empty_file_is_scouts_defaults(tmp_path: Path) -> None:
    settings = load_scout_settings(write(tmp_path, "\n"))
    assert settings == ScoutSettings()
    assert (settings.plate_groups_time_delta_ms, settings.plate_groups_min_plates_to_group) == (4500, 2)
    assert (settings.plate_groups_min_confidence, settings.plate_groups_max_delay_to_send) == (80.0, 7500)
    assert (settings.web_server_port, settings.store_plates_maxsize_mb, settings.topn) == (8355, 8000, 10)


def test_what_is_written_beats_the_defaults_file(tmp_path: Path) -> None:
    (tmp_path / "alprd.defaults.conf").write_text("analysis_threads = 7\nuser_data = beneath\n")
    settings = load_scout_settings(write(tmp_path, "user_data = above\n"))
    assert (settings.analysis_threads, settings.user_data) == (7, "above")
    elsewhere = tmp_path / "elsewhere.conf"
    elsewhere.write_text("analysis_threads = 9\n")
    assert load_scout_settings(tmp_path / "alprd.conf", elsewhere).analysis_threads == 9


def test_cameras_come_by_the_names_of_their_files(tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    mask.write_bytes(b"x")
    gate = f"camera_id = 7\nstream = rtsp://u:p;#@10.0.0.8/live\ndetection_mask_image = {mask}\n"
    gate += "gps_latitude = 39.1\ngps_longitude = -94.6\n"
    settings = load_scout_settings(write(tmp_path, gate=gate, back="camera_id=2\nstream=http://x/\ncamera_name = Back"))
    assert settings.cameras == (
        ScoutCamera(2, "http://x/", camera_name="Back"),
        ScoutCamera(
            7,
            "rtsp://u:p;#@10.0.0.8/live",
            detection_mask_image=mask,
            camera_name="gate",
            gps_latitude=39.1,
            gps_longitude=-94.6,
        ),
    )
    assert {key for key, *_ in describe_camera_settings()} == {field.name for field in fields(ScoutCamera)}


def test_the_open_source_daemons_form(tmp_path: Path) -> None:
    text = (
        "[daemon]\n\n; a comment\ncountry = eu\nsite_id = gate\nstream = http://10.0.0.8/mjpeg\nstream = webcam\n"
        "upload_data = 1\ncompany_id = c\n"
    )
    settings = load_scout_settings(write(tmp_path, text))
    assert [(camera.camera_id, camera.stream, camera.camera_name) for camera in settings.cameras] == [
        (1, "http://10.0.0.8/mjpeg", "cam1"),
        (2, "webcam", "cam2"),
    ]
    assert (settings.country, settings.site_id, settings.upload_groups_only) == ("eu", "gate", False)
    assert settings.upload_address == "http://localhost:9000/push/"
    assert settings.analysis_threads == 4
    assert not settings.store_plates


def test_nothing_is_sent_to_anybody_who_is_not_named(tmp_path: Path) -> None:
    assert not load_scout_settings(write(tmp_path)).upload_data
    assert load_scout_settings(write(tmp_path, "company_id = a\nupload_address = http://x/\n")).upload_data
    assert load_scout_settings(write(tmp_path, "company_id = a\nupload_data = 1\n")).upload_data


def test_what_is_not_known_is_told_by_name(tmp_path: Path) -> None:
    settings = load_scout_settings(
        write(
            tmp_path,
            "company_id = a\ngpu_id = 1\ncolour = blue\n[extra]\nx = 1\n",
            gate="camera_id = 1\nstream = a\nspeed = 2\nprewarp = planar,1,2\ngstreamer_format = v4l2src\n",
        )
    )
    told = "\n".join(settings.warnings)
    for words in (
        "colour is not known",
        "x in the section [extra]",
        "speed is not known",
        "prewarp has",
        "gstreamer",
        "gpu_id = 1",
    ):
        assert words in told
    assert len(settings.warnings) == 6


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("web_server_port = 99999", "a whole number from 1 to 65535, not '99999'"),
        ("web_server_port = ", "a whole number from 1 to 65535, not ''"),
        ("analysis_threads = two", "a whole number from 1 to 256, not 'two'"),
        ("plate_groups_min_confidence = nan", "a number from 0 to 100, not 'nan'"),
        ("store_plates = maybe", "0 or 1, not 'maybe'"),
        ("upload_address = ftp://x/", "an address that starts with http:// or https://, not 'ftp://x/'"),
        ("upload_address = http://[x/", "an address that starts with"),
        ("scout_version = 4", "one of 2, 3, not '4'"),
    ],
)
def test_a_wrong_value_names_file_key_and_reason(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(SettingsError) as told:
        load_scout_settings(write(tmp_path, line + "\n"))
    assert str(told.value).startswith(f"{tmp_path / 'alprd.conf'}: {line.partition(' =')[0]} must be {reason}")
    assert str(told.value).endswith(("(line 1)",))


@pytest.mark.parametrize(
    ("camera", "reason"),
    [
        ("stream = a\n", "camera_id must be a whole number from 0 to 9007199254740992, it is missing"),
        ("camera_id = 3\n", "stream must be a text, it is missing"),
        ("camera_id = 3\nstream =\n", "stream must be a text, it is missing"),
        ("camera_id = x\nstream = a\n", "not 'x'"),
        ("camera_id = 1\nstream = a\ndetection_mask_image = /nowhere.png\n", "a file that exists, not '/nowhere.png'"),
        ("camera_id = 1\nstream = a\ngps_latitude = 91\n", "a number from -90 to 90, not '91'"),
        ("nonsense\n", "'nonsense' is no `key = value`"),
    ],
)
def test_a_wrong_camera_is_told(tmp_path: Path, camera: str, reason: str) -> None:
    with pytest.raises(SettingsError) as told:
        load_scout_settings(write(tmp_path, gate=camera))
    assert str(tmp_path / "stream.d" / "gate.conf") in str(told.value)
    assert reason in str(told.value)


def test_two_cameras_with_one_number_are_refused(tmp_path: Path) -> None:
    one = "camera_id = 5\nstream = a\n"
    with pytest.raises(SettingsError, match=r"gate\.conf: camera_id .* not 5, which .*back\.conf has too"):
        load_scout_settings(write(tmp_path, gate=one, back=one))


def test_uploads_need_a_company(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="company_id must be a text, it is missing"):
        load_scout_settings(write(tmp_path, "upload_data = 1\n"))


def test_the_agents_uid_is_read(tmp_path: Path) -> None:
    (tmp_path / "install_id").write_text("4QHB7Z1F9KD2M5N8P0R3S6T9V2W5X8Y1A4C7E0G3\n")
    assert load_scout_settings(write(tmp_path)).agent_uid == "4QHB7Z1F9KD2M5N8P0R3S6T9V2W5X8Y1A4C7E0G3"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"company_id = \xe9\n", b"x = " + b"a" * 2**20])
def test_no_text_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "alprd.conf").write_bytes(content)
    with pytest.raises(SettingsError, match=r"alprd\.conf"):
        load_scout_settings(tmp_path)


def test_files_of_windows_are_read(tmp_path: Path) -> None:
    (tmp_path / "alprd.conf").write_bytes(b"\xef\xbb\xbf; x\r\ncompany_id = a b\r\n")
    assert load_scout_settings(tmp_path) == replace(ScoutSettings(), company_id="a b")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"alprd\.conf cannot be read: No such file"):
        load_scout_settings(tmp_path / "alprd.conf")
