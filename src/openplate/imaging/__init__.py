"""Pictures: decoding, EXIF rotation, cropping, letterboxing, rectifying plates, encoding.

Everywhere in Openplate a picture is RGB, uint8, (height, width, 3); only this package knows of BGR.
Coordinates are continuous: the pixel in column i covers i <= x < i + 1, so its centre is at i + 0.5.
"""

from openplate.imaging.decoding import ImageLimits, Pixels
from openplate.imaging.image import (
    DEFAULT_LIMITS,
    Image,
    Source,
    crop,
    encode_jpeg,
    encode_png,
    limit_threads,
    source_name,
    to_bgr,
    touched,
)
from openplate.imaging.warping import (
    FURTHER_LOOKS,
    Letterbox,
    batch,
    least_turn,
    letterbox,
    plate_view,
    project,
    rectify,
    target_corners,
    warp_plate,
)

__all__ = [
    "DEFAULT_LIMITS",
    "FURTHER_LOOKS",
    "Image",
    "ImageLimits",
    "Letterbox",
    "Pixels",
    "Source",
    "batch",
    "crop",
    "encode_jpeg",
    "encode_png",
    "least_turn",
    "letterbox",
    "limit_threads",
    "plate_view",
    "project",
    "rectify",
    "source_name",
    "target_corners",
    "to_bgr",
    "touched",
    "warp_plate",
]
