"""What is to be watched and how, from whatever files it was read: values that the watcher is built of."""

from __future__ import annotations

from dataclasses import dataclass, field

from openplate.options import RecognitionOptions
from openplate.video import SourceOptions
from openplate.video_pipeline import VideoOptions


@dataclass(frozen=True, slots=True, eq=False)
class CameraPlan:
    """One camera, video or folder.

    Attributes:
        name: what people call it; no two have the same.
        number: what messages call it; no two have the same.
        where: its address, secrets included.
        source: how it is opened and read.
        recognition: what is looked for in its frames.
        video: how frames become groups, and which part of the picture counts.
        skips_still: whether frames in which nothing moves are left alone.
        latitude, longitude, heading_degrees: where it stands and looks; None: not known.
        most_frames: it is watched for so many frames that are looked at, then no more; None: to the end.
    """

    name: str
    number: int
    where: str
    source: SourceOptions = field(default_factory=SourceOptions)
    recognition: RecognitionOptions = field(default_factory=RecognitionOptions)
    video: VideoOptions = field(default_factory=VideoOptions)
    skips_still: bool = True
    latitude: float | None = None
    longitude: float | None = None
    heading_degrees: float | None = None
    most_frames: int | None = None
