"""Shapes as distances: negative inside, positive outside, about metres. Points are (n, 3): x right, y up, z."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from street_scene.fields import Array, Color, normalise

Distance = Callable[[Array], Array]


@dataclass(frozen=True)
class RoundedPolytope:
    """The common part of half spaces with edges rounded over about ``rounding`` metres.

    ``planes`` are (nx, ny, nz, offset): inside is where n . p < offset, n of length one.
    """

    planes: tuple[tuple[float, float, float, float], ...]
    rounding: float

    def sides(self, points: Array) -> Array:
        """Distance to each plane (n, planes)."""
        table = np.asarray(self.planes, np.float32)
        return points @ table[:, :3].T - table[:, 3]

    def __call__(self, points: Array) -> Array:
        sides = self.sides(points)
        top = sides.max(axis=1)
        spread = np.exp((sides - top[:, None]) / self.rounding).sum(axis=1)
        return (top + self.rounding * np.log(spread)).astype(np.float32)


def plane(through: Color, normal: Color) -> tuple[float, float, float, float]:
    """The half space behind a point, seen along its outward normal."""
    n = np.asarray(normal, np.float64)
    n = n / np.linalg.norm(n)
    return (float(n[0]), float(n[1]), float(n[2]), float(n @ np.asarray(through)))


def both_sides(*planes: tuple[float, float, float, float]) -> tuple[tuple[float, float, float, float], ...]:
    """Each plane together with its mirror image in x."""
    return tuple(p for x, y, z, d in planes for p in ((x, y, z, d), (-x, y, z, d)))


def smooth_union(a: Array, b: Array, radius: float) -> Array:
    h = np.clip(0.5 + 0.5 * (b - a) / radius, 0, 1)
    return (b + (a - b) * h - radius * h * (1 - h)).astype(np.float32)


def smooth_cut(a: Array, hole: Array, radius: float) -> Array:
    """``a`` without ``hole``, the edge rounded."""
    return -smooth_union(-a, hole, radius)


def rounded_box(points: Array, center: Color, half: Color, rounding: float) -> Array:
    q = np.abs(points - np.asarray(center, np.float32)) - (
        np.asarray(half, np.float32) - np.asarray(rounding, np.float32)
    )
    outside = np.linalg.norm(np.maximum(q, 0), axis=1)
    return (outside + np.minimum(q.max(axis=1), 0) - rounding).astype(np.float32)


def ellipsoid(points: Array, center: Color, radii: Color) -> Array:
    q = (points - np.asarray(center, np.float32)) / np.asarray(radii, np.float32)
    length = np.linalg.norm(q, axis=1)
    slope = np.linalg.norm(q / np.asarray(radii, np.float32), axis=1)
    return (length * (length - 1) / np.maximum(slope, 1e-6)).astype(np.float32)


def cylinder_x(points: Array, center: Color, radius: float, half: float, rounding: float) -> Array:
    """A disc standing across x: a wheel, or the hole around one."""
    q = points - np.asarray(center, np.float32)
    across = np.hypot(q[:, 1], q[:, 2]) - (radius - rounding)
    along = np.abs(q[:, 0]) - (half - rounding)
    outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0))
    return (outside + np.minimum(np.maximum(across, along), 0) - rounding).astype(np.float32)


def gradient(distance: Distance, points: Array, step: float = 0.004) -> Array:
    """The outward normals at points on a surface, from four samples on a tetrahedron."""
    total = np.zeros_like(points)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        direction = np.asarray(corner, np.float32)
        total += direction * distance(points + direction * np.asarray(step, np.float32))[:, None]
    return normalise(total)


def march(distance: Distance, origins: Array, directions: Array, span: tuple[Array, Array], steps: int = 90) -> Array:
    """Length along each ray (n,) until the surface, infinite where it is missed between ``span``."""
    t, end = span[0].copy(), span[1]
    hit = np.full(len(t), np.inf, np.float32)
    active = np.flatnonzero(t < end)
    for _ in range(steps):
        if not active.size:
            break
        gap = distance(origins[active] + directions[active] * t[active, None])
        arrived = gap < 0.0015
        hit[active[arrived]] = t[active[arrived]]
        t[active] += np.maximum(gap * np.asarray(0.85, np.float32), 0.001)
        active = active[~arrived & (t[active] < end[active])]
    return hit


def openness(distance: Distance, points: Array, normals: Array) -> Array:
    """How open the space in front of each point is, 0 (closed in) to 1."""
    closed = np.zeros(len(points), np.float32)
    for reach, weight in ((0.04, 0.5), (0.12, 0.3), (0.3, 0.2), (0.6, 0.14)):
        gap = distance(points + normals * np.asarray(reach, np.float32))
        closed += np.asarray(weight, np.float32) * np.clip(1 - gap / reach, 0, 1)
    return np.clip(1 - closed, 0, 1).astype(np.float32)


def light_reaching(distance: Distance, points: Array, direction: Array, reach: float, softness: float) -> Array:
    """Share of a light that reaches each point, 0 in full shadow to 1; greater softness has wider edges."""
    share = np.ones(len(points), np.float32)
    t = np.full(len(points), 0.03, np.float32)
    active = np.arange(len(points))
    for _ in range(48):
        if not active.size:
            break
        gap = distance(points[active] + direction * t[active, None])
        share[active] = np.minimum(share[active], np.clip(0.5 + 0.5 * gap / (softness * t[active]), 0, 1))
        t[active] += np.clip(gap, 0.02, 0.4)
        active = active[(t[active] < reach) & (share[active] > 0.002)]
    return share
