"""How good the networks and the whole system are: the field's standard metrics on labelled pictures.

Nothing here runs a network: every ``evaluate_...`` takes labelled samples and the answers to them, one per
sample in the same order, and gives a frozen report with ``tables()``, ``rows()`` and ``to_dict()``.
"""

from openplate.evaluation.attributes import AttributesReport, attribute_mistakes, evaluate_attributes
from openplate.evaluation.dataset import (
    PlateCrop,
    PlateLabel,
    ScenePicture,
    Split,
    VehicleLabel,
    find_list,
    read_plate_crops,
    read_scenes,
)
from openplate.evaluation.detection import DetectionReport, detection_mistakes, evaluate_detection
from openplate.evaluation.gallery import ErrorGallery, draw_mistake
from openplate.evaluation.mistakes import Mistake
from openplate.evaluation.plates import PlatesReport, evaluate_plates, plates_mistakes
from openplate.evaluation.plots import write_plots
from openplate.evaluation.reading import ReadingReport, evaluate_reading, reading_mistakes
from openplate.evaluation.region import RegionReport, evaluate_regions, region_mistakes
from openplate.evaluation.report import Report, Table
from openplate.evaluation.vehicle_crops import VehicleCrop, read_vehicle_crops

__all__ = [
    "AttributesReport",
    "DetectionReport",
    "ErrorGallery",
    "Mistake",
    "PlateCrop",
    "PlateLabel",
    "PlatesReport",
    "ReadingReport",
    "RegionReport",
    "Report",
    "ScenePicture",
    "Split",
    "Table",
    "VehicleCrop",
    "VehicleLabel",
    "attribute_mistakes",
    "detection_mistakes",
    "draw_mistake",
    "evaluate_attributes",
    "evaluate_detection",
    "evaluate_plates",
    "evaluate_reading",
    "evaluate_regions",
    "find_list",
    "plates_mistakes",
    "read_plate_crops",
    "read_scenes",
    "read_vehicle_crops",
    "reading_mistakes",
    "region_mistakes",
    "write_plots",
]
