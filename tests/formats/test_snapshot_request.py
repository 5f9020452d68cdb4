"""Requests as client programs in the field write them, and what is said to those that cannot be understood."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.errors import RequestError
from openplate.formats.snapshot_config import SnapshotConfig, parse_config
from openplate.formats.snapshot_request import (
    LONGEST_CAMERA_ID,
    MOST_REGIONS,
    SnapshotRequest,
    parse_snapshot_request,
)
from openplate.regions import codes


def parse(**fields: str | list[str]) -> SnapshotRequest:
    return parse_snapshot_request({name: [v] if isinstance(v, str) else v for name, v in fields.items()})


def config(**keys: Any) -> SnapshotConfig:
    return parse(config=json.dumps(keys)).config


def test_nothing_sent_is_the_default() -> None:
    assert parse() == SnapshotRequest()
    assert parse(config="", camera_id="", timestamp="", mmc="", upload_url=" ", regions="") == SnapshotRequest()
    assert parse(config="{}", regions=[]) == SnapshotRequest()


def test_unknown_fields_are_ignored() -> None:
    assert parse(uplaod="x", threshold="0.5") == SnapshotRequest()


# --- regions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"regions": ["us-ca", "mx"]},
        {"regions": "us-ca,mx"},
        {"regions": " us-ca , mx ,"},
        {"regions": ["us-ca,mx", "US-CA"]},
        {"regions[]": ["us-ca", "mx"]},
        {"regions[0]": ["us-ca"], "regions[1]": ["mx"]},
        {"region": ["us-ca", "mx"]},
        {"regions": "us-ca", "region": "mx"},
    ],
)
def test_regions_however_they_are_sent(fields: dict[str, Any]) -> None:
    assert parse(**fields).regions == ("us-ca", "mx")


@pytest.mark.parametrize(("printed", "meant"), [("cb", "kh"), ("br_sc", "br-sc"), ("ALX", "eg-alx"), ("us-pr", "pr")])
def test_misprinted_codes_that_can_mean_one_region_only(printed: str, meant: str) -> None:
    assert parse(regions=printed).regions == (meant,)


@pytest.mark.parametrize(("code", "near"), [("uk", "gb (United Kingdom)"), ("us-zz", "us-az"), ("usa", "us (")])
def test_an_unknown_code_is_told_with_the_nearest(code: str, near: str) -> None:
    with pytest.raises(RequestError, match=f"^regions: there is no region '{code}'; did you mean ") as raised:
        parse(regions=["mx", code])
    assert near in str(raised.value)


@pytest.mark.parametrize("code", ["x" * 1000, "u\ns", "\ud800", "us\x00"])
def test_a_hostile_code_is_named_without_harm(code: str) -> None:
    with pytest.raises(RequestError, match="there is no region") as raised:
        parse(regions=code)
    assert len(str(raised.value)) < 200
    assert str(raised.value).isprintable()


def test_too_many_regions() -> None:
    assert len(parse(regions=list(codes()[:MOST_REGIONS])).regions) == MOST_REGIONS
    with pytest.raises(RequestError, match="too many"):
        parse(regions=",".join(codes()[: MOST_REGIONS + 1]))


# --- booleans, texts and times -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mmc", "direction"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *((word, True) for word in ("true", "True", "TRUE", "1", "yes", "on", " true ", "t", "Y")),
        *((word, False) for word in ("false", "False", "FALSE", "0", "no", "off", "", "None", "null", "undefined")),
    ],
)
def test_booleans_as_languages_print_them(name: str, written: str, meant: bool) -> None:
    assert getattr(parse(**{name: written}), name) is meant


def test_a_boolean_that_is_none() -> None:
    with pytest.raises(RequestError, match=r'^mmc: must be true or false, not "maybe"'):
        parse(mmc="Maybe")


def test_of_a_repeated_field_the_last_counts() -> None:
    assert parse(camera_id=["first", "last"], mmc=["true", "false"]) == SnapshotRequest(camera_id="last")


def test_camera_ids() -> None:
    assert parse(camera_id=" Einfahrt Süd ").camera_id == "Einfahrt Süd"
    assert parse(camera_id="大門").camera_id == "大門"
    assert parse(camera_id="x" * LONGEST_CAMERA_ID).camera_id == "x" * LONGEST_CAMERA_ID
    with pytest.raises(RequestError, match=f"^camera_id: longer than {LONGEST_CAMERA_ID}"):
        parse(camera_id="x" * (LONGEST_CAMERA_ID + 1))


@pytest.mark.parametrize("name", ["camera_id", "timestamp", "upload_url"])
@pytest.mark.parametrize("evil", ["a\r\nSet-Cookie: x", "a\x00b", "a\x7fb", "a\u2028b", "a\ud800b", "a\x1b[2Jb"])
def test_control_characters_are_refused(name: str, evil: str) -> None:
    with pytest.raises(RequestError, match=f"^{name}: control characters"):
        parse(**{name: evil})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2019-08-19T13:11:25", datetime(2019, 8, 19, 13, 11, 25, tzinfo=UTC)),
        ("2019-08-19T13:11:25Z", datetime(2019, 8, 19, 13, 11, 25, tzinfo=UTC)),
        ("2019-08-19T13:11:25.123Z", datetime(2019, 8, 19, 13, 11, 25, 123000, tzinfo=UTC)),
        ("2019-08-19 13:11:25.5", datetime(2019, 8, 19, 13, 11, 25, 500000, tzinfo=UTC)),
        ("2019-08-19T13:11:25+02:00", datetime(2019, 8, 19, 11, 11, 25, tzinfo=UTC)),
        ("2019-08-19", datetime(2019, 8, 19, tzinfo=UTC)),
    ],
)
def test_times(written: str, meant: datetime) -> None:
    request = parse(timestamp=written)
    assert (request.timestamp, request.timestamp_text) == (meant, written)


@pytest.mark.parametrize("written", ["yesterday", "2019-13-01T00:00:00", "0001-01-01T00:00:00+10:00", "1566220285"])
def test_what_is_no_time(written: str) -> None:
    with pytest.raises(RequestError, match=r"^timestamp: must be a time as in 2019-08-19T13:11:25"):
        parse(timestamp=written)


def test_addresses_of_pictures() -> None:
    assert parse(upload_url=" https://example.com/a b.jpg ").upload_url == "https://example.com/a b.jpg"
    assert parse(upload_url="HTTP://example.com/").upload_url == "HTTP://example.com/"
    for url in ("file:///etc/passwd", "example.com/a.jpg", "ftp://example.com/", "//example.com"):
        with pytest.raises(RequestError, match=r"^upload_url: must begin with http:// or https://"):
            parse(upload_url=url)
    with pytest.raises(RequestError, match=r"^upload_url: longer"):
        parse(upload_url="http://example.com/" + "a" * 5000)


# --- config ---------------------------------------------------------------------------------------


def test_every_key_of_the_config() -> None:
    assert config(
        region="strict",
        threshold_d=0.1,
        threshold_o=0.9,
        mode="fast",
        detection_rule="strict",
        detection_mode="vehicle",
        text_formats=["[0-9][0-9][0-9][a-z][a-z]"],
        plates_per_vehicle=2,
        zoom_in_vehicles=0,
    ) == SnapshotConfig(
        region_strict=True,
        threshold_d=0.1,
        threshold_o=0.9,
        mode="fast",
        vehicle_required=True,
        vehicles_too=True,
        text_formats=("[0-9][0-9][0-9][a-z][a-z]",),
        plates_per_vehicle=2,
        zoom_in_vehicles=0,
    )


def test_the_names_of_defaults_are_understood() -> None:
    named = config(region="normal", mode="normal", detection_rule="normal", detection_mode="plate", text_formats=[])
    assert named == SnapshotConfig()


def test_forgiving_where_the_meaning_is_clear() -> None:
    assert config(threshold_d="0.3", plates_per_vehicle="3", zoom_in_vehicles=2.0) == SnapshotConfig(
        threshold_d=0.3, plates_per_vehicle=3, zoom_in_vehicles=2
    )
    assert config(region=" Strict", mode=None, threshold_o=None) == SnapshotConfig(region_strict=True)
    assert config(text_formats="[a-z]{3}").text_formats == ("[a-z]{3}",)
    assert config(unknown=1, camera={"a": []}) == SnapshotConfig()


def test_redaction_keeps_everything_unless_told_otherwise() -> None:
    assert config(mode="redaction") == SnapshotConfig(mode="redaction", plates_per_vehicle=None, zoom_in_vehicles=None)
    told = config(mode="redaction", plates_per_vehicle=1, zoom_in_vehicles=4)
    assert (told.plates_per_vehicle, told.zoom_in_vehicles) == (1, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "config: not valid JSON: "),
        ("strict", "config: not valid JSON: Expecting value at character 1"),
        ("[]", "config: must be a JSON object"),
        ("null", "config: must be a JSON object"),
        ('"strict"', "config: must be a JSON object"),
        ("[" * 50_000, "config: not valid JSON"),
        ('{"threshold_d": ' + "1" * 5000 + "}", "config: not valid JSON"),
        (" " * 65_536 + "{}", "config: longer than"),
        ('{"region": "strickt"}', 'config.region: must be one of normal, strict, not "strickt"'),
        ('{"region": true}', "config.region: must be one of normal, strict, not true"),
        ('{"mode": "slow"}', "config.mode: must be one of normal, fast, redaction"),
        ('{"detection_rule": 1}', "config.detection_rule: must be one of normal, strict, not 1"),
        ('{"detection_mode": "car"}', "config.detection_mode: must be one of plate, vehicle"),
        ('{"threshold_d": 1.5}', "config.threshold_d: must be a number from 0 to 1, not 1.5"),
        ('{"threshold_d": NaN}', "config.threshold_d: must be a number from 0 to 1, not NaN"),
        ('{"threshold_o": -0.1}', "config.threshold_o: must be a number from 0 to 1"),
        ('{"threshold_o": true}', "config.threshold_o: must be a number from 0 to 1, not true"),
        ('{"threshold_o": "high"}', "config.threshold_o: must be a number from 0 to 1"),
        ('{"threshold_o": 1e999}', "config.threshold_o: must be a number from 0 to 1"),
        ('{"plates_per_vehicle": 0}', "config.plates_per_vehicle: must be a whole number from 1, not 0"),
        ('{"plates_per_vehicle": 1.5}', "config.plates_per_vehicle: must be a whole number from 1"),
        ('{"zoom_in_vehicles": -1}', "config.zoom_in_vehicles: must be a whole number from 0"),
        ('{"text_formats": [1]}', r"config.text_formats: must be a list of strings, not \[1\]"),
        ('{"text_formats": {}}', "config.text_formats: must be a list of strings"),
        ('{"text_formats": ["("]}', "config.text_formats: the text format .* cannot be understood: a group is not"),
    ],
)
def test_a_config_that_cannot_be_followed(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=f"^{message}") as raised:
        parse(config=text)
    assert len(str(raised.value)) < 400


@given(st.text(max_size=60) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_config_is_followed_or_refused(text: str) -> None:
    try:
        parse_config(text)
    except RequestError as error:
        assert str(error).startswith("config")  # noqa: PT017


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    (
        *("region", "threshold_d", "threshold_o", "mode", "detection_rule", "detection_mode", "text_formats"),
        *("plates_per_vehicle", "zoom_in_vehicles"),
    )
)


@given(st.dictionaries(KEYS, JSON_VALUES))
def test_any_value_of_a_key_is_followed_or_refused_by_its_name(keys: dict[str, Any]) -> None:
    try:
        followed = config(**keys)
    except RequestError as error:
        assert any(f"config.{key}: " in str(error) for key in keys)  # noqa: PT017
    else:
        assert 0 <= followed.threshold_d <= 1


@given(
    st.dictionaries(
        st.sampled_from(["regions", "region", "camera_id", "timestamp", "mmc", "direction", "config", "upload_url"]),
        st.lists(st.text(max_size=12), max_size=3),
    )
)
def test_any_form_is_understood_or_refused(fields: dict[str, list[str]]) -> None:
    try:
        parse_snapshot_request(fields)
    except RequestError as error:
        assert len(str(error)) < 400  # noqa: PT017
