"""What cameras do to pictures: light, colour, blur, noise, compression. All on uint8 RGB arrays (h, w, 3)."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from openplate_training.data import Pixels

Random = np.random.Generator


def as_pixels(array: object) -> Pixels:
    """An array from OpenCV as the uint8 picture that it is (OpenCV's annotations say less); nothing is copied."""
    return np.asarray(array, np.uint8)


def chance(random: Random, probability: float) -> bool:
    return bool(random.random() < probability)


def change_light(pixels: Pixels, random: Random) -> Pixels:
    """Contrast, brightness and gamma in one table look-up per channel; now and then a colour cast or night."""
    levels = np.arange(256, dtype=np.float32) / 255
    gamma = float(np.exp(random.normal(0, 0.35)))
    contrast, brightness = random.uniform(0.55, 1.3), random.normal(0, 0.08)
    if chance(random, 0.15):
        contrast, gamma = random.uniform(0.12, 0.5), random.uniform(1.0, 2.0)
    curve = (levels**gamma - 0.5) * contrast + 0.5 + brightness
    cast = random.normal(1.0, 0.08, 3) if chance(random, 0.5) else np.ones(3)
    table = np.clip(curve[:, None] * cast * 255, 0, 255).astype(np.uint8)
    return as_pixels(cv2.LUT(pixels, table.reshape(256, 1, 3)))


def tint(pixels: Pixels, random: Random) -> Pixels:
    """All in one colour and pale or dim, as under street lamps and through a camera's night mode."""
    factors = random.uniform(0.3, 1.0, 3)
    levels = np.arange(256, dtype=np.float32)[:, None]
    spread, floor = random.uniform(0.25, 0.9), random.uniform(0, 90)
    table = np.clip(levels * spread * factors / factors.max() + floor * factors, 0, 255).astype(np.uint8)
    return as_pixels(cv2.LUT(pixels, table.reshape(256, 1, 3)))


def drop_colour(pixels: Pixels, random: Random) -> Pixels:
    """Grey, from any mixture of the channels (an infrared camera's view is not the eye's)."""
    weights = random.dirichlet((2.0, 4.0, 1.5)).astype(np.float32)
    grey = cv2.transform(pixels, weights[None])
    return as_pixels(cv2.merge((grey, grey, grey)))


def blur(pixels: Pixels, random: Random, strength: float) -> Pixels:
    """Defocus or motion; ``strength`` is the largest blur in pixels."""
    if chance(random, 0.5):
        sigma = random.uniform(0.3, max(0.35, strength / 2))
        return as_pixels(cv2.GaussianBlur(pixels, (0, 0), sigma))
    length = int(random.integers(2, max(3, int(strength) + 2)))
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), random.uniform(0, 180), 1)
    kernel = np.asarray(cv2.warpAffine(line, turn, (length, length)), np.float32)
    return as_pixels(cv2.filter2D(pixels, -1, kernel / np.float32(max(float(kernel.sum()), 1e-6))))


def sharpen(pixels: Pixels, random: Random) -> Pixels:
    """The edges overdrawn, with a pale line beside what is dark, as many cameras do."""
    soft = cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.7, 1.6))
    amount = random.uniform(0.4, 2.5)
    return as_pixels(cv2.addWeighted(pixels, 1 + amount, soft, -amount, 0))


def bloom(pixels: Pixels, random: Random) -> Pixels:
    """What is bright spills over what is beside it, as of a reflecting plate in a lamp's light."""
    spread = cv2.GaussianBlur(pixels, (0, 0), random.uniform(1.5, 5.0))
    return as_pixels(cv2.addWeighted(pixels, 1.0, cv2.subtract(spread, pixels), random.uniform(0.5, 1.6), 0))


def add_glare(pixels: Pixels, random: Random) -> Pixels:
    """A soft bright spot, most often at the upper edge."""
    height, width = pixels.shape[:2]
    x, y = random.uniform(0, width), height * random.normal(0.15, 0.25)
    reach = height * random.uniform(0.12, 0.45)
    xs, ys = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
    spot = np.exp(-((xs - x) ** 2 / random.uniform(1, 4) + (ys - y) ** 2) / (2 * reach**2)) * random.uniform(60, 255)
    return as_pixels(np.clip(pixels + spot[..., None], 0, 255).astype(np.uint8))


def add_noise(pixels: Pixels, random: Random, strength: float) -> Pixels:
    """Sensor noise, cheap: one block of normal values, shifted at random."""
    height, width = pixels.shape[:2]
    noise = np.empty((height, width, 3), np.int16)
    cv2.setRNGSeed(int(random.integers(1 << 30)))
    cv2.randn(noise, np.zeros(3), np.full(3, strength))
    return as_pixels(cv2.add(pixels, noise, dtype=cv2.CV_8U))


def denoise(pixels: Pixels, random: Random) -> Pixels:
    """Strong noise, and what a camera's filter makes of it in the dark: edges that wander, tones in blotches."""
    noisy = add_noise(pixels, random, random.uniform(6, 36))
    if chance(random, 0.5):
        return as_pixels(cv2.medianBlur(noisy, int(random.choice((3, 5)))))
    return as_pixels(cv2.bilateralFilter(noisy, 5, random.uniform(90, 200), random.uniform(1.5, 3)))


def patches(shape: tuple[int, ...], random: Random) -> npt.NDArray[np.float32]:
    """A field (height, width) of soft patches, normally distributed around 0, a few across each way; ``shape`` is
    that of the picture it is for.
    """
    height, width = shape[:2]
    coarse = random.normal(0, 1, (int(random.integers(2, 5)), int(random.integers(3, 12)))).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def light_unevenly(pixels: Pixels, random: Random) -> Pixels:
    """Brighter here and darker there, as what is bent, dirty or lit by several lamps."""
    shade = np.exp(patches(pixels.shape, random) * random.uniform(0.05, 0.35))
    return as_pixels(np.clip(pixels * shade[..., None], 0, 255).astype(np.uint8))


def compress(pixels: Pixels, random: Random, lowest: int) -> Pixels:
    """JPEG and back."""
    quality = int(random.integers(lowest, 85))
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return as_pixels(cv2.imdecode(data, cv2.IMREAD_COLOR))


def lose_resolution(pixels: Pixels, random: Random, smallest: float) -> Pixels:
    """Reduced to as little as ``smallest`` of its size and enlarged again."""
    height, width = pixels.shape[:2]
    factor = random.uniform(smallest, 0.9)
    size = (max(2, int(width * factor)), max(2, int(height * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    how = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)[int(random.choice(3, p=(0.6, 0.3, 0.1)))]
    return as_pixels(cv2.resize(small, (width, height), interpolation=how))


def cast_shadow(pixels: Pixels, random: Random) -> Pixels:
    """A half-plane in shadow (or in light) with a soft edge."""
    height, width = pixels.shape[:2]
    angle, offset = random.uniform(0, 2 * np.pi), random.normal(0, 0.25)
    xs = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None]
    ys = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    edge = (xs * np.cos(angle) + ys * np.sin(angle) - offset) * random.uniform(4, 40)
    shade = 1 - random.uniform(0.2, 0.65) / (1 + np.exp(-np.clip(edge, -20, 20)))
    return as_pixels((pixels * shade[..., None]).astype(np.uint8))
