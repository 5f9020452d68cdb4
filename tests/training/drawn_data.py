"""Streets and plates drawn by code, with their labels, in the form of the training data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import nn

from openplate_training.backbone import MobileNetV1, MobileNetV2, SameConv
from openplate_training.data import Record
from openplate_training.layers import members
from openplate_training.reader_data import is_held_for_calibration
from openplate_training.reader_model import HEIGHT, WIDTH

Pixels = NDArray[np.uint8]
Quad = list[list[float]]
BACKBONE_V1 = Path("backbones", "mobilenet_v1_0.5_imagenet_f16.npz")
BACKBONE_V2 = Path("backbones", "mobilenet_v2_1.0_imagenet_f16.npz")
REGIONS = ("vn", "us-ny")


def write_text(pixels: Pixels, text: str, quad: Quad) -> None:
    """A white plate with a black text, in place."""
    plate = np.full((48, 160, 3), 255, np.uint8)
    cv2.putText(plate, text, (6, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2)
    source = np.array([[0, 0], [160, 0], [160, 48], [0, 48]], np.float32)
    matrix = cv2.getPerspectiveTransform(source - 0.5, np.array(quad, np.float32) - 0.5)
    size = pixels.shape[1], pixels.shape[0]
    mask = cv2.warpPerspective(np.ones((48, 160), np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
    drawn = cv2.warpPerspective(plate, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    pixels[mask > 0] = drawn[mask > 0]


def draw_street(text: str, left: int, top: int, width: int = 160, height: int = 120) -> tuple[Pixels, Record]:
    """One car seen from behind, its plate leaning a little, and its line of the scenes list."""
    pixels = np.full((height, width, 3), (96, 100, 104), np.uint8)
    pixels[: height // 3] = (150, 180, 210)
    car = [left, top, left + 80, top + 60]
    cv2.rectangle(pixels, car[:2], (car[2] - 1, car[3] - 1), (140, 30, 30), -1)
    cv2.rectangle(pixels, (left + 10, top + 6), (left + 69, top + 25), (40, 50, 60), -1)
    quad: Quad = [[left + 20, top + 36], [left + 60, top + 38], [left + 60, top + 52], [left + 20, top + 50]]
    write_text(pixels, text, quad)
    plate = make_plate([left + 20, top + 36, left + 60, top + 52], corners=quad, text=text)
    record = make_scene(plates=[plate], vehicles=[{"box": car, "type": "car", "label": "human", "score": None}])
    return pixels, record | {"width": width, "height": height}


def make_plate(box: list[float], **others: Any) -> Record:
    return {"box": box, "corners": None, "label": "human", "score": None} | others


def make_scene(**others: Any) -> Record:
    usual = {"image": "none.png", "set": "drawn", "split": "train", "plates": [], "vehicles": []}
    return usual | {"vehicles_exhaustive": True} | others


def make_crop(text: str | None = "AB123", **others: Any) -> Record:
    """A line of the crops list: a picture of 120 x 40 pixels whose plate has no known corners."""
    usual = {
        "image": "none.png",
        "width": 120,
        "height": 40,
        "set": "drawn",
        "split": "train",
        "text": text,
        "text_label": "human",
        "min_char": None,
        "region": None,
        "box": [4, 4, 116, 36],
        "corners": None,
        "lines": 1,
    }
    return usual | others


def draw_crop(text: str, region: str) -> Pixels:
    pixels = np.full((40, 120, 3), (90, 90, 90) if region == REGIONS[0] else (40, 60, 120), np.uint8)
    write_text(pixels, text, [[4, 4], [116, 4], [116, 36], [4, 36]])
    return pixels


def held_texts(count: int) -> list[str]:
    """Texts that are kept for calibration."""
    texts = (f"HZ{number}" for number in range(100, 1000))
    return [text for text in texts if is_held_for_calibration({"text": text})][:count]


def taught_texts(count: int) -> list[str]:
    """Texts that are not."""
    texts = (f"KL{number}" for number in range(100, 1000, 7))
    return [text for text in texts if not is_held_for_calibration({"text": text})][:count]


def write_list(list_file: Path, pictures: list[tuple[Pixels, Record]]) -> None:
    """The pictures (without loss) and the list that names them."""
    images = list_file.parent / "images"
    images.mkdir(parents=True)
    lines = []
    for number, (pixels, record) in enumerate(pictures):
        cv2.imwrite(str(images / f"{number}.png"), pixels[:, :, ::-1])
        lines.append(json.dumps(record | {"image": f"images/{number}.png"}))
    list_file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_vehicle(**known: Any) -> Record:
    """A line of the vehicle crops' list that knows only what is given."""
    asked = ("type", "body_type", "make", "model", "year", "color", "orientation")
    return {"image": "none.png", "set": "drawn", "split": "train"} | dict.fromkeys(asked) | known


