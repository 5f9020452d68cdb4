"""From what a camera saw to Scout's messages: pictures into the ring, messages into the queue of uploads."""

from __future__ import annotations

import base64
import logging
import secrets
import string
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from openplate.datatypes import Corners, Group, Plate, Recognition
from openplate.delivery.upload_queue import UploadQueue
from openplate.errors import StorageError
from openplate.formats import rekor
from openplate.imaging import Image, crop, encode_jpeg, warp_plate
from openplate.imaging.scaling import scaled_down
from openplate.settings.alprd import ScoutCamera, ScoutSettings
from openplate.storage.files import translated, write_whole
from openplate.storage.pictures import PictureRing

PLATE_SIZE: Final = (150, 75)
"""Width and height of a plate's picture in a message; the plate with a margin around it."""
PLATE_MARGINS: Final = (0.1, 0.2)
VEHICLE_WIDTH: Final = 224
OVERVIEW_WIDTH: Final = 560
CROP_QUALITY: Final = 85
_UID_LENGTH: Final = 40
_MOST_TIMES: Final = 5000  # frames of all cameras; a group is reported within seconds of its best one
_UID_FILE: Final = "agent_uid"

_log = logging.getLogger(__name__)


def agent_uid(settings: ScoutSettings, folder: Path) -> str:
    """The uid that Scout gave this machine, else one of our own, kept in the folder.

    Raises:
        StorageError: it cannot be kept.
    """
    if settings.agent_uid:
        return settings.agent_uid
    path = folder / _UID_FILE
    with translated(path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            letters = string.ascii_uppercase + string.digits
            uid = "".join(secrets.choice(letters) for _ in range(_UID_LENGTH))
            write_whole(path, f"{uid}\n".encode("ascii"))
        return path.read_text(encoding="ascii").strip()


def build_agent(settings: ScoutSettings, uid: str, version: str, hostname: str) -> rekor.Agent:
    """Who reports, by the settings. Raises ValueError for a uid of another form."""
    return rekor.Agent(
        uid,
        settings.company_id,
        version,
        hostname=hostname,
        user_data=settings.user_data,
        custom_data=settings.custom_data,
        site_id=settings.site_id,
    )


def build_camera(settings: ScoutSettings, camera: ScoutCamera, agent: rekor.Agent) -> rekor.CameraContext:
    """One camera, by the settings."""
    return rekor.CameraContext(
        agent,
        camera.camera_id,
        settings.country,
        camera.camera_name,
        camera.gps_latitude,
        camera.gps_longitude,
        settings.topn,
        bool(settings.pattern),
    )


class ScoutReporter:
    """Takes what cameras saw; threads may share one. Trouble with the disk is logged and counted, never raised: the
    cameras go on.
    """

    def __init__(
        self,
        pictures: PictureRing | None,
        uploads: UploadQueue | None,
        *,
        version: rekor.Version = 2,
        jpeg_quality: int = 85,
    ) -> None:
        """None: nothing is kept, or nothing uploaded."""
        self._pictures, self._uploads = pictures, uploads
        self._version: rekor.Version = version
        self._jpeg_quality = jpeg_quality
        self._lock = threading.Lock()
        self._failed = 0
        self._plate_ms: OrderedDict[str, float] = OrderedDict()

    @property
    def failed(self) -> int:
        """Pictures and messages that could not be kept."""
        return self._failed

    def frame(self, camera: rekor.CameraContext, recognition: Recognition, image: Image) -> None:
        """A frame with its time; one in which no plate was read is nothing to report."""
        if recognition.captured_at is None or not any(plate.reading for plate in recognition.plates):
            return
        uuid = rekor.picture_uuid(camera, recognition.captured_at)
        self._note_time(uuid, recognition)
        self._keep(uuid, image)
        if self._uploads is not None and not self._uploads.groups_only:
            crops = {index: _plate_jpeg(image, plate) for index, plate in enumerate(recognition.plates)}
            self._send(rekor.alpr_results(recognition, camera, plate_crops=crops, version=self._version))

    def group(self, camera: rekor.CameraContext, group: Group, image: Image | None) -> None:
        """A preview, or the report of a pass; ``image`` is the frame of its best sighting, where there is one still.

        A vehicle without a plate is something that only version 3 knows.
        """
        if group.state == "left" or (group.consensus is None and self._version < 3):
            return
        uuid = rekor.picture_uuid(camera, group.best.at)
        with self._lock:
            plate_ms = self._plate_ms.get(uuid, 0.0)
        picture = replace(_best_picture(group, image), plate_ms=plate_ms)
        if group.consensus is None:
            message = rekor.vehicle_group(group, camera, picture)
        else:
            message = rekor.alpr_group(group, camera, picture, version=self._version)
        if group.state == "closed":
            self._keep(uuid, image, message)
        self._send(message)

    def send(self, message: Mapping[str, object]) -> None:
        """A message that is ready, a heartbeat."""
        self._send(message)

    def _note_time(self, uuid: str, recognition: Recognition) -> None:
        """How long one plate took, for the group whose best picture this frame may be."""
        count = sum(plate.reading is not None for plate in recognition.plates)
        with self._lock:
            self._plate_ms[uuid] = recognition.timings.read_ms / count
            if len(self._plate_ms) > _MOST_TIMES:
                self._plate_ms.popitem(last=False)

    def _keep(self, uuid: str, image: Image | None, meta: Mapping[str, object] | None = None) -> None:
        """Into the ring; of a picture that is there already only what is known of it is written."""
        if self._pictures is None:
            return
        try:
            if meta is not None and self._pictures.note(uuid, meta):
                return
            if image is not None:
                self._pictures.put(uuid, encode_jpeg(image, self._jpeg_quality), meta)
        except StorageError as error:
            self._count_failure("a picture", error)

    def _send(self, message: Mapping[str, object]) -> None:
        if self._uploads is None:
            return
        try:
            self._uploads.put(message)
        except StorageError as error:
            self._count_failure(f"a message, {message['data_type']},", error)

    def _count_failure(self, what: str, error: StorageError) -> None:
        with self._lock:
            self._failed += 1
        _log.error("%s could not be kept: %s", what, error)


def _best_picture(group: Group, image: Image | None) -> rekor.BestPicture:
    vehicle, plate = group.best.vehicle, group.best.plate
    if image is None:  # given up in a crowd: the frame was at least as large as what was seen in it
        boxes = [each.detection.box for each in (plate, vehicle) if each]
        return rekor.BestPicture(round(max(box.x2 for box in boxes)), round(max(box.y2 for box in boxes)))
    return rekor.BestPicture(
        image.width,
        image.height,
        plate_crop_jpeg=_plate_jpeg(image, plate) if plate else "",
        vehicle_crop_jpeg=_base64(_reduced(crop(image, vehicle.detection.box), VEHICLE_WIDTH)) if vehicle else "",
        overview_jpeg=_base64(_reduced(image, OVERVIEW_WIDTH)),
    )


def _reduced(image: Image, width: int) -> Image:
    """At most so many pixels wide. Halves first: OpenCV averages two by two pixels several times faster than others."""
    while image.width >= 2 * width:
        image = scaled_down(image, image.width // 2)
    return scaled_down(image, width)


def _plate_jpeg(image: Image, plate: Plate) -> str:
    corners = plate.detection.corners or Corners.from_box(plate.detection.box)
    return _base64(Image(warp_plate(image.pixels, corners, *PLATE_SIZE, *PLATE_MARGINS)))


def _base64(image: Image) -> str:
    return base64.b64encode(encode_jpeg(image, CROP_QUALITY)).decode("ascii")
