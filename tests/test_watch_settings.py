"""Settings of cameras and of watching: strict, shown without secrets, and the same whoever's file says them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cli_helpers import Bench
from openplate.cli.watch_plans import Wishes, make_plans
from openplate.errors import RegionError, SettingsError
from openplate.grouping import SCOUT, STREAM
from openplate.options import RecognitionOptions
from openplate.settings import LoadedSettings, Settings, load_settings
from openplate.settings.alprd import ScoutSettings, load_scout_settings
from openplate.settings.watch import CameraSettings, ScoutSection, WatchSettings
from openplate.settings.watch_building import (
    group_options,
    own_scout_settings,
    plan_addresses,
    plan_cameras,
    plan_scout,
    scout_group_options,
)
from openplate.video import SourceOptions
from openplate.video_pipeline import VideoOptions

WHOLE = """\
[watch]
memory_s = 60
longest_wait_s = 0
gone_after_s = 2
gone_after_frames = 12
least_readings = 2
most_readings = 40
least_confidence = 0.5
least_group_confidence = 0.6
hold_back_s = 1.5
preview = true
preview_confidence = 0.8
parked = true
vehicles = true
left_after_s = 20
port = 0

[cameras.gate]
url = "rtsp://user:secret@10.0.0.7/stream?token=secret"
number = 7
mode = "fast"
regions = ["br"]
strict = true
threshold_detection = 0.5
threshold_reading = 0.6
vehicle_required = true
attributes = true
top_n = 3
sample = 2
skip_still = false
linger_s = 2
zones = [[[0, 0], [1, 0], [0.5, 1]]]
ground_points = [[0.2, 0.9, 0, 0], [0.8, 0.9, 4, 0], [0.6, 0.3, 4, 20], [0.4, 0.3, 0, 20.5]]
transport = "udp"
poll_s = 0.5
open_timeout_s = 1
read_timeout_s = 2
frozen_after_s = 0
reconnect_first_s = 3
reconnect_most_s = 4
verify_certificates = false
latitude = 52.5
longitude = -13.25
heading = 90

[cameras."north yard"]
url = "yard.mp4"
active = false

