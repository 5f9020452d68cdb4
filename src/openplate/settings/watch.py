"""Settings of ``openplate watch``: cameras, when a vehicle is reported, messages in Scout's way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from openplate.datatypes import GroundPoint
from openplate.settings.camera_rules import (
    CameraAddress,
    GroundPoints,
    PictureFile,
    Polygon,
    Polygons,
    Texts,
    WebAddress,
)
from openplate.settings.rules import Flag, Folder, Number, OneOf, Secret, Text, WholeNumber

WatchMode = Literal["normal", "fast"]
Transport = Literal["tcp", "udp"]

_DAY_S: Final = 24 * 3600
_MIB: Final = 2**20
_LARGEST: Final = 2**50


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """One camera: a section ``[cameras.NAME]`` of the file."""

    url: Annotated[str, CameraAddress(), "Where its pictures come from. A must."] = ""
    active: Annotated[bool, Flag(), "Whether it is watched."] = True
    number: Annotated[
        int | None, WholeNumber(0, 2**53), "What messages call it; not set: its place among the cameras, from 1."
    ] = None
    mode: Annotated[WatchMode, OneOf(("normal", "fast")), "How far to look in each frame; fast: one pass."] = "normal"
    regions: Annotated[tuple[str, ...], Texts("codes of `openplate regions`"), "Where plates are from."] = ()
    strict: Annotated[bool, Flag(), "Whether only texts with exactly a form of the regions are kept."] = False
    threshold_detection: Annotated[
        float | None, Number(0, 1), "Least confidence of a plate; not set: the network's own."
    ] = None
    threshold_reading: Annotated[float, Number(0, 1), "Below it a plate counts as unread."] = 0.2
    vehicle_required: Annotated[bool, Flag(), "Whether only plates on a vehicle count."] = False
    attributes: Annotated[bool, Flag(), "Whether type, make, model, colour and so on are told."] = False
    top_n: Annotated[int, WholeNumber(1, 1000), "Most candidates of a plate."] = 10
    sample: Annotated[int, WholeNumber(1, 1000), "One of so many frames is analysed, the others are passed over."] = 1
    skip_still: Annotated[bool, Flag(), "Whether frames in which nothing moves are left alone."] = True
    linger_s: Annotated[float, Number(0, 3600), "How long to go on looking after the last motion, in seconds."] = 1.0
    zones: Annotated[
        tuple[Polygon, ...], Polygons(), "Where to look, corners as shares of width and height; none: everywhere."
    ] = ()
    mask: Annotated[Path | None, PictureFile(), "A picture that is black where nothing counts."] = None
    ground_points: Annotated[
        tuple[GroundPoint, ...], GroundPoints(), "Points of the road for speeds: shares of the picture, then metres."
    ] = ()
    transport: Annotated[Transport, OneOf(("tcp", "udp")), "How RTSP is carried."] = "tcp"
    poll_s: Annotated[float, Number(0.01, 3600), "From one snapshot to the next, in seconds."] = 1.0
    frames_per_s: Annotated[
        float | None, Number(0.001, 1000), "Rate of a folder's pictures; not set: each has its file's time."
    ] = None
    open_timeout_s: Annotated[float, Number(0.1, 600), "Longest wait for a camera to open, in seconds."] = 10.0
    read_timeout_s: Annotated[float, Number(0.1, 600), "A camera silent for so long is opened again."] = 10.0
    frozen_after_s: Annotated[
        float, Number(0, _DAY_S), "A camera that repeats one picture for so long is opened again; 0: never."
    ] = 60.0
    reconnect_first_s: Annotated[float, Number(0.1, 3600), "From a failure to the next attempt; it doubles."] = 1.0
    reconnect_most_s: Annotated[float, Number(0.1, 3600), "The most that it grows to, in seconds."] = 60.0
    verify_certificates: Annotated[bool, Flag(), "Whether certificates of https and rtsps must be good."] = True
    latitude: Annotated[float | None, Number(-90, 90), "Where it stands, in degrees."] = None
    longitude: Annotated[float | None, Number(-180, 180), "Where it stands, in degrees."] = None
    heading: Annotated[float | None, Number(0, 360), "Where it looks, in degrees clockwise from north."] = None

    name: str = ""
    """The last part of the section's name."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """When a vehicle is reported, and what watching says of itself."""

    memory_s: Annotated[
        float, Number(0, 366 * _DAY_S), "A vehicle is not reported again until it was unseen for so long, in seconds."
    ] = 300.0
    longest_wait_s: Annotated[
        float, Number(0, _DAY_S), "Longest wait from the first reading to the report; 0: until the vehicle has gone."
    ] = 6.0
    gone_after_s: Annotated[float, Number(0.01, _DAY_S), "A vehicle unseen for so long has gone, in seconds."] = 4.5
    gone_after_frames: Annotated[
        int | None, WholeNumber(1, 100_000), "The same in analysed frames; not set: by the time."
    ] = None
    least_readings: Annotated[int, WholeNumber(1, 10_000), "Fewer readings of a plate are not reported."] = 1
    most_readings: Annotated[
        int, WholeNumber(1, 1_000_000), "After so many a vehicle is reported while it is still there."
    ] = 500
    least_confidence: Annotated[float, Number(0, 1), "Readings below it do not count."] = 0.0
    least_group_confidence: Annotated[
        float, Number(0, 1), "Texts of which all readings together are less sure are not reported."
    ] = 0.4
    hold_back_s: Annotated[float, Number(0, _DAY_S), "A pass is reported so long after its end, at the least."] = 0.0
    preview: Annotated[bool, Flag(), "Whether a confident reading is told at once, before the report."] = False
    preview_confidence: Annotated[float, Number(0, 1), "How sure it must be for that."] = 0.9
    parked: Annotated[bool, Flag(), "Whether what stands is reported again after each `memory_s`."] = False
    vehicles: Annotated[bool, Flag(), "Whether vehicles without a readable plate are reported too."] = False
    left_after_s: Annotated[
        float | None,
        Number(0.1, 366 * _DAY_S),
        "Reported once more, with how long it was there, when unseen for so long; not set: not.",
    ] = None
    host: Annotated[str, Text("a host name or address"), "Where counters, state and pictures are answered."] = (
        "127.0.0.1"
    )
    port: Annotated[
        int | None, WholeNumber(0, 65535), "Port of /metrics, /healthz and /v1/cameras; not set: none; 0: any free one."
    ] = None
    upload_port: Annotated[
        int, WholeNumber(0, 65535), "Port that takes videos where Stream's config.ini has a camera `file-upload`."
    ] = 8081
    stop_timeout_s: Annotated[float, Number(1, 3600), "How long everything may take to end, in seconds."] = 20.0


