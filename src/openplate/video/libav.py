"""Videos, RTSP and USB cameras by FFmpeg's libraries: the only file that imports PyAV, when a source is opened."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from openplate.errors import SourceEnded, SourceUnavailable
from openplate.imaging import Image, Pixels
from openplate.imaging.frame import Frame
from openplate.video.clock import SteadyClock
from openplate.video.source import without_password
from openplate.video.values import SourceOptions

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

INSTALL = "pip install 'openplate[stream]'"
EARLIEST_YEAR = 1990  # files without a clock say 1904 or 1970
# Whose first plane is brightness in 8 bits.
LUMA_FORMATS = frozenset(
    ["yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv411p", "nv12", "nv21", "gray"]
)
SILENT_TIMEOUTS = 3  # read timeouts for which packets may come without a picture: a key frame may be far


def load_av() -> Any:
    try:
        import av
    except ImportError as error:
        raise SourceUnavailable(f"videos and cameras need PyAV, not installed here: {INSTALL}") from error
    av.logging.set_level(None)  # what FFmpeg says to standard error is counted or raised here
    return av


class VideoPicture:
    """A decoded picture of FFmpeg's, turned as the file asks."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._frame = frame
        self._turns = round(frame.rotation / 90) % 4  # counter-clockwise

    @property
    def width(self) -> int:
        return self._frame.height if self._turns % 2 else self._frame.width

    @property
    def height(self) -> int:
        return self._frame.width if self._turns % 2 else self._frame.height

    def to_image(self) -> Image:
        pixels = self._frame.reformat(format="rgb24", threads=1).to_ndarray()
        return Image(np.ascontiguousarray(np.rot90(pixels, self._turns)))

    def to_luma(self) -> Pixels:
        frame = self._frame
        if frame.format.name not in LUMA_FORMATS:
            frame = frame.reformat(format="gray", threads=1)
        plane = frame.planes[0]
        rows: Pixels = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        luma = rows[: frame.height, : frame.width]
        if self._turns:
            luma = np.ascontiguousarray(np.rot90(luma, self._turns))
        luma.flags.writeable = False
        return luma


class Timeline(Protocol):
    """When a frame was taken: (captured_at, position_s)."""

    def place(self, frame: av.VideoFrame) -> tuple[datetime, float | None]: ...


@dataclass(frozen=True, slots=True)
class LiveTimeline:
    clock: SteadyClock

    def place(self, frame: av.VideoFrame) -> tuple[datetime, float | None]:  # noqa: ARG002
        return self.clock.now(), None


class FileTimeline:
    """Times of the file; a frame without one, or with one that goes back, follows the last at the usual rate."""

    def __init__(self, started_at: datetime, frames_per_s: float) -> None:
        self._started_at, self._step_s = started_at, 1 / frames_per_s
        self._first_s: float | None = None
        self._last_s = 0.0

    def place(self, frame: av.VideoFrame) -> tuple[datetime, float | None]:
        if self._first_s is None:
            self._first_s = frame.time or 0.0
        else:
            position_s = frame.time - self._first_s if frame.time is not None else 0.0
            self._last_s = position_s if position_s > self._last_s else self._last_s + self._step_s
        return self._started_at + timedelta(seconds=self._last_s), self._last_s


