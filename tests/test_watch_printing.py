"""The line that people see for a vehicle."""

from __future__ import annotations

from dataclasses import replace

from openplate.cli.watch_printing import group_line
from openplate.datatypes import Speed
from openplate.video_pipeline import GroupPicture
from stream_scenes import make_group


def test_the_speed_stands_behind_the_vehicle_where_it_is_known() -> None:
    group = make_group(speed=Speed(43.26, 0.9))
    assert group_line(GroupPicture(group, None, 5.2)) == "0:05.2  B4K77Q      91 %  us-mo 40 %  down left  car  43 km/h"
    preview = replace(group, state="preview")
    assert group_line(GroupPicture(preview, None, 5.2)).endswith("  car  43 km/h  preview")
    assert group_line(GroupPicture(make_group(), None, 5.2)).endswith("  car")
