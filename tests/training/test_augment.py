"""What cameras do to pictures: each fault keeps the form, leaves the original alone and does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from drawn_data import Pixels, draw_street
from openplate_training import augment
from openplate_training.augment import Random

FAULTS: dict[str, Callable[[Pixels, Random], Pixels]] = {
    "light": augment.change_light,
    "colour": augment.drop_colour,
    "tint": augment.tint,
    "blur": lambda pixels, random: augment.blur(pixels, random, 4),
    "noise": lambda pixels, random: augment.add_noise(pixels, random, 10),
    "compression": lambda pixels, random: augment.compress(pixels, random, 12),
    "resolution": lambda pixels, random: augment.lose_resolution(pixels, random, 0.28),
    "shadow": augment.cast_shadow,
    "bloom": augment.bloom,
    "sharpen": augment.sharpen,
    "glare": augment.add_glare,
    "denoising": augment.denoise,
    "uneven light": augment.light_unevenly,
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("size", [(64, 40), (7, 5), (100, 40)])
def test_a_fault_keeps_the_form_and_leaves_the_original(name: str, size: tuple[int, int]) -> None:
    width, height = size
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    before = pixels.copy()
    degraded = [FAULTS[name](pixels, np.random.default_rng(seed)) for seed in range(8)]
    assert all(d.shape == pixels.shape and d.dtype == np.uint8 for d in degraded)
    assert any(not np.array_equal(d, pixels) for d in degraded)
    np.testing.assert_array_equal(pixels, before)
    for seed, expected in enumerate(degraded):
        np.testing.assert_array_equal(FAULTS[name](pixels, np.random.default_rng(seed)), expected)


def test_grey_pictures_have_three_like_channels() -> None:
    street, _ = draw_street("KL123", 30, 40)
    grey = augment.drop_colour(street, np.random.default_rng(1))
    assert (grey == grey[..., :1]).all()


def test_noise_is_as_strong_as_asked_and_has_no_bias() -> None:
    flat = np.full((120, 160, 3), 128, np.uint8)
    noise = augment.add_noise(flat, np.random.default_rng(1), 9.0).astype(np.float64) - 128
    assert noise.std() == pytest.approx(9, rel=0.05)
    assert abs(noise.mean()) < 0.2


def test_a_shadow_only_darkens() -> None:
    street, _ = draw_street("KL123", 30, 40)
    for seed in range(10):
        assert (augment.cast_shadow(street, np.random.default_rng(seed)) <= street).all()


def test_chance_is_as_often_as_asked() -> None:
    random = np.random.default_rng(1)
    assert np.mean([augment.chance(random, 0.3) for _ in range(5000)]) == pytest.approx(0.3, abs=0.02)
    assert not any(augment.chance(random, 0.0) for _ in range(100))
    assert all(augment.chance(random, 1.0) for _ in range(100))


@pytest.mark.parametrize(("set_before", "expected"), [(None, "1"), ("0", "0")])
def test_training_tells_nobody_of_itself(set_before: str | None, expected: str) -> None:
    """ONNX Runtime looks at this when it is imported; who has set it meant it."""
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    if set_before is not None:
        environment["ORT_DISABLE_TELEMETRY"] = set_before
    code = (
        "import openplate_training, os, sys; print(os.environ['ORT_DISABLE_TELEMETRY'], 'onnxruntime' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [expected, "False"]


def test_sharpening_draws_a_pale_line_beside_dark_ink_and_leaves_plain_ground() -> None:
    pixels = np.full((20, 40, 3), 150, np.uint8)
    pixels[:, 18:22] = 60
    sharp = augment.sharpen(pixels, np.random.default_rng(3))
    assert (sharp[:, 17] > 160).all()
    assert (sharp[:, 18] < 50).all()
    assert (sharp[:, :8] == 150).all()


def test_bloom_lightens_what_is_beside_bright_ink_and_keeps_the_ink() -> None:
    pixels = np.full((40, 40, 3), 30, np.uint8)
    pixels[:, 16:24] = 220
    bloomed = augment.bloom(pixels, np.random.default_rng(2))
    assert (bloomed >= pixels).all()
    assert bloomed[20, 14, 0] > 40
    assert bloomed[20, 2, 0] < bloomed[20, 14, 0]


def test_denoising_leaves_blotches_not_grain() -> None:
    flat = np.full((60, 90, 3), 128, np.uint8)
    for seed in range(6):
        left = augment.denoise(flat, np.random.default_rng(seed)).astype(np.float64)[..., 0] - 128
        neighbours = (left[:, 1:] * left[:, :-1]).mean() / left.var()
        assert neighbours > 0.2  # grain's would be 0


def test_uneven_light_brightens_here_and_darkens_there() -> None:
    flat = np.full((60, 90, 3), 100, np.uint8)
    lit = [augment.light_unevenly(flat, np.random.default_rng(seed)).astype(int) for seed in range(8)]
    assert np.mean([pixels.min() < 95 for pixels in lit]) > 0.7
    assert np.mean([pixels.max() > 105 for pixels in lit]) > 0.7
    assert all(np.abs(np.diff(pixels, axis=1)).max() < 40 for pixels in lit)


def test_glare_only_adds_light() -> None:
    pixels = np.full((40, 100, 3), 60, np.uint8)
    glare = augment.add_glare(pixels, np.random.default_rng(4))
    assert (glare >= pixels).all()
    assert glare.max() > 100