class LibavSource:
    """Frames of an open container."""

    def __init__(
        self,
        container: InputContainer,
        name: str,
        where: str,
        options: SourceOptions,
        clock: SteadyClock | None,
    ) -> None:
        self.is_live = clock is not None
        self.decode_errors = 0
        self._av = load_av()
        self._container, self._name, self._where, self._options = container, name, where, options
        self._stream = self._choose_stream()
        self._timeline = LiveTimeline(clock) if clock else self._file_timeline()

    def _choose_stream(self) -> Any:
        if not self._container.streams.video:
            raise SourceUnavailable(f"{self._where}: there is no video in it")
        stream: Any = self._container.streams.best("video") or self._container.streams.video[0]
        if stream.codec_context is None:
            raise SourceUnavailable(f"{self._where}: its pictures are coded in an unknown way, or it was cut short")
        stream.codec_context.options = {"max_pixels": str(self._options.limits.max_pixels)}
        # Threads that decode several frames at once delay each of them and do not say which ones are damaged.
        stream.thread_type, stream.codec_context.thread_count = "SLICE", 1
        return stream

    def _file_timeline(self) -> FileTimeline:
        stream = self._stream
        rate = stream.average_rate or stream.guessed_rate or 25
        started_at = self._options.started_at or _recorded_at(self._container, Path(self._where))
        return FileTimeline(started_at, float(rate))

    def __iter__(self) -> Iterator[Frame]:
        for index, picture in enumerate(self._pictures()):
            captured_at, position_s = self._timeline.place(picture)
            if index % self._options.sample == 0:
                yield Frame(VideoPicture(picture), self._name, index, captured_at, position_s)

    def _pictures(self) -> Iterator[av.VideoFrame]:
        """Whole pictures; damaged ones are left out, unless nothing else comes from a camera."""
        whole_at_s = decoded_at_s = time.monotonic()
        for packet in self._packets():
            for picture in self._decode(packet):
                decoded_at_s = time.monotonic()
                if not picture.is_corrupt:
                    whole_at_s = decoded_at_s
                elif not self.is_live or decoded_at_s - whole_at_s < self._options.read_timeout_s:
                    continue
                yield picture
            if self.is_live and time.monotonic() - decoded_at_s > SILENT_TIMEOUTS * self._options.read_timeout_s:
                raise SourceUnavailable(f"{self._where}: data arrive, but no picture can be decoded from them")

    def _decode(self, packet: Any) -> list[av.VideoFrame]:
        try:
            pictures: list[av.VideoFrame] = packet.decode()
        except self._av.error.FFmpegError:
            self.decode_errors += 1
            return []
        self.decode_errors += sum(picture.is_corrupt for picture in pictures)
        return pictures

    def _packets(self) -> Iterator[Any]:
        try:
            yield from self._container.demux(self._stream)
        except self._av.error.FFmpegError as error:
            if self.is_live:
                raise _silence(error, self._av, self._where, self._options) from error
            self.decode_errors += 1  # the file is damaged or cut from here on
        if self.is_live:
            raise SourceEnded(f"{self._where}: the camera closed the connection")

    def close(self) -> None:
        self._container.close()


def open_file(path: Path, options: SourceOptions, name: str) -> LibavSource:
    """A video file, read as fast as its frames are taken; raises SourceUnavailable."""
    if not path.is_file():
        raise SourceUnavailable(f"{path}: there is no such file" if not path.exists() else f"{path}: this is no file")
    if path.stat().st_size == 0:
        raise SourceUnavailable(f"{path}: the file is empty")
    av = load_av()
    try:
        # A playlist must not reach beyond this machine.
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise SourceUnavailable(f"{path}: {_explain_file(error, av)}") from error
    return _adopt(container, name, str(path), options, None)


def open_stream(url: str, options: SourceOptions, name: str, clock: SteadyClock) -> LibavSource:
    """A live stream by RTSP, or a video by HTTP; raises SourceUnavailable."""
    av = load_av()
    shown = without_password(url)
    parts = _checked(url, shown)
    settings = {"analyzeduration": "1000000", "timeout": str(round(options.read_timeout_s * 1e6))}
    if parts.scheme in ("rtsp", "rtsps"):
        settings |= {"rtsp_transport": options.transport, "max_delay": "500000"}
    if parts.scheme in ("rtsps", "https"):
        settings["tls_verify"] = str(int(options.verify_certificates))
        # FFmpeg as it comes with PyAV looks for the authorities where another system than this one keeps them.
        authorities = ssl.get_default_verify_paths().cafile
        if options.verify_certificates and authorities is not None:
            settings["ca_file"] = authorities
    try:
        container = av.open(
            url,
            format="rtsp" if parts.scheme.startswith("rtsp") else None,
            options=settings,
            timeout=(options.open_timeout_s, options.read_timeout_s),
            metadata_errors="replace",
        )
    except av.error.FFmpegError as error:
        raise SourceUnavailable(f"{shown}: {_explain_stream(error, av, options, parts.scheme)}") from error
    return _adopt(container, name, shown, options, clock)


