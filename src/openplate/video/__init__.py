"""Frames of cameras and videos: opening, reading, watching over them; and which of them show something moving."""

from openplate.video.camera import LiveCamera
from openplate.video.clock import SteadyClock
from openplate.video.source import Source
from openplate.video.sources import is_live, open_source
from openplate.video.values import CameraHealth, CameraState, SourceOptions

__all__ = [
    "CameraHealth",
    "CameraState",
    "LiveCamera",
    "Source",
    "SourceOptions",
    "SteadyClock",
    "is_live",
    "open_source",
]