def draw_vehicle(color: tuple[int, int, int]) -> Pixels:
    """A car from the side, 96 x 64."""
    pixels = np.full((64, 96, 3), 120, np.uint8)
    cv2.rectangle(pixels, (8, 24), (88, 50), color, -1)
    cv2.rectangle(pixels, (26, 10), (70, 26), color, -1)
    for x in (26, 70):
        cv2.circle(pixels, (x, 50), 9, (20, 20, 20), -1)
    return pixels


def write_vehicles(list_file: Path) -> None:
    """Red sedans and white SUVs, 24 in all, a few of them for calibration."""
    red = make_vehicle(type="sedan", make="Seat", model="Leon", year=2012, color="red", orientation="side", view="left")
    white = make_vehicle(type="suv", body_type="suv", make="Dacia", year=2009, color="white", orientation="front")
    pictures = [(draw_vehicle((190, 20, 20)), red), (draw_vehicle((240, 240, 240)), white)]
    write_list(list_file, pictures * 12)


def write_backbone(file: Path, convolutions: list[SameConv]) -> None:
    """Random weights (He et al. 2015) for those convolutions, in the form of the stored ones."""
    arrays = {}
    for number, layer in enumerate(convolutions):
        weight = nn.init.kaiming_normal_(layer.conv.weight.detach(), nonlinearity="relu")
        arrays[f"conv_{number:02d}_w"] = weight.numpy().astype(np.float16)
        arrays[f"conv_{number:02d}_b"] = np.zeros(len(weight), np.float16)
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(file, **arrays)  # type: ignore[arg-type]


def write_rendered(folder: Path, texts: list[str]) -> None:
    """One chunk of rendered plates."""
    folder.mkdir(parents=True)
    images = np.full((len(texts), HEIGHT, WIDTH, 3), 255, np.uint8)
    for image, text in zip(images, texts, strict=True):
        cv2.putText(image, text, (8, 46), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2)
    np.save(folder / "images.npy", images)
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    (folder / "labels.jsonl").write_text(lines, encoding="utf-8")


def write_data(folder: Path) -> None:
    """``scenes`` (12 pictures), ``plate_crops`` (12 of each of two regions, 4 for calibration, 2 of val),
    ``vehicle_crops``, ``backbones`` and ``rendered``.
    """
    texts = taught_texts(12)
    streets = [draw_street(text, 10 + 5 * n, 20 + 3 * n) for n, text in enumerate(texts)]
    write_list(folder / "scenes" / "scenes.jsonl", streets)
    crops = [
        (draw_crop(text, region), make_crop(text, region=region)) for region in REGIONS for text in taught_texts(12)
    ]
    crops += [(draw_crop(text, "vn"), make_crop(text)) for text in held_texts(4)]
    crops += [(draw_crop(text, "vn"), make_crop(text, split="val", region="vn")) for text in ("VAL1", "VAL2")]
    write_list(folder / "plate_crops" / "plate_crops.jsonl", crops)
    write_vehicles(folder / "vehicle_crops" / "vehicle_crops.jsonl")
    write_backbone(folder / BACKBONE_V1, members(MobileNetV1().layers, SameConv))
    write_backbone(folder / BACKBONE_V2, MobileNetV2().convolutions())
    write_rendered(folder / "rendered" / "chunk_00", texts)