[cameras.road]
url = "usb:0"
"""


def load(folder: Path, text: str) -> LoadedSettings:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, environment={})


def test_what_a_file_says_is_what_is_watched(tmp_path: Path) -> None:
    settings = load(tmp_path, WHOLE).settings
    gate, road = plan_cameras(settings)
    assert (gate.name, gate.number, gate.where) == ("gate", 7, "rtsp://user:secret@10.0.0.7/stream?token=secret")
    assert gate.source == SourceOptions(
        open_timeout_s=1,
        read_timeout_s=2,
        reconnect_first_s=3,
        reconnect_most_s=4,
        frozen_after_s=0,
        poll_s=0.5,
        sample=2,
        transport="udp",
        verify_certificates=False,
    )
    assert gate.recognition == RecognitionOptions(
        mode="fast",
        regions=("br",),
        strict=True,
        threshold_detection=0.5,
        threshold_reading=0.6,
        top_n=3,
        vehicle_required=True,
        attributes=True,
    )
    assert gate.video.zone is not None
    assert gate.video.zone.polygons == (((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)),)
    assert gate.video.ground is not None
    assert road.video.ground is None
    assert (gate.video.linger_s, gate.skips_still) == (2, False)
    assert (gate.latitude, gate.longitude, gate.heading_degrees) == (52.5, -13.25, 90)
    assert (road.name, road.number, road.source, road.recognition) == (
        "road",
        3,
        SourceOptions(),
        RecognitionOptions(),
    )
    groups = road.video.groups
    assert (groups.memory_decay_s, groups.max_prediction_delay_s, groups.merge_buffer) == (60, None, 12)
    assert (groups.time_delta_ms, groups.min_plates_to_group, groups.max_plates_to_group) == (2000, 2, 40)
    assert (groups.min_confidence, groups.min_group_confidence, groups.max_delay_to_send_ms) == (0.5, 0.6, 1500)
    assert (groups.preview, groups.preview_confidence, groups.report_static) == (True, 0.8, True)
    assert (groups.report_vehicles, groups.max_dwell_delay_s) == (True, 20)


def test_defaults_are_those_of_what_they_set() -> None:
    assert group_options(WatchSettings()) == STREAM
    (plan,) = plan_addresses(["a/gate.mp4"], Settings(), RecognitionOptions())
    (camera,) = plan_cameras(Settings(cameras=(CameraSettings(url="a/gate.mp4", name="gate.mp4"),)))
    for each in (plan, camera):
        assert (each.name, each.number, each.where) == ("gate.mp4", 1, "a/gate.mp4")
        assert (each.source, each.recognition, each.skips_still) == (SourceOptions(), RecognitionOptions(), True)
        assert each.video.groups == VideoOptions().groups
    assert scout_group_options(ScoutSettings()) == SCOUT


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[cameras.gate]", r"cameras\.gate\.url must be rtsp://.*, it is missing"),
        ('[cameras.gate]\nurl = "x"\nsampel = 2', r"'cameras\.gate\.sampel' is no setting; did you mean 'sample'\?"),
        (
            '[cameras.gate]\nurl = "x"\nsample = 0',
            r"gate\.sample must be a whole number from 1 to 1000, not 0",
        ),
        ('[cameras.gate]\nurl = "x"\nmask = "gone.png"', r"mask must be a picture file that exists, not 'gone.png'"),
        ('[cameras.gate]\nurl = "x"\nzones = [[[0, 0], [1, 1]]]', "three or more corners"),
        ('[cameras.gate]\nurl = "x"\nzones = [[[0, 0], [1, 1], [0, 2]]]', "from 0 to 1"),
        ('[cameras.gate]\nurl = "x"\nground_points = [[0, 0, 1, 1]]', "ground_points must be a list of four or more"),
        ('[cameras.gate]\nurl = "x"\nground_points = [[0, 0, 1]]', "must be a list of four or more points"),
        ('[cameras.gate]\nurl = "x"\nground_points = [[900, 500, 1, 1]]', "x and y from 0 to 1"),
        ('[cameras.gate]\nurl = "x"\nregions = "br"', r"regions must be a list of codes"),
        (
            '[cameras.a]\nurl = "x"\nnumber = 2\n[cameras.b]\nurl = "y"',
            "must be a number of its own, not 2",
        ),
        ('[cameras."../x"]\nurl = "x"', "a camera's name is 1 to 100 letters"),
        ("cameras = 3", "cameras is a section with one for each camera"),
        ("[cameras]\ngate = 3", r"cameras\.gate is a section, \[cameras\.gate\], not a value"),
        ("[watch]\nmemory = 3", r"'watch\.memory' is no setting; did you mean 'watch\.memory_s'\?"),
        ('[mqtt]\ntopic = "a/+/b"', "mqtt.topic must be the beginning of topics, without"),
        ('[mqtt]\ntopic = "/a"', "mqtt.topic must be"),
        ('[mqtt]\ndiscovery_topic = "a#"', "mqtt.discovery_topic must be"),
        ('[mqtt]\ntopic = "$SYS"', "mqtt.topic must be"),
        ("[mqtt]\nreset_after_s = 0", "mqtt.reset_after_s must be a number from 0.1"),
        ('[scout]\nupload_address = "ftp://x"', "scout.upload_address must be an address that starts with http"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        load(tmp_path, text)


def test_a_refused_address_does_not_tell_its_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, '[cameras.gate]\nurl = "rtsp://user:secret@x/\\u0000"')
    assert "secret" not in str(refused.value)


def test_values_that_contradict_each_other() -> None:
    with pytest.raises(SettingsError, match=r"least_readings must not be above watch.most_readings: 3 and 2"):
        group_options(WatchSettings(least_readings=3, most_readings=2))


def test_cameras_are_shown_without_their_passwords(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(WHOLE, encoding="utf-8")
    shown = Bench().run("settings", "--settings", path).stdout
    assert "secret" not in shown
    assert f"cameras.gate.url = rtsp://10.0.0.7/stream  (file {path})" in shown
    assert "cameras.north yard.active = false" in shown
    assert "cameras.gate.zones = [[[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]]]" in shown
    assert "cameras.gate.ground_points = [[0.2, 0.9, 0.0, 0.0]," in shown


def test_a_mask_says_where_to_look(tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), np.repeat(np.array([[0, 255]], np.uint8), 4, axis=0))
    (plan,) = plan_cameras(Settings(cameras=(CameraSettings(url="x", name="gate", mask=mask),)))
    assert plan.video.zone is not None
    assert plan.video.zone.mask is not None
    assert plan.video.zone.mask.tolist() == [[False, True]] * 4
    mask.write_bytes(b"no picture")
    with pytest.raises(SettingsError, match=r"cameras\.gate\.mask must be a picture"):
        plan_cameras(Settings(cameras=(CameraSettings(url="x", name="gate", mask=mask),)))


def test_points_that_no_road_has_are_refused_with_what_to_do() -> None:
    line = tuple((0.1 * i, 0.1 * i, 0.0, float(i)) for i in range(5))
    with pytest.raises(SettingsError, match=r"cameras\.gate\.ground_points: .* in one line .* choose the corners"):
        plan_cameras(Settings(cameras=(CameraSettings(url="x", name="gate", ground_points=line),)))


def test_scouts_files_become_the_same_values(tmp_path: Path) -> None:
    (tmp_path / "alprd.conf").write_text(
        "pattern = us-mo\ntopn = 5\nmotion_detection = 0\nclassify_vehicles = 0\nplate_groups_time_delta_ms = 1000\n"
        "plate_groups_min_confidence = 70\n"
    )
    (tmp_path / "stream.d").mkdir()
    (tmp_path / "stream.d" / "gate.conf").write_text("camera_id = 12\nstream = rtsp://x\ngps_latitude = 1.5\n")
    scout = load_scout_settings(tmp_path)
    (plan,) = plan_scout(scout, Settings())
    assert (plan.name, plan.number, plan.where, plan.skips_still) == ("gate", 12, "rtsp://x", False)
    assert plan.recognition == RecognitionOptions(regions=("us-mo",), top_n=5)
    assert (plan.video.groups.time_delta_ms, plan.video.groups.min_confidence) == (1000, 0.7)
    assert plan.latitude == 1.5


def test_our_own_section_says_what_scouts_files_say(tmp_path: Path) -> None:
    assert own_scout_settings(ScoutSection()) is None
    text = '[scout]\nupload_address = "http://x/push"\ncompany_id = "c"\nversion = 3\npicture_port = 8355\n'
    scout = own_scout_settings(load(tmp_path, text + f'pictures = "{tmp_path}/ring"').settings.scout)
    assert scout is not None
    assert (scout.upload_data, scout.upload_address, scout.company_id) == (True, "http://x/push", "c")
    assert (scout.store_plates, scout.store_plates_location) == (True, f"{tmp_path}/ring")
    assert (scout.web_server_enabled, scout.web_server_port, scout.scout_version) == (True, 8355, 3)


def test_cameras_of_all_origins_have_names_and_numbers_of_their_own(tmp_path: Path) -> None:
    settings = load(tmp_path, '[cameras.gate]\nurl = "rtsp://x"\nnumber = 5').settings
    plans = make_plans(Wishes(sources=("a/gate", "b/gate", "rtsp://user:pw@y/z?t=1")), settings)
    assert [(plan.name, plan.number) for plan in plans.cameras] == [
        ("gate", 5),
        ("gate 1", 6),
        ("gate-2", 7),
        ("rtsp://y/z", 8),
    ]


def test_what_cannot_be_watched_is_told_before_anything_is_loaded() -> None:
    with pytest.raises(SettingsError, match="there is nothing to watch"):
        make_plans(Wishes(), Settings())
    with pytest.raises(SettingsError, match=r"ftp://x/y: no source begins with ftp://"):
        make_plans(Wishes(sources=("ftp://user:pw@x/y",)), Settings())
    with pytest.raises(RegionError, match="zz"):
        make_plans(Wishes(sources=("x.mp4",), regions=("zz",)), Settings())
