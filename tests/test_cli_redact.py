"""``openplate redact``: what is written where, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cli_helpers import PLATE, TEXTS, Bench, save_street
from openplate.imaging import Image, encode_jpeg
from openplate.imaging.metadata import Metadata, read_metadata, with_metadata


def plate_of(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    pixels = Image.from_path(path).pixels
    return pixels[int(PLATE.y1) : int(PLATE.y2), int(PLATE.x1) : int(PLATE.x2)]


@pytest.mark.parametrize("arguments", [(), ("--style", "fill"), ("--strength", "10"), ("--mode", "fast")])
def test_plates_are_covered_and_the_given_file_stays(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    street = save_street(tmp_path / "in" / "street.png")
    before = street.read_bytes()
    result = Bench().run("redact", street, "-o", tmp_path / "out", *arguments)
    assert result.exit_code == 0, result.output
    assert "1 covered" in result.stdout
    assert street.read_bytes() == before
    left, shown = (plate_of(path).astype(float) for path in (tmp_path / "out" / "street.png", street))
    assert np.abs(left - shown).mean() > 20


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    street = save_street(tmp_path / "in" / "street.png")
    for _ in range(2):
        assert Bench().run("redact", street, "-o", tmp_path / "out").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["street-2.png", "street.png"]
    assert Bench().run("redact", tmp_path / "in", "-o", tmp_path / "in").exit_code == 2


def test_plates_of_a_given_form_stay_readable(tmp_path: Path) -> None:
    street = save_street(tmp_path / "street.png")
    result = Bench().run("redact", street, "-o", tmp_path / "out", "--skip", TEXTS[0])
    assert "0 covered" in result.stdout
    assert np.array_equal(plate_of(tmp_path / "out" / "street.png"), plate_of(street))
    assert Bench().run("redact", street, "-o", tmp_path / "out", "--skip", "(").exit_code == 2


@pytest.mark.parametrize(("option", "kept"), [("--keep-metadata", b"profile"), ("--strip-metadata", None)])
def test_metadata_is_kept_or_stripped(tmp_path: Path, option: str, kept: bytes | None) -> None:
    picture = tmp_path / "street.jpg"
    pixels = Image.from_path(save_street(tmp_path / "street.png"))
    picture.write_bytes(with_metadata(encode_jpeg(pixels), Metadata(icc=b"profile")))
    assert Bench().run("redact", picture, "-o", tmp_path / "out", option).exit_code == 0
    assert read_metadata((tmp_path / "out" / "street.jpg").read_bytes()).icc == kept


def test_a_logo_is_laid_over(tmp_path: Path) -> None:
    street, logo = save_street(tmp_path / "street.png"), tmp_path / "logo.jpg"
    logo.write_bytes(encode_jpeg(Image(np.full((24, 80, 3), (250, 10, 10), np.uint8))))
    assert Bench().run("redact", street, "-o", tmp_path / "out", "--logo", logo).exit_code == 0
    assert np.abs(plate_of(tmp_path / "out" / "street.png").astype(int) - (250, 10, 10)).mean() < 20
    assert Bench().run("redact", street, "-o", tmp_path / "out", "--style", "logo").exit_code == 2
    missing = Bench().run("redact", street, "-o", tmp_path / "out", "--logo", tmp_path / "none.jpg")
    assert missing.exit_code != 0
    assert "Traceback" not in missing.output


def test_failures_are_named_and_the_others_done(tmp_path: Path) -> None:
    street = save_street(tmp_path / "street.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    result = Bench().run("redact", tmp_path / "broken.jpg", tmp_path / "none.jpg", street, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "broken.jpg" in result.stderr
    assert "none.jpg" in result.stderr
    assert (tmp_path / "out" / "street.png").exists()


def test_standard_input_is_taken(tmp_path: Path) -> None:
    street = save_street(tmp_path / "street.png")
    result = Bench().run("redact", "-", "-o", tmp_path / "out", stdin=street.read_bytes())
    assert result.exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["stdin.jpg"]
