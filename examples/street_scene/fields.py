"""Numbers over space: vectors, smooth steps, and noise sampled from one tileable texture."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""Of float32 throughout; numpy's types lose that in every second function."""
Mask = NDArray[np.bool_]
Color = tuple[float, float, float]

NOISE_SIZE = 1024


def vector(*values: float) -> Array:
    return np.array(values, np.float32)


def normalise(vectors: Array) -> Array:
    """Vectors (..., 3) at length one."""
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return (vectors / np.maximum(length, 1e-9)[..., None]).astype(np.float32)


def dot(a: Array, b: Array) -> Array:
    return np.einsum("...i,...i->...", a, b).astype(np.float32)


def ramp(low: float, high: float, values: Array) -> Array:
    """0 below ``low``, 1 above ``high``, smooth between; falling when ``low`` is the greater."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def mix(a: Array | Color, b: Array | Color, weight: Array) -> Array:
    """Colours ``a`` where the weight (...,) is 0, ``b`` where it is 1."""
    w = weight[..., None]
    return (np.asarray(a, np.float32) * (1 - w) + np.asarray(b, np.float32) * w).astype(np.float32)


@cache
def _noise_texture(seed: int, roughness: float) -> Array:
    """Tileable noise (NOISE_SIZE squared), mean 0, deviation 1; greater roughness has finer grain."""
    white = np.random.default_rng(seed).standard_normal((NOISE_SIZE, NOISE_SIZE))
    fy = np.fft.fftfreq(NOISE_SIZE)[:, None]
    fx = np.fft.rfftfreq(NOISE_SIZE)[None, :]
    frequency = np.maximum(np.hypot(fx, fy), 2 / NOISE_SIZE)
    shaped = np.fft.irfft2(np.fft.rfft2(white) * frequency ** (roughness - 2), (NOISE_SIZE, NOISE_SIZE))
    return ((shaped - shaped.mean()) / shaped.std()).astype(np.float32)


def sample(texture: Array, u: Array, v: Array, wrap: bool = False) -> Array:
    """Values of a texture (h, w[, c]) at columns ``u`` and rows ``v`` (texels, any equal shape), bilinear."""
    flat_u, flat_v = np.ravel(u), np.ravel(v)
    if wrap:
        flat_u, flat_v = flat_u % texture.shape[1], flat_v % texture.shape[0]
    columns = 1024
    rows = max(-(-flat_u.size // columns), 1)
    maps = np.full((2, rows * columns), -10, np.float32)
    maps[0, : flat_u.size], maps[1, : flat_v.size] = flat_u, flat_v
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_REPLICATE
    across, down = maps.reshape(2, rows, columns)
    found = cv2.remap(texture, across, down, cv2.INTER_LINEAR, borderMode=border)
    found = found.reshape(rows * columns, *texture.shape[2:])[: flat_u.size]
    return found.reshape(*u.shape, *texture.shape[2:]).astype(np.float32)


def noise(u: Array, v: Array, cell: float, seed: int = 1, roughness: float = 1.0) -> Array:
    """Noise around 0 (deviation 1) over a plane; ``cell`` is the side of one texel in the unit of u and v."""
    return sample(_noise_texture(seed, roughness), u / cell, v / cell, wrap=True)
