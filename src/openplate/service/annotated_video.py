"""What was seen, drawn into the frames and written as a video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from openplate.annotation import annotate
from openplate.datatypes import Recognition
from openplate.errors import OpenplateError
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera
from openplate.video.libav import load_av
from openplate.video_pipeline import GroupPicture

_TICKS: Final = 1000
_CODEC_QUALITY: Final = "23"


class VideoNotWritten(OpenplateError):
    """The annotated video cannot be written."""


class AnnotatedVideo:
    """An output for one camera. The file has the size of the first frame; others are brought to it.

    Where nothing was computed, because nothing moved, what was seen last is drawn.
    """

    def __init__(self, path: Path) -> None:
        """Raises VideoNotWritten, SourceUnavailable without PyAV."""
        self._av = load_av()
        if path.exists():
            raise VideoNotWritten(f"{path} is there already, and is not written over")
        self._path = path
        try:
            self._container: Any = self._av.open(str(path), "w")
        except (OSError, ValueError, self._av.error.FFmpegError) as error:
            raise VideoNotWritten(f"{path} cannot be written as a video: {error}") from error
        self._stream: Any = None
        self._began: Frame | None = None
        self._last_pts = -1
        self._seen: Recognition | None = None

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:  # noqa: ARG002
        self._seen = recognition or self._seen
        if self._stream is None:
            self._stream = self._open_stream(frame)
        drawn = frame.image if self._seen is None else annotate(frame.image, self._seen)
        picture = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(drawn.pixels), format="rgb24")
        self._encode(picture.reformat(self._stream.width, self._stream.height, "yuv420p"), frame)

    def group(self, camera: Camera, picture: GroupPicture) -> None:
        """Groups are not drawn."""

    def close(self) -> None:
        if self._stream is not None:
            for packet in self._stream.encode():
                self._container.mux(packet)
        self._container.close()

    def _open_stream(self, frame: Frame) -> Any:
        self._began = frame
        stream = self._container.add_stream("libx264", rate=30, options={"crf": _CODEC_QUALITY, "preset": "veryfast"})
        stream.width, stream.height = frame.width // 2 * 2, frame.height // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream

    def _encode(self, picture: Any, frame: Frame) -> None:
        assert self._began is not None
        passed_s = (frame.captured_at - self._began.captured_at).total_seconds()
        self._last_pts = max(round(passed_s * _TICKS), self._last_pts + 1)
        picture.pts, picture.time_base = self._last_pts, Fraction(1, _TICKS)
        for packet in self._stream.encode(picture):
            self._container.mux(packet)
