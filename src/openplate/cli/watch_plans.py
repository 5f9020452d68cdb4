"""What ``openplate watch`` is asked for, as cameras to be watched; what cannot be is told before anything is loaded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from openplate.cli.serve import ExtraMissing
from openplate.errors import SettingsError
from openplate.options import RecognitionOptions
from openplate.regions import certain
from openplate.settings import Settings
from openplate.settings.alprd import load_scout_settings
from openplate.settings.scout import ScoutSettings
from openplate.settings.stream import StreamSettings
from openplate.settings.stream_config import CONFIG, load_stream_settings, write_default_config
from openplate.settings.stream_plan import plan_stream
from openplate.settings.watch_building import limits_of, own_scout_settings, plan_addresses, plan_cameras, plan_scout
from openplate.settings.watch_plan import CameraPlan
from openplate.video import is_live
from openplate.video.source import without_password
from openplate.video.sources import ACCEPTED, STREAMS

STREAM: Final = "pip install 'openplate[stream]'"
SERVER: Final = "pip install 'openplate[server]'"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wishes:
    """The command line of ``openplate watch``."""

    sources: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    attributes: bool = False
    preview: bool = False
    as_json: bool = False
    is_quiet: bool = False
    shows: bool = False
    video: Path | None = None
    scout: Path | None = None
    stream_config: Path | None = None


@dataclass(frozen=True, slots=True)
class Plans:
    """Cameras, and Scout's and Stream's settings where their ways are wanted."""

    cameras: tuple[CameraPlan, ...]
    scout: ScoutSettings | None = None
    stream: StreamSettings | None = None

    @property
    def takes_files(self) -> bool:
        """Whether videos are taken by HTTP, which goes on until it is stopped."""
        return self.stream is not None and any(each.active and each.is_file_upload for each in self.stream.cameras)

    @property
    def wants_graphics_card(self) -> bool:
        """As Scout's files say."""
        return self.scout is not None and self.scout.hardware_acceleration

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each thing in other products' files that has no effect."""
        found = [*(self.scout.warnings if self.scout else ()), *(self.stream.warnings if self.stream else ())]
        if self.scout is not None and self.scout.plate_groups_span_cameras:
            found.append("plate_groups_span_cameras has no effect: each camera has groups of its own")
        return tuple(found)


def make_plans(wishes: Wishes, settings: Settings) -> Plans:
    """
    Raises:
        SettingsError: there is nothing to watch, or something in the settings or files is not acceptable.
        RegionError: an unknown code.
        ExtraMissing: a library is needed that is not there.
    """
    scout = own_scout_settings(settings.scout) if wishes.scout is None else load_scout_settings(wishes.scout)
    stream = None if wishes.stream_config is None else _load_stream(wishes.stream_config)
    told = [*(plan_scout(scout, settings) if scout else ()), *plan_cameras(settings)]
    told += _after(told, () if stream is None else plan_stream(stream, limits_of(settings)))
    told += _named(wishes, settings, told)
    if wishes.preview or settings.watch.preview:
        told = [_with_previews(plan, settings.watch.preview_confidence) for plan in told]
    plans = Plans(tuple(told), scout, stream)
    cameras = plans.cameras
    _check_numbers(cameras)
    if not cameras and not plans.takes_files:
        raise SettingsError(
            "there is nothing to watch: name a video, a folder or a camera's address, or give cameras in the settings"
        )
    for camera in cameras:
        certain(camera.recognition.regions)
        _check_address(camera.where)
    needs_server = scout is not None or stream is not None or settings.watch.port is not None
    check_libraries(cameras, needs_server=needs_server)
    if settings.mqtt.host is not None and find_spec("paho") is None:
        raise ExtraMissing(f"MQTT needs paho-mqtt, not installed here; install with: {STREAM}")
    return plans


def _load_stream(path: Path) -> StreamSettings:
    """As Stream does on its first start, a folder without ``config.ini`` is given one to fill in."""
    if path.is_dir() and not (path / CONFIG).exists():
        written = write_default_config(path)
        raise SettingsError(f"{written} was not there and has been written: say in it which cameras to watch")
    return load_stream_settings(path)


def _with_previews(plan: CameraPlan, confidence: float) -> CameraPlan:
    """Neither Scout's files nor Stream's have a word for them."""
    groups = replace(plan.video.groups, preview=True, preview_confidence=confidence)
    return replace(plan, video=replace(plan.video, groups=groups))


def _after(others: Sequence[CameraPlan], plans: Sequence[CameraPlan]) -> list[CameraPlan]:
    """Stream's cameras have no numbers of their own: they come after those that have."""
    most = max((plan.number for plan in others), default=0)
    return [replace(plan, number=most + plan.number) for plan in plans]


def _named(wishes: Wishes, settings: Settings, others: Sequence[CameraPlan]) -> list[CameraPlan]:
    """What the command line names, with names and numbers that the others have not."""
    recognition = RecognitionOptions(regions=wishes.regions, attributes=wishes.attributes)
    names, most = {plan.name for plan in others}, max((plan.number for plan in others), default=0)
    found = []
    for plan in plan_addresses(wishes.sources, settings, recognition):
        name = plan.name if plan.name not in names else f"{plan.name} {plan.number}"
        found.append(replace(plan, name=name, number=most + plan.number))
    return found


def _check_numbers(cameras: Sequence[CameraPlan]) -> None:
    for what in ("number", "name"):
        counts = Counter(getattr(camera, what) for camera in cameras)
        twice = [value for value, count in counts.items() if count > 1]
        if twice:
            raise SettingsError(f"two cameras have the same {what}: {twice[0]}")


def _check_address(where: str) -> None:
    scheme = _SCHEME.match(where)
    if scheme and scheme[1].lower() not in STREAMS:
        raise SettingsError(f"{without_password(where)}: no source begins with {scheme[0]}; {ACCEPTED}")


def check_libraries(cameras: Sequence[CameraPlan], *, needs_server: bool) -> None:
    """Raises ExtraMissing with what to install when a library that is needed is not there."""
    needs_av = [camera.where for camera in cameras if not _works_without_av(camera.where)]
    if needs_av and find_spec("av") is None:
        raise ExtraMissing(f"watching videos and cameras needs av, not installed here; install with: {STREAM}")
    if needs_server:
        libraries = ("uvicorn", "starlette", "sqlalchemy", "httpx2", "httpcore2", "prometheus_client")
        missing = [name for name in libraries if find_spec(name) is None]
        if missing:
            raise ExtraMissing(f"this needs {', '.join(missing)}, not installed here; install with: {SERVER}")


def _works_without_av(where: str) -> bool:
    """Folders of pictures, and cameras by HTTP that send single pictures."""
    return where.lower().startswith(("http://", "https://")) or (not is_live(where) and Path(where).is_dir())
