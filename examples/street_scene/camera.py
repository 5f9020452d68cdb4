"""The eye: rays through pixels, and what a camera does to light."""

from __future__ import annotations

import cv2
import numpy as np

from street_scene.fields import Array, normalise, vector

WIDTH, HEIGHT = 1280, 720
FOCAL, HORIZON = 1560.0, 292.0
EYE = vector(0.0, 1.62, 0.0)


def rays(first_row: int, last_row: int, scale: float, samples: int) -> Array:
    """Directions (rows, columns, 3) through the sub-pixels of some rows of the scaled picture."""
    step = 1 / (scale * samples)
    rows = (np.arange(first_row * samples, last_row * samples) + 0.5) * step
    columns = (np.arange(round(WIDTH * scale) * samples) + 0.5) * step
    x, y = np.meshgrid((columns - WIDTH / 2) / FOCAL, (HORIZON - rows) / FOCAL)
    return normalise(np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32))


def average(values: Array, samples: int) -> Array:
    """The mean over each pixel's sub-pixels."""
    rows, columns = values.shape[0] // samples, values.shape[1] // samples
    shaped = values.reshape(rows, samples, columns, samples, *values.shape[2:])
    return shaped.mean(axis=(1, 3)).astype(np.float32)


def develop(light: Array, nearness: Array, scale: float) -> Array:
    """Linear light (h, w, 3) to an 8-bit RGB picture: focus, bloom, film curve, corners, grain.

    ``nearness`` is one over the distance of what each pixel shows (h, w).
    """
    blurred = cv2.GaussianBlur(light, (0, 0), 1.5 * scale)
    far = np.clip((1 / 9 - nearness) * 16, 0, 1)[..., None]
    light = light * (1 - far) + blurred * far
    light = cv2.GaussianBlur(light, (0, 0), max(0.55 * scale, 0.2))
    light = light * 0.96 + 0.04 * cv2.GaussianBlur(np.minimum(light, 4), (0, 0), 18 * scale)
    rows, columns = light.shape[:2]
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    light = light * (1 - 0.13 * (x * x + y * y * 0.6))[..., None] * 1.12
    curve = light * (2.51 * light * 0.62 + 0.03) / (light * (2.43 * light * 0.62 + 0.59) + 0.14)
    shown = np.clip(curve, 0, 1) ** (1 / 2.2)
    rng = np.random.default_rng(99)
    grain = cv2.GaussianBlur(rng.standard_normal((rows, columns, 3)).astype(np.float32), (0, 0), 0.6)
    shown = shown + grain * (0.010 + 0.012 * (1 - shown)) * scale
    return (np.clip(shown, 0, 1) * 255).round().astype(np.uint8)
