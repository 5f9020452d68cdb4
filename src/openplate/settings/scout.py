"""What Scout's own files can say: every key of ``alprd.conf`` and of a camera's file, by its own name.

Keys that Openplate adds to Scout's are said to be its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from openplate.settings.rules import Number, OneOf, Text, WholeNumber

_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")
_DAY_MS: Final = 24 * 3600 * 1000
_HERE: Final = Text("a text")


@dataclass(frozen=True, slots=True)
class Switch:
    """Yes or no, as these files have it."""

    @property
    def accepts(self) -> str:
        return "0 or 1"

    def from_text(self, text: str) -> bool:
        if text.lower() not in (*_TRUE, *_FALSE):
            raise ValueError
        return text.lower() in _TRUE


@dataclass(frozen=True, slots=True)
class WebAddress(Text):
    """An address of HTTP."""

    def from_text(self, text: str) -> str:
        parts = urlsplit(Text.from_text(self, text))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class File:
    """A file that is there."""

    @property
    def accepts(self) -> str:
        return "a file that exists"

    def from_text(self, text: str) -> Path:
        path = Path(text)
        try:
            is_there = path.is_file()
        except OSError as error:
            raise ValueError from error
        if not is_there:
            raise ValueError
        return path


@dataclass(frozen=True, slots=True)
class ScoutVersion(OneOf):
    """2 or 3, as a number."""

    def from_text(self, text: str) -> int:  # type: ignore[override]
        return int(OneOf.from_text(self, text))


@dataclass(frozen=True, slots=True)
class ScoutCamera:
    """One camera: a file in ``stream.d``, or a ``stream`` line of the open-source daemon's ``alprd.conf``."""

    camera_id: Annotated[int, WholeNumber(0, 2**53), "Number of the camera; no two have the same."]
    stream: Annotated[str, _HERE, "Where its video comes from, mostly an RTSP address."]
    prewarp: Annotated[str, _HERE, "Accepted and without effect: tilted plates are straightened one by one."] = ""
    detection_mask_image: Annotated[
        Path | None, File(), "A picture as large as the frames: black is not searched, white is."
    ] = None
    gstreamer_format: Annotated[str, _HERE, "Accepted and without effect: `stream` is opened instead."] = ""
    camera_name: Annotated[str, _HERE, "Openplate's own: what people call it; default: the file's name."] = ""
    gps_latitude: Annotated[float | None, Number(-90, 90), "Openplate's own: where it stands, in degrees."] = None
    gps_longitude: Annotated[float | None, Number(-180, 180), "Openplate's own: where it stands, in degrees."] = None


@dataclass(frozen=True, slots=True)
class ScoutSettings:
    """``alprd.conf``; the defaults are Scout's where the description says nothing else."""

    company_id: Annotated[str, _HERE, "Told in every message; a must where data is uploaded."] = ""
    site_id: Annotated[str, _HERE, "Name of the site (open-source daemon); told in results where it is not empty."] = ""
    country: Annotated[str, _HERE, "The plates that are expected: us, eu ..."] = "us"
    pattern: Annotated[str, _HERE, "Region whose forms of plates are preferred, us-mo; empty: none."] = ""
    topn: Annotated[int, WholeNumber(1, 1000), "Most candidates of a plate."] = 10
    user_data: Annotated[str, _HERE, "Told in every result, where it is not empty."] = ""
    upload_data: Annotated[
        bool, Switch(), "Whether results are uploaded. Without this key: only where `upload_address` is given."
    ] = False
    upload_address: Annotated[str, WebAddress("an address that starts with http:// or https://"), "Where to."] = (
        "https://cloud.openalpr.com/push/"
    )
    upload_threads: Annotated[int, WholeNumber(1, 64), "Messages that are uploaded at the same time."] = 2
    use_beanstalkd: Annotated[bool, Switch(), "Accepted and without effect: there is no beanstalkd queue."] = True
    websockets_enabled: Annotated[bool, Switch(), "Accepted and without effect."] = True
    web_server_enabled: Annotated[bool, Switch(), "Whether pictures can be fetched from this machine."] = False
    web_server_port: Annotated[int, WholeNumber(1, 65535), "At which port."] = 8355
    store_plates: Annotated[bool, Switch(), "Whether pictures are kept."] = True
    store_plates_location: Annotated[str, _HERE, "In which folder."] = "/var/lib/openalpr/plateimages/"
    store_plates_maxsize_mb: Annotated[int, WholeNumber(1, 2**30), "How much of them; the oldest go first."] = 8000
    store_plates_jpeg_quality: Annotated[int, WholeNumber(1, 100), "Quality of kept pictures."] = 85
    store_plates_cleanup_interval_seconds: Annotated[
        int, WholeNumber(1, 86400), "Accepted and without effect: room is made with each picture."
    ] = 120
    analysis_threads: Annotated[int, WholeNumber(1, 256), "Frames that are analysed at the same time."] = 2
    motion_detection: Annotated[bool, Switch(), "Whether only what moves is searched."] = True
    camera_buffer_size: Annotated[
        int,
        WholeNumber(1, 10_000),
        "Accepted and without effect: frames of a camera do not wait, the newest is analysed.",
    ] = 60
    classify_vehicles: Annotated[bool, Switch(), "Whether make, model, colour and body are told."] = True
    plate_groups_enabled: Annotated[bool, Switch(), "Whether readings of one vehicle become a group."] = True
    plate_groups_span_cameras: Annotated[
        bool, Switch(), "Accepted and without effect: each camera has groups of its own."
    ] = False
    plate_groups_time_delta_ms: Annotated[
        int, WholeNumber(0, _DAY_MS), "A group ends when its plate was not seen for so long, in milliseconds."
    ] = 4500
    plate_groups_min_plates_to_group: Annotated[int, WholeNumber(1, 10_000), "Fewer readings are no group."] = 2
    plate_groups_min_confidence: Annotated[float, Number(0, 100), "Readings below it do not count, in percent."] = 80.0
    plate_groups_max_plates_to_group: Annotated[int, WholeNumber(1, 1_000_000), "A group ends with so many."] = 500
    plate_groups_max_delay_to_send: Annotated[
        int, WholeNumber(0, _DAY_MS), "A group is sent so long after its end, in milliseconds, at the least."
    ] = 7500
    hardware_acceleration: Annotated[bool, Switch(), "Whether the networks run on a graphics card."] = False
    gpu_id: Annotated[int, WholeNumber(0, 64), "Accepted and without effect: the first one is used."] = 0
    gpu_batch_size: Annotated[
        int, WholeNumber(1, 1024), "Accepted and without effect: each frame is analysed when it is there."
    ] = 5
    scout_version: Annotated[
        int,
        ScoutVersion(("2", "3")),
        "Openplate's own: 2 has the keys of Scout's founding documents, 3 those of newer agents too.",
    ] = 2
    upload_groups_only: Annotated[
        bool,
        Switch(),
        "Openplate's own: whether results of single frames stay here. The open-source daemon's form: 0.",
    ] = True
    upload_queue_maxsize_mb: Annotated[
        int, WholeNumber(1, 2**30), "Openplate's own: most of what waits to be uploaded; the oldest goes first."
    ] = 1000
    custom_data: Annotated[str, _HERE, "Openplate's own: told in groups of version 3; some receivers want a key."] = ""

    agent_uid: str | None = None
    """What the file ``install_id`` beside ``alprd.conf`` says; None without it."""
    cameras: tuple[ScoutCamera, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    """One sentence for each thing that was read and has no effect, or is not known."""
