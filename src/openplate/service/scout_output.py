"""Scout's messages as an output of watched cameras."""

from __future__ import annotations

from collections.abc import Mapping

from openplate.datatypes import Group, Recognition
from openplate.formats import rekor
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera
from openplate.service.scout_report import ScoutReporter
from openplate.video_pipeline import GroupPicture


class ScoutOutput:
    """Hands what cameras see to a reporter, each as the camera that its number stands for."""

    def __init__(
        self, reporter: ScoutReporter, cameras: Mapping[int, rekor.CameraContext], *, has_groups: bool = True
    ) -> None:
        """``has_groups``: whether groups are reported, not frames alone."""
        self._reporter, self._cameras, self._has_groups = reporter, cameras, has_groups

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:
        if recognition is not None and any(plate.reading for plate in recognition.plates):
            self._reporter.frame(self._cameras[camera.number], recognition, frame.image)

    def group(self, camera: Camera, picture: GroupPicture) -> None:
        if self._has_groups:
            self._reporter.group(self._cameras[camera.number], picture.group, picture.image)

    def picture_uuid(self, camera: Camera, group: Group) -> str:
        """The name of the picture of a group's best moment, where pictures are kept."""
        return rekor.picture_uuid(self._cameras[camera.number], group.best.at)

    def close(self) -> None:
        """Nothing is held back: what is queued is on the disk."""