@dataclass(frozen=True, slots=True)
class ScoutSection:
    """Messages, pictures and heartbeats in Rekor Scout's way; they are on when ``upload_address`` or ``pictures`` is.

    ``openplate watch --scout FOLDER`` reads Scout's own files instead.
    """

    upload_address: Annotated[str | None, WebAddress(), "Where messages are sent; not set: nowhere."] = None
    company_id: Annotated[str, Text("a text"), "Told in every message."] = "openplate"
    agent_uid: Annotated[str | None, Text("40 letters and digits"), "Who reports; not set: one of its own is made."] = (
        None
    )
    version: Annotated[
        int, WholeNumber(2, 3), "2: the keys of Scout's founding documents; 3: those of newer agents."
    ] = 2
    groups_only: Annotated[bool, Flag(), "Whether results of single frames stay here."] = True
    upload_threads: Annotated[int, WholeNumber(1, 64), "Messages that are uploaded at the same time."] = 2
    queue_bytes: Annotated[
        int, WholeNumber(_MIB, _LARGEST), "Most of what waits to be uploaded; the oldest goes first."
    ] = 1000 * _MIB
    country: Annotated[str, Text("a text"), "The plates that are expected, as messages tell it: us, eu."] = "us"
    user_data: Annotated[str | None, Text("a text"), "Told in every result."] = None
    custom_data: Annotated[str | None, Secret("a text"), "Told in groups of version 3; some receivers want a key."] = (
        None
    )
    pictures: Annotated[
        Path | None, Folder(must_exist=False), "Folder for pictures of what was read; not set: none are kept."
    ] = None
    pictures_bytes: Annotated[int, WholeNumber(_MIB, _LARGEST), "Most of them; the oldest go first."] = 8000 * _MIB
    picture_quality: Annotated[int, WholeNumber(1, 100), "Quality of their JPEG files."] = 85
    picture_port: Annotated[
        int | None, WholeNumber(0, 65535), "Port at which they can be fetched (Scout's is 8355); not set: none."
    ] = None
