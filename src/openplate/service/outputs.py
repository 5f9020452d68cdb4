"""What becomes of what cameras see: each kind of output is one class with these three methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from openplate.datatypes import Recognition
from openplate.imaging.frame import Frame
from openplate.video_pipeline import GroupPicture


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera, video or folder that is watched, as outputs know it.

    Attributes:
        name: what people call it; no two have the same, and ``Group.camera`` and ``Frame.source`` say it too.
        number: from 1, or as the settings have it; no two have the same.
        where: its address, without what is secret in it.
        is_live: a camera; else a file or folder, which ends by itself.
        latitude, longitude: where it stands, in degrees; None: not known.
        heading_degrees: where it looks, clockwise from north; None: not known.
    """

    name: str
    number: int
    where: str = ""
    is_live: bool = False
    latitude: float | None = None
    longitude: float | None = None
    heading_degrees: float | None = None


class Output(Protocol):
    """Takes what cameras see. One output serves all cameras.

    ``frame`` and ``group`` are called by the cameras' threads, several at the same time, but for one camera in the
    order of its frames: what a frame decided, then the frame itself, then reports whose picture it is. They return
    soon: a camera misses frames while it waits. What must not be lost is on the disk when ``group`` returns. What they
    raise is logged and counted and goes no further.
    """

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:
        """A frame and what was recognized in it; None: nothing moved, so nobody looked."""

    def group(self, camera: Camera, picture: GroupPicture) -> None:
        """A preview, the report of a pass, or word that a vehicle has left (``picture.group.state``)."""

    def close(self) -> None:
        """Called once, after all cameras have ended: finishes what is under way, within seconds."""