def open_device(path: Path, options: SourceOptions, name: str, clock: SteadyClock) -> LibavSource:
    """A USB camera; raises SourceUnavailable."""
    if not path.exists():
        raise SourceUnavailable(f"{path}: there is no such camera; is it plugged in? (ls /dev/video*)")
    av = load_av()
    try:
        container = av.open(str(path), format="video4linux2", timeout=(options.open_timeout_s, options.read_timeout_s))
    except av.error.FFmpegError as error:
        raise SourceUnavailable(f"{path}: {_explain_device(error, av)}") from error
    return _adopt(container, name, str(path), options, clock)


def _adopt(container: Any, name: str, where: str, options: SourceOptions, clock: SteadyClock | None) -> LibavSource:
    try:
        return LibavSource(container, name, where, options, clock)
    except BaseException:
        container.close()
        raise


def _recorded_at(container: InputContainer, path: Path) -> datetime:
    """When the recording began: as the file says, or its last change less its length."""
    said = container.metadata.get("creation_time", "")
    try:
        began = datetime.fromisoformat(said)
        if began.year >= EARLIEST_YEAR:
            return began if began.utcoffset() is not None else began.replace(tzinfo=UTC)
    except ValueError:
        pass
    length_s = max(container.duration or 0, 0) / 1e6
    return datetime.fromtimestamp(path.stat().st_mtime - length_s, UTC)


def _checked(url: str, shown: str) -> Any:
    """The parts of the address, once its host is known to have one."""
    parts = urlsplit(url)
    try:
        if not parts.hostname:
            raise ValueError("it names no machine")
        socket.getaddrinfo(parts.hostname, parts.port or 554, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise SourceUnavailable(f"{shown}: no machine is known by the name {parts.hostname}") from error
    except ValueError as error:
        raise SourceUnavailable(f"{shown}: not an address of a camera: {error}") from error
    return parts


def _explain_file(error: Exception, av: Any) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, av.error.InvalidDataError):
        return "not a video, or one that was cut before its index was written"
    return f"cannot be read as a video: {_words(error)}"


def _explain_stream(error: Exception, av: Any, options: SourceOptions, scheme: str) -> str:
    if isinstance(error, av.error.ExitError | TimeoutError | BlockingIOError):
        return f"no answer within {options.open_timeout_s:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "the machine refuses the connection: is the port right, and is the camera's server on?"
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return "user name or password is missing or wrong"
    if isinstance(error, av.error.HTTPNotFoundError):
        return "the camera has no stream at this path"
    if isinstance(error, av.error.InvalidDataError):
        return "what comes from there is not a video, or not of a kind that is known"
    if scheme in ("rtsps", "https") and options.verify_certificates and getattr(error, "errno", None) == errno.EIO:
        return (
            "its certificate is not trusted, or what answers there is not encrypted; switch the check off for this "
            "camera where that is intended"
        )
    return f"cannot be opened: {_words(error)}"


def _explain_device(error: Exception, av: Any) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read the camera: add this user to the group video"
    if isinstance(error, av.error.InvalidDataError) or "Inappropriate ioctl" in str(error):
        return "this is not a camera"
    return f"the camera cannot be opened: {_words(error)}"


def _silence(error: Exception, av: Any, where: str, options: SourceOptions) -> Exception:
    if isinstance(error, av.error.ExitError | TimeoutError | BlockingIOError):
        return SourceUnavailable(f"{where}: nothing has come from the camera for {options.read_timeout_s:g} s")
    if isinstance(error, av.error.EOFError | ConnectionResetError | BrokenPipeError):
        return SourceEnded(f"{where}: the camera closed the connection")
    return SourceUnavailable(f"{where}: the stream broke off: {_words(error)}")


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
