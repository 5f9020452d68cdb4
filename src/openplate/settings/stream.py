"""What Stream's ``config.ini`` can say: every key by its own name, with its type, default and range.

Where no public page tells Stream's default, the one here is Openplate's, and the meaning says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from openplate.datatypes import GroundPoint
from openplate.settings.camera_rules import GroundPoints
from openplate.settings.rules import Number, OneOf, Text, WholeNumber

DetectionMode = Literal["plate", "vehicle"]
StreamImage = Literal["vehicle", "plate", "original"]

FILE_UPLOAD: Final = "file-upload"
IMAGES: Final[tuple[StreamImage, ...]] = ("vehicle", "plate", "original")

_TRUE: Final = ("yes", "true", "on", "1")
_FALSE: Final = ("no", "false", "off", "0")
_HEADER: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}:[\t ]*[\x21-\x7e][\t\x20-\x7e]*")
_DAY_S: Final = 86_400
_HERE: Final = Text("a text")


@dataclass(frozen=True, slots=True)
class YesNo:
    """Yes or no, in the words that Stream takes."""

    @property
    def accepts(self) -> str:
        return "yes or no"

    def from_text(self, text: str) -> bool:
        if text.lower() not in (*_TRUE, *_FALSE):
            raise ValueError
        return text.lower() in _TRUE


@dataclass(frozen=True, slots=True)
class ListOf:
    """Words with commas between them; each as a rule has it."""

    rule: Text | OneOf
    what: str

    @property
    def accepts(self) -> str:
        return self.what

    def from_values(self, values: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.rule.from_text(value) for value in values if value))


@dataclass(frozen=True, slots=True)
class GroundPointWords(GroundPoints):
    """Points of the road, each four numbers with spaces between them."""

    @property
    def accepts(self) -> str:
        return "four or more points with commas, each x y metres metres, x and y from 0 to 1"

    def from_values(self, values: Sequence[str]) -> tuple[GroundPoint, ...]:
        return self.from_value([[float(number) for number in value.split()] for value in values if value])


@dataclass(frozen=True, slots=True)
class OrNone:
    """A whole number, or -1 for something else."""

    minimum: int
    maximum: int
    meaning: str

    @property
    def accepts(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}, or -1 ({self.meaning})"

    def from_text(self, text: str) -> int:
        number = int(text)
        if number != -1 and not self.minimum <= number <= self.maximum:
            raise ValueError
        return number


@dataclass(frozen=True, slots=True)
class Receiver(Text):
    """Where a webhook goes."""

    def from_text(self, text: str) -> str:
        parts = urlsplit(Text.from_text(self, text))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class HeaderLine(Text):
    """One line ``Name: value``."""

    def from_text(self, text: str) -> str:
        if not _HEADER.fullmatch(Text.from_text(self, text)):
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class ZoneName(Text):
    """A name of the tz database."""

    def from_text(self, text: str) -> str:
        zone_of(text)
        return text


def zone_of(name: str) -> tzinfo:
    """The zone of a name like ``Europe/Berlin``. Raises ValueError where there is none."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError from error


_ADDRESS: Final = Receiver("an address that starts with http:// or https://")
_HEADER_LINE: Final = HeaderLine("one line, Name: value")
_IMAGE_TYPES: Final = ListOf(OneOf(IMAGES), "one or several of vehicle, plate, original, with commas between them")
_TIMEOUT: Final = Number(0.1, 3600)
_QUALITY: Final = WholeNumber(1, 100)


@dataclass(frozen=True, slots=True)
class StreamWebhook:
    """A section of ``[webhooks]``, or what the older keys of a camera say; ``id`` is the section's name."""

    id: str
    url: Annotated[str, _ADDRESS, "Where to; a must."]
    header: Annotated[str, _HEADER_LINE, "A header that is sent with each message."] = ""
    image: Annotated[bool, YesNo(), "Whether pictures are sent."] = True
    image_type: Annotated[
        tuple[StreamImage, ...],
        _IMAGE_TYPES,
        "Which: the vehicle, the plate, the whole frame. Boxes count from the top left of the first.",
    ] = ("vehicle",)
    image_quality: Annotated[int, _QUALITY, "Quality of these JPEGs (default: Openplate's)."] = 80
    caching: Annotated[
        bool, YesNo(), "Whether what cannot be delivered is kept and sent later; no: it is tried once, and counted."
    ] = True
    request_timeout: Annotated[float, _TIMEOUT, "Seconds after which an attempt is given up."] = 30.0
    video: Annotated[bool, YesNo(), "Accepted and without effect: no clips are recorded."] = False
    name: Annotated[str, _HERE, "What people call it; has no effect."] = ""


