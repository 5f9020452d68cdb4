"""Names of files in Stream's way: what stands for what, and that none lies elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.formats.stream_names import check_camera_id, check_pattern, file_name

AT = datetime(2021, 7, 31, 13, 53, 36, 169692, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("$(camera)_screenshots/%y-%m-%d/%H-%M-%S.%f.jpg", "gate_screenshots/21-07-31/09-53-36.169692.jpg"),
        ("$(camera)_%y-%m-%d.csv", "gate_21-07-31.csv"),
        ("/user-data/out/$(camera)/$(camera).jsonl", "out/gate/gate.jsonl"),
        ("all.csv", "all.csv"),
        ("%Y%%.csv", "2021%.csv"),
    ],
)
def test_camera_and_time_in_the_zone(pattern: str, name: str) -> None:
    assert file_name(pattern, "gate", AT, NEW_YORK) == name


def test_percent_signs_of_an_id_are_no_codes() -> None:
    assert file_name("$(camera)_%y", "50%y", AT, UTC) == "50%y_21"


def test_a_day_begins_at_midnight_of_the_zone() -> None:
    late = datetime(2021, 7, 31, 23, 30, tzinfo=UTC)
    assert file_name("%d", "gate", late, timezone(timedelta(hours=2))) == "01"


@pytest.mark.parametrize(
    "pattern",
    [
        "../x.csv",
        "a/../../x",
        "/etc/passwd",
        "/user-data/../x",
        "a//b",
        "a/./b",
        "",
        "a/",
        "x\ny",
        "x\0y",
        "a\\b",
        "C:/x",
    ],
)
def test_names_that_lie_elsewhere_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"is no name of a file|names a drive"):
        check_pattern(pattern, "gate")


def test_a_camera_leads_nowhere_else() -> None:
    with pytest.raises(ValueError, match="beneath"):
        file_name("$(camera)/x.csv", "..", AT, UTC)


def test_a_time_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        file_name("x", "gate", AT.replace(tzinfo=None), UTC)


@given(st.text(max_size=30), st.text(max_size=10))
def test_whatever_the_pattern_the_file_is_beneath_the_folder(pattern: str, camera: str) -> None:
    try:
        name = file_name(pattern, camera, AT, UTC)
    except ValueError:
        return
    parts = PurePosixPath(name)
    assert not parts.is_absolute()
    assert ".." not in parts.parts


@pytest.mark.parametrize("camera", ["gate-1", "Tor 2", "50%", "Ü.1"])
def test_ids_that_can_be_part_of_a_name(camera: str) -> None:
    check_camera_id(camera)


@pytest.mark.parametrize("camera", ["", ".", "..", "a/b", "a\\b", "a:b", " a", "x" * 101, "a\nb"])
def test_ids_that_cannot(camera: str) -> None:
    with pytest.raises(ValueError, match="cannot be part"):
        check_camera_id(camera)
