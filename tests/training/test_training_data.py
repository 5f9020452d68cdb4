"""Packed pictures: decoded once, given back as they were."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from drawn_data import draw_crop, make_crop, write_list
from openplate_training.data import load_records, pack_pictures


def test_pictures_come_back_as_they_were_with_their_records(tmp_path: Path) -> None:
    drawn = [(draw_crop(text, "vn")[:height, :width], make_crop(text)) for text, width, height in SIZES]
    write_list(tmp_path / "crops.jsonl", drawn)
    packed = pack_pictures(tmp_path / "crops.jsonl", tmp_path / "cache" / "crops")
    assert len(packed) == 3
    assert [record["text"] for record in packed.records] == ["A1", "B22", "C333"]
    for index, (pixels, _) in enumerate(drawn):
        np.testing.assert_array_equal(packed.picture(index), pixels)
    assert packed.subset(lambda record: record["text"] != "B22").tolist() == [0, 2]


SIZES = (("A1", 120, 40), ("B22", 7, 40), ("C333", 120, 1))


def test_packing_happens_once(tmp_path: Path) -> None:
    write_list(tmp_path / "crops.jsonl", [(draw_crop("A1", "vn"), make_crop("A1"))])
    first = pack_pictures(tmp_path / "crops.jsonl", tmp_path / "crops")
    (tmp_path / "images" / "0.png").unlink()
    again = pack_pictures(tmp_path / "crops.jsonl", tmp_path / "crops")
    np.testing.assert_array_equal(again.picture(0), first.picture(0))


def test_a_packed_picture_cannot_be_changed(tmp_path: Path) -> None:
    write_list(tmp_path / "crops.jsonl", [(draw_crop("A1", "vn"), make_crop("A1"))])
    picture = pack_pictures(tmp_path / "crops.jsonl", tmp_path / "crops").picture(0)
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0] = 1


def test_a_cache_of_another_list_is_refused(tmp_path: Path) -> None:
    write_list(tmp_path / "a" / "crops.jsonl", [(draw_crop("A1", "vn"), make_crop("A1"))])
    write_list(tmp_path / "b" / "crops.jsonl", [(draw_crop("A1", "vn"), make_crop("A1"))] * 2)
    pack_pictures(tmp_path / "a" / "crops.jsonl", tmp_path / "crops")
    with pytest.raises(ValueError, match="made from another list"):
        pack_pictures(tmp_path / "b" / "crops.jsonl", tmp_path / "crops")


def test_a_picture_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    write_list(tmp_path / "crops.jsonl", [(draw_crop("A1", "vn"), make_crop("A1"))])
    (tmp_path / "images" / "0.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"cannot decode .*0\.png"):
        pack_pictures(tmp_path / "crops.jsonl", tmp_path / "crops")
    assert load_records(tmp_path / "crops.jsonl")[0]["text"] == "A1"


def test_greyscale_files_are_packed_as_rgb(tmp_path: Path) -> None:
    write_list(tmp_path / "crops.jsonl", [(draw_crop("A1", "vn"), make_crop("A1"))])
    grey = np.arange(50, dtype=np.uint8).reshape(5, 10)
    cv2.imwrite(str(tmp_path / "images" / "0.png"), grey)
    packed = pack_pictures(tmp_path / "crops.jsonl", tmp_path / "crops")
    np.testing.assert_array_equal(packed.picture(0), np.repeat(grey[..., None], 3, axis=2))