@dataclass(frozen=True, slots=True)
class StreamCamera:
    """A section of ``[cameras]`` over what ``[cameras]`` itself says; ``id`` is the section's name.

    ``source`` is what to open for ``url``, ``mask`` the picture that ``mask_id`` means, and ``webhooks`` are the
    receivers that either spelling names, in their order.
    """

    id: str
    url: Annotated[
        str,
        Text("an address of RTSP or HTTP, a video file, or file-upload"),
        "RTSP or HTTP address, a video file (`/user-data/x.mp4`), or the word `file-upload`; a must.",
    ]
    active: Annotated[bool, YesNo(), "Whether this camera is watched."] = True
    name: Annotated[str, _HERE, "What people call it; has no effect."] = ""
    sample: Annotated[int, WholeNumber(1, 1000), "One of every so many frames is looked at."] = 2
    total: Annotated[
        int, OrNone(1, 2**31, "no limit"), "The camera is watched for so many frames that are looked at, then no more."
    ] = -1
    regions: Annotated[
        tuple[str, ...], ListOf(_HERE, "codes of regions with commas"), "Regions that are expected."
    ] = ()
    region_config: Annotated[
        Literal["normal", "strict"], OneOf(("normal", "strict")), "strict: only texts with a form of these regions."
    ] = "normal"
    detection_rule: Annotated[
        Literal["normal", "strict"], OneOf(("normal", "strict")), "strict: only plates on a vehicle."
    ] = "normal"
    detection_mode: Annotated[
        DetectionMode,
        OneOf(("plate", "vehicle")),
        "vehicle: vehicles without a plate are reported too, and every output has the form of version 2.",
    ] = "plate"
    mmc: Annotated[bool, YesNo(), "Whether make, model, colour and orientation are told."] = False
    max_prediction_delay: Annotated[
        float, Number(0.1, 3600), "Seconds from the first reading to the report, at the most."
    ] = 6.0
    memory_decay: Annotated[
        float, Number(0, 999_999), "Seconds that a vehicle must not be seen before it is reported again."
    ] = 300.0
    merge_buffer: Annotated[
        int, OrNone(1, 10_000, "automatic"), "A vehicle that is not seen in so many analysed frames has gone."
    ] = -1
    max_dwell_delay: Annotated[
        float | None,
        Number(0.1, 999_999),
        "Seconds after the last sight when `dwell_time` is sent (default: Openplate's, it is not sent).",
    ] = None
    trajectory: Annotated[bool, YesNo(), "Whether `dwell_time` tells where the vehicle went."] = False
    report_static: Annotated[
        bool, YesNo(), "Whether a vehicle that stands is reported again after each `memory_decay`."
    ] = False
    text_formats: Annotated[
        tuple[str, ...], ListOf(_HERE, "regular expressions with commas"), "Forms of texts that are expected."
    ] = ()
    plates_per_vehicle: Annotated[int, WholeNumber(1, 1000), "Most plates of one vehicle."] = 1
    max_reconnection_delay: Annotated[
        float, Number(1, _DAY_S - 1), "Most seconds between two attempts to reach a camera (default: Openplate's)."
    ] = 60.0
    image_format: Annotated[str, _HERE, "Where the frames of events are kept; empty: nowhere."] = (
        "$(camera)_screenshots/%y-%m-%d/%H-%M-%S.%f.jpg"
    )
    image_quality: Annotated[int, _QUALITY, "Quality of these JPEGs (default: Openplate's)."] = 80
    csv_file: Annotated[str, _HERE, "A table with a row for each event; empty: none."] = ""
    jsonlines_file: Annotated[str, _HERE, "A file with a line of JSON for each event; empty: none."] = ""
    mask_id: Annotated[
        str,
        _HERE,
        "The picture `masks/ID.png` (or `.jpg`) beside `config.ini`: black does not count (place: Openplate's).",
    ] = ""
    video_fps: Annotated[float | None, Number(0.1, 1000), "Accepted and without effect: no clips are recorded."] = None
    video_overlay: Annotated[str, _HERE, "Accepted and without effect: no clips are recorded."] = ""
    webhook_targets: Annotated[
        tuple[str, ...],
        ListOf(_HERE, "names of sections of [webhooks], or addresses, with commas"),
        "Who gets every event; empty: nobody.",
    ] = ()
    webhook_target: Annotated[str, _HERE, "The older key for one receiver."] = ""
    webhook_header: Annotated[str, _HEADER_LINE, "`header` of receivers that are named by their address."] = ""
    webhook_image: Annotated[bool, YesNo(), "`image` of these."] = True
    webhook_image_type: Annotated[tuple[StreamImage, ...], _IMAGE_TYPES, "`image_type` of these."] = ("vehicle",)
    webhook_caching: Annotated[bool, YesNo(), "`caching` of these."] = True
    webhook_request_timeout: Annotated[float, _TIMEOUT, "`request_timeout` of these."] = 30.0
    user_data: Annotated[str, _HERE, "Told in every result."] = ""
    ground_points: Annotated[
        tuple[GroundPoint, ...],
        GroundPointWords(),
        "Openplate's own: points of the road for `speed`: shares of the picture's width and height, then metres.",
    ] = ()
    source: str = ""
    mask: Path | None = None
    webhooks: tuple[StreamWebhook, ...] = ()

    @property
    def is_file_upload(self) -> bool:
        """It takes files by HTTP instead of watching something."""
        return self.url == FILE_UPLOAD


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """``config.ini``; ``folder`` is where it lies and where results go, Stream's ``/user-data``."""

    folder: Path
    timezone: Annotated[
        str, ZoneName("a name of the tz database, Europe/Berlin"), "Zone of `timestamp_local` and of names of files."
    ] = "UTC"
    version: Annotated[int, WholeNumber(1, 2), "Version of the file; has no effect."] = 2
    config_change_restart: Annotated[bool, YesNo(), "Whether a changed file takes effect by itself."] = False
    cameras: tuple[StreamCamera, ...] = ()
    webhooks: tuple[StreamWebhook, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def zone(self) -> tzinfo:
        return zone_of(self.timezone)

    @property
    def request_timeout_s(self) -> float:
        """The longest that any receiver is waited for."""
        used = {webhook for camera in self.cameras for webhook in camera.webhooks}
        return max((webhook.request_timeout for webhook in used), default=StreamWebhook("", "").request_timeout)
