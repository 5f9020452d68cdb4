"""Everything that stands still: road, pavements, houses, trees. Colours for rays from the eye."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from street_scene.fields import Array, Color, Mask, mix, noise, ramp, sample, vector
from street_scene.light import GROUND_LIGHT, HAZE, SKY_LIGHT, SUN, SUN_LIGHT

ROAD_HALF, KERB_HEIGHT, HOUSES_X = 4.3, 0.12, 8.2
FLOOR = 3.2


@dataclass(frozen=True)
class House:
    """A house front along the street: where it begins and ends (z), its height, colour and window bays."""

    begin: float
    end: float
    height: float
    color: Color
    bays: int
    seed: int


def _row(seed: int, colors: list[Color]) -> list[House]:
    rng = np.random.default_rng(seed)
    houses: list[House] = []
    z = 6.0
    while z < 130:
        width = float(rng.uniform(9, 15))
        floors = int(rng.integers(3, 6))
        color = colors[len(houses) % len(colors)]
        houses.append(House(z, z + width, 0.8 + FLOOR * floors, color, round(width / 2.7), len(houses) + seed))
        z += width
    return houses


ROWS = {
    -1: _row(3, [(0.50, 0.42, 0.30), (0.42, 0.24, 0.17), (0.52, 0.50, 0.46), (0.40, 0.42, 0.36)]),
    1: _row(4, [(0.55, 0.47, 0.36), (0.60, 0.56, 0.50), (0.44, 0.27, 0.20), (0.50, 0.45, 0.30)]),
}


def far_away(color: Array, distance: Array) -> Array:
    """The haze of the air."""
    return mix(color, HAZE, (1 - np.exp(-distance / 260)).astype(np.float32))


def _fade(cell: float, distance: Array) -> Array:
    """How much of a grain of that size is still seen at a distance."""
    return np.clip(cell * 900 / np.maximum(distance, 0.1) - 0.4, 0, 1).astype(np.float32)


def _asphalt(x: Array, z: Array, distance: Array) -> Array:
    grain = noise(x, z, 0.006, seed=20, roughness=1.9) * _fade(0.006, distance)
    stains = noise(x, z, 0.02, seed=21, roughness=0.7)
    tracks = np.exp(-(((np.abs(np.abs(x) - 1.45) - 0.72) / 0.24) ** 2))
    level = 0.128 * (1 + 0.24 * grain + 0.07 * stains - 0.10 * tracks)
    crack = np.abs(noise(x, z, 0.012, seed=22, roughness=0.25) + 0.4)
    level = level * (1 - 0.55 * ramp(0.016, 0.004, crack) * _fade(0.012, distance))
    patch = ramp(-0.01, 0.01, 0.75 - np.abs(x - 0.2)) * ramp(-0.01, 0.01, 1.6 - np.abs(z - 13.5))
    level = level * (1 - 0.28 * patch)
    color = level[..., None] * vector(1.0, 0.99, 0.975)
    worn = ramp(-1.3, 0.2, noise(x, z, 0.006, seed=23, roughness=1.1))
    dash = ramp(0.065, 0.055, np.abs(x)) * ramp(-0.01, 0.01, 1.2 - np.abs((z + 0.6) % 5.0 - 2.5))
    color = mix(color, (0.52, 0.52, 0.50), 0.85 * dash * worn)
    gutter = ramp(ROAD_HALF - 0.35, ROAD_HALF - 0.05, np.abs(x))
    return mix(color, (0.075, 0.07, 0.06), 0.6 * gutter)


def _manhole(x: Array, z: Array, color: Array) -> Array:
    radius = np.hypot(x + 0.35, z - 5.6)
    ribs = 0.5 + 0.5 * np.sign(np.sin(x * 70) * np.sin((z - 5.6) * 70))
    iron = 0.055 + 0.03 * ribs
    color = mix(color, (0.03, 0.03, 0.03), ramp(0.36, 0.35, radius))
    return mix(color, iron[..., None] * vector(1.0, 0.96, 0.92), ramp(0.335, 0.325, radius))


def _pavement(x: Array, z: Array, distance: Array) -> Array:
    slab = noise(np.floor(x / 0.5) * 7.3, np.floor(z / 0.5) * 3.1, 0.1, seed=24)
    grain = noise(x, z, 0.006, seed=25, roughness=1.7) * _fade(0.006, distance)
    level = 0.30 * (1 + 0.07 * slab + 0.10 * grain)
    joint = np.minimum(np.abs((x + 0.25) % 0.5 - 0.25), np.abs((z + 0.25) % 0.5 - 0.25))
    level = level * (1 - 0.5 * ramp(0.010, 0.004, joint) * _fade(0.02, distance))
    return level[..., None] * vector(1.0, 0.97, 0.92)


def _lit(color: Array, normal: Color, sun: Array | float = 1.0, open_share: Array | float = 1.0) -> Array:
    facing = max(float(np.dot(normal, SUN)), 0.0)
    up = 0.5 + 0.5 * normal[1]
    ambient = SKY_LIGHT * np.asarray(up, np.float32) + GROUND_LIGHT * np.asarray(1 - up, np.float32)
    sunlight = np.asarray(sun, np.float32)[..., None] * SUN_LIGHT * np.asarray(facing, np.float32)
    return (color * (sunlight + ambient * np.asarray(open_share, np.float32)[..., None]) * 0.62).astype(np.float32)


def ground(eye: Array, directions: Array, shadows: object) -> tuple[Array, Array]:
    """Colour and distance of road, kerb and pavement; infinite where a ray does not come down.

    ``shadows`` gives for points (n, 3) the sun's share and the openness.
    """
    down = np.minimum(directions[..., 1], -1e-6)
    low = -eye[1] / down
    high = (KERB_HEIGHT - eye[1]) / down
    across = np.maximum(np.abs(directions[..., 0]), 1e-9)
    wall = ROAD_HALF / across
    on_road = np.abs(directions[..., 0] * low) < ROAD_HALF
    on_pavement = np.abs(directions[..., 0] * high) > ROAD_HALF
    distance = np.where(on_road, low, np.where(on_pavement, high, wall)).astype(np.float32)
    points = eye + directions * distance[..., None]
    x, z = points[..., 0], points[..., 2]
    road = _manhole(x, z, _asphalt(x, z, distance))
    kerb_seam = ramp(0.012, 0.004, np.abs(z % 1.0 - 0.5)) * _fade(0.02, distance)
    edge = ramp(0.155, 0.145, np.abs(x) - ROAD_HALF)
    stone = vector(0.36, 0.35, 0.33) * (1 - 0.5 * kerb_seam)[..., None]
    pavement = mix(_pavement(x, z, distance), stone, edge)
    color = np.where(on_road[..., None], road, np.where(on_pavement[..., None], pavement, stone * 0.6))
    sun, opened = shadows(points)  # type: ignore[operator]
    color = far_away(_lit(color, (0, 1, 0), sun, opened), distance)
    missed = directions[..., 1] > -1e-4
    return color, np.where(missed, np.inf, distance).astype(np.float32)


def _window(u: Array, v: Array, pane: Array) -> tuple[Array, Array]:
    """Colour and coverage of one window; u and v are metres from its middle, pane a number of its own."""
    half_u, half_v = 0.55, 0.85
    inside = np.minimum(half_u - np.abs(u), half_v - np.abs(v))
    frame = mix((0.55, 0.55, 0.53), (0.30, 0.30, 0.29), ramp(0.05, 0.07, inside))
    bars = np.minimum(np.abs(u), np.abs(v - 0.35))
    shine = ramp(-0.7, 1.0, v + 0.5 * u + pane)
    glass = mix((0.030, 0.036, 0.042), (0.33, 0.38, 0.45), 0.75 * shine)
    curtain = ramp(0.18, 0.30, np.abs(u)) * (pane > 0.1)
    glass = mix(glass, (0.42, 0.41, 0.38), 0.45 * curtain)
    glass = glass * (1 - 0.65 * ramp(half_v - 0.28, half_v - 0.08, v))[..., None]
    color = mix(frame, glass, ramp(0.075, 0.085, inside) * ramp(0.022, 0.030, bars))
    return color, ramp(-0.01, 0.01, inside)


def _shop(u: Array, y: Array, pane: Array) -> Array:
    """The ground floor: a wide dark window under a sign, u in metres from the middle of the bay."""
    color = np.broadcast_to(vector(0.16, 0.15, 0.14), (*u.shape, 3))
    glass = mix((0.02, 0.022, 0.025), (0.20, 0.22, 0.24), ramp(0.4, 2.4, y + 0.5 * u + pane))
    inside = np.minimum(1.05 - np.abs(u), np.minimum(y - 0.45, 2.35 - y))
    color = mix(color, glass, ramp(0.0, 0.02, inside))
    sign = np.stack([0.30 + 0.25 * pane, 0.12 + 0.1 * np.abs(pane), 0.10 - 0.05 * pane], axis=-1)
    return mix(color, np.clip(sign, 0.02, 0.6).astype(np.float32), ramp(2.42, 2.44, y) * ramp(3.0, 2.98, y))


def _front(house: House, z: Array, y: Array) -> Array:
    """The colour of a house front before light."""
    bay = (house.end - house.begin) / house.bays
    index = np.floor((z - house.begin) / bay)
    u = z - house.begin - (index + 0.5) * bay
    floor = np.floor((y - 0.4) / FLOOR)
    v = y - 0.4 - (floor + 0.5) * FLOOR
    pane = noise(index * 5.7 + house.seed * 31.0, floor * 9.1, 0.13, seed=30) * 0.6
    plaster = (
        1 + 0.05 * noise(z, y, 0.03, seed=31) - 0.10 * ramp(0.4, 1.4, noise(z * 3, y, 0.05, seed=32, roughness=0.6))
    )
    color = plaster[..., None] * np.asarray(house.color, np.float32)
    ledge = ramp(0.10, 0.08, np.abs(v + FLOOR / 2 - 0.1)) * 0.35 + ramp(0.06, 0.04, np.abs(v + 0.98)) * ramp(
        0.75, 0.7, np.abs(u)
    )
    color = mix(color, (0.60, 0.58, 0.54), np.clip(ledge, 0, 1))
    color = color * (1 - 0.35 * ramp(0.16, 0.02, np.abs(v + 1.12)) * ramp(0.7, 0.65, np.abs(u)))[..., None]
    window, cover = _window(u, v, pane)
    color = mix(color, window, cover)
    color = mix(color, _shop(u, y, pane), ramp(3.21, 3.19, y))
    cornice = ramp(house.height - 0.5, house.height - 0.46, y)
    color = mix(color, (0.50, 0.48, 0.44), cornice * 0.7)
    pipe = ramp(0.10, 0.06, np.minimum(z - house.begin, house.end - z))
    return mix(color, (0.10, 0.10, 0.10), 0.6 * pipe)


def houses(eye: Array, directions: Array) -> tuple[Array, Array]:
    """Colour and distance of the houses on both sides."""
    color = np.zeros((*directions.shape[:-1], 3), np.float32)
    distance = np.full(directions.shape[:-1], np.inf, np.float32)
    for side, row in ROWS.items():
        ahead = directions[..., 0] * side > 1e-6
        t = np.where(ahead, HOUSES_X / np.maximum(directions[..., 0] * side, 1e-6), 1e6).astype(np.float32)
        z, y = directions[..., 2] * t, eye[1] + directions[..., 1] * t
        for house in row:
            seen: Mask = ahead & (z >= house.begin) & (z < house.end) & (y < house.height) & (y > 0)
            if not seen.any():
                continue
            front = _front(house, z[seen], y[seen])
            low = 0.75 + 0.25 * ramp(0.0, 3.0, y[seen])
            lit = _lit(front, (-side, 0.0, 0.0), 0.9, low)
            color[seen], distance[seen] = far_away(lit, t[seen]), t[seen]
    return color, distance


@dataclass(frozen=True)
class Tree:
    x: float
    z: float
    height: float
    seed: int


TREES = (
    Tree(-5.6, 19.0, 7.5, 1), Tree(5.7, 23.0, 8.0, 2), Tree(-5.7, 33.0, 8.5, 3), Tree(5.6, 38.0, 8.0, 4),
    Tree(-5.6, 48.0, 8.5, 5), Tree(5.6, 55.0, 9.0, 6), Tree(-5.6, 66.0, 9.0, 7), Tree(5.6, 75.0, 9.0, 8),
    Tree(-2.5, 120.0, 11.0, 9), Tree(3.5, 126.0, 12.0, 10), Tree(0.5, 132.0, 12.0, 11), Tree(-6.5, 128.0, 13.0, 12),
    Tree(7.5, 130.0, 13.0, 13),
)  # fmt: skip
SPRITE = 768


@cache
def _tree_picture(seed: int) -> Array:
    """A tree (SPRITE, SPRITE, 4): linear colour times coverage, and coverage."""
    rng = np.random.default_rng(seed + 100)
    canvas = np.zeros((SPRITE, SPRITE, 4), np.float32)
    middle = SPRITE // 2
    trunk = (0.055, 0.043, 0.034, 1.0)
    cv2.line(canvas, (middle, SPRITE), (middle, 380), trunk, 22, cv2.LINE_AA)
    blobs = [(middle + rng.normal(0, 105), 270 + rng.normal(0, 85), rng.uniform(65, 120)) for _ in range(16)]
    for x, y, _ in blobs[:9]:
        cv2.line(canvas, (middle, 470), (round(x), round(y)), trunk, 8, cv2.LINE_AA)
    for x, y, radius in sorted(blobs, key=lambda blob: -blob[1]):
        for _ in range(650):
            angle, reach = rng.uniform(0, 2 * np.pi), radius * np.sqrt(rng.uniform(0, 1))
            dx, dy = reach * np.cos(angle), reach * np.sin(angle) * 0.85
            light = np.clip(
                0.5 - 0.5 * (0.5 * dx + 0.85 * dy) / radius - 0.15 * (y - 270) / 200 + rng.normal(0, 0.16), 0.04, 1.2
            )
            tint = rng.uniform(0.8, 1.2)
            color = (0.10 * light * tint + 0.008, 0.17 * light + 0.012, 0.035 * light + 0.006, 1.0)
            axes = (round(rng.uniform(3, 8)), round(rng.uniform(2, 5)))
            cv2.ellipse(
                canvas, (round(x + dx), round(y + dy)), axes, rng.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA
            )
    return cv2.GaussianBlur(canvas, (0, 0), 0.8).astype(np.float32)


def plant_trees(eye: Array, directions: Array, color: Array, distance: Array) -> None:
    """Draw the trees over a background, farthest first; colour is changed in place."""
    forward = np.maximum(directions[..., 2], 1e-4)
    for tree in sorted(TREES, key=lambda tree: -tree.z):
        t = tree.z / forward
        x, y = directions[..., 0] * t - tree.x, eye[1] + directions[..., 1] * t
        seen = (np.abs(x) < tree.height / 2) & (y > 0) & (y < tree.height) & (t < distance + 4)
        if not seen.any():
            continue
        texel = SPRITE / tree.height
        found = sample(_tree_picture(tree.seed), x[seen] * texel + SPRITE / 2, SPRITE - y[seen] * texel)
        lit = found[:, :3] * (SUN_LIGHT * 0.9 + SKY_LIGHT * 0.5)
        cover = found[:, 3:4]
        haze = far_away(lit / np.maximum(cover, 1e-3), t[seen])
        color[seen] = color[seen] * (1 - cover) + haze * cover
