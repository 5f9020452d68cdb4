"""What can be set for a source of frames, and what a camera says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from openplate.imaging import DEFAULT_LIMITS, ImageLimits

Transport = Literal["tcp", "udp"]
CameraState = Literal["connecting", "running", "offline", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """How a source is opened and read.

    ``sample``: one of every so many frames is handed on, the others are decoded and dropped. ``read_timeout_s``:
    a live source that delivers nothing for so long is given up; ``frozen_after_s``: the same for one that repeats
    one picture (0: never). ``poll_s``: the time from one snapshot to the next. ``reconnect_first_s`` doubles with
    each failure, up to ``reconnect_most_s``. ``started_at``: when the recording of a file began;
    ``frames_per_s``: the rate of a folder's pictures (None: each has its file's time).
    """

    open_timeout_s: float = 10.0
    read_timeout_s: float = 10.0
    reconnect_first_s: float = 1.0
    reconnect_most_s: float = 60.0
    frozen_after_s: float = 60.0
    poll_s: float = 1.0
    sample: int = 1
    transport: Transport = "tcp"
    verify_certificates: bool = True
    started_at: datetime | None = None
    frames_per_s: float | None = None
    limits: ImageLimits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        for name in ("open_timeout_s", "read_timeout_s", "reconnect_first_s", "reconnect_most_s", "poll_s"):
            if not 0 < getattr(self, name) < 86_400:
                raise ValueError(f"{name} must be more than 0 and less than a day, not {getattr(self, name)}")
        if self.frozen_after_s < 0:
            raise ValueError(f"frozen_after_s must be 0 (never) or more, not {self.frozen_after_s}")
        if self.sample < 1:
            raise ValueError(f"sample must be at least 1, not {self.sample}")
        if self.transport not in ("tcp", "udp"):
            raise ValueError(f"transport must be tcp or udp, not {self.transport!r}")
        if self.frames_per_s is not None and not 0 < self.frames_per_s <= 1000:
            raise ValueError(f"frames_per_s must be more than 0 and at most 1000, not {self.frames_per_s}")
        if self.started_at is not None and self.started_at.utcoffset() is None:
            raise ValueError("started_at must have a time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraHealth:
    """How a live camera is doing.

    ``state``: ``connecting`` (being opened for the first time, or again after it ran), ``running``, ``offline``
    (the last attempt failed) or ``stopped``. ``frames`` have been received since the start, after sampling;
    ``dropped`` of them were never taken because newer ones came; ``decode_errors`` are packets and pictures that
    could not be decoded; ``frozen`` is how often it was opened again because it repeated one picture, ``size_changes``
    how often its picture had another size than before. ``last_error`` is a sentence, also after the camera has
    recovered.
    """

    state: CameraState
    last_frame_at: datetime | None
    frames: int
    dropped: int
    reconnects: int
    decode_errors: int
    clock_steps: int
    frozen: int
    size_changes: int
    width: int | None
    height: int | None
    last_error: str | None
