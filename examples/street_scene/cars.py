"""A car: its rounded body, its materials, and the rays that meet it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from street_scene import decals, plates
from street_scene.fields import Array, Color, Mask, mix, noise, ramp, sample, vector
from street_scene.light import Surface
from street_scene.solids import (
    RoundedPolytope,
    both_sides,
    cylinder_x,
    ellipsoid,
    plane,
    rounded_box,
    smooth_cut,
    smooth_union,
)

WHEELS_Z = (1.30, -1.28)
WHEEL_RADIUS = 0.325
BODY, TRIM, WHEEL, MIRROR, PLATE = range(5)

LOWER = RoundedPolytope(
    (
        plane((0, 0.19, 0), (0, -1, 0)),
        plane((0, 0.26, 2.06), (0, -0.75, 0.65)),
        plane((0, 0.50, 2.13), (0, 0.06, 1)),
        plane((0, 0.73, 2.06), (0, 0.62, 0.78)),
        plane((0, 0.985, 0.85), (0, 0.985, 0.17)),
        plane((0, 1.0, 0), (0, 1, 0)),
        plane((0, 0.97, -2.03), (0, 0.45, -0.9)),
        plane((0, 0.60, -2.10), (0, -0.03, -1)),
        plane((0, 0.28, -2.04), (0, -0.7, -0.7)),
        *both_sides(
            plane((0.845, 0.90, 0), (0.90, 0.43, 0)),
            plane((0.895, 0.62, 0), (1, 0.06, 0)),
            plane((0.865, 0.30, 0), (0.96, -0.28, 0)),
            plane((0.74, 0.5, 2.02), (0.62, 0, 0.78)),
            plane((0.76, 0.6, -2.0), (0.62, 0, -0.78)),
        ),
    ),
    rounding=0.028,
)


def _greenhouse(rear_base: float, rear_top: float) -> RoundedPolytope:
    """The part with the windows; where its rear window meets the body and the roof, z in metres."""
    rear = (0.0, rear_top - rear_base, -0.45)
    return RoundedPolytope(
        (
            plane((0, 0.95, 1.08), (0, 0.86, 0.52)),
            plane((0, 1.475, -0.5), (0, 1, 0.0)),
            plane((0, 1.44, 0.3), (0, 0.97, 0.22)),
            plane((0, 1.44, -1.3), (0, 0.97, -0.20)),
            plane((0, 0.95, rear_base), rear),
            plane((0, 0.90, 0), (0, -1, 0)),
            *both_sides(plane((0.80, 1.0, 0), (0.925, 0.38, 0))),
        ),
        rounding=0.026,
    )


WINDSHIELD, REAR_WINDOW, LEFT_WINDOWS, RIGHT_WINDOWS = 0, 4, 6, 7
SHAPES = {"hatchback": _greenhouse(-2.06, -1.72), "sedan": _greenhouse(-1.72, -1.02)}
FRONT, REAR, SIDE = decals.paint_front(), decals.paint_rear(), decals.paint_side()


def _bend(points: Array) -> Array:
    """Straight panels become gently curved: what is flat for the polytope bulges in the car."""
    x, y, z = points.T
    end = np.tanh(z / 0.9)
    return np.stack(
        [x * (1 + 0.013 * z * z), y + 0.045 * x * x + 0.004 * z * z, z + end * 0.105 * x * x], axis=1
    ).astype(np.float32)


@dataclass(frozen=True)
class Car:
    """One car: where its middle stands on the road (x, z), its heading in degrees (0 drives away from the eye)."""

    x: float
    z: float
    heading: float
    paint: Color
    plate: str
    shape: str = "hatchback"
    ride: float = 0.0
    center: Color = field(init=False, default=(0.0, 0.75, 0.0))

    @cached_property
    def _plate_colors(self) -> Array:
        return plates.paint_plate(self.plate)

    @cached_property
    def _turn(self) -> Array:
        angle = np.radians(self.heading)
        cosine, sine = float(np.cos(angle)), float(np.sin(angle))
        return np.asarray([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]], np.float32)

    def to_local(self, points: Array) -> Array:
        return ((points - vector(self.x, self.ride, self.z)) @ self._turn.T).astype(np.float32)

    def turn_to_local(self, directions: Array) -> Array:
        return (directions @ self._turn.T).astype(np.float32)

    def turn_to_world(self, directions: Array) -> Array:
        return (directions @ self._turn).astype(np.float32)

    def _body(self, points: Array) -> tuple[Array, Array, Array]:
        """Distances to the whole painted body, to its lower part and to the greenhouse."""
        bent = _bend(points)
        lower, upper = LOWER(bent), SHAPES[self.shape](bent)
        bumpers = np.minimum(
            rounded_box(bent, (0, 0.42, 2.03), (0.80, 0.13, 0.135), 0.07),
            rounded_box(bent, (0, 0.44, -2.02), (0.82, 0.14, 0.125), 0.06),
        )
        body = smooth_union(smooth_union(lower, bumpers, 0.03), upper, 0.035)
        folded = np.abs(points * vector(1, 0, 0)) + points * vector(0, 1, 1)
        for z in WHEELS_Z:
            hole = cylinder_x(folded, (0.85, 0.325, z), 0.392, 0.26, 0.03)
            body = smooth_cut(body, hole, 0.02)
        return body, lower, upper

    def parts(self, points: Array) -> Array:
        """Distances (n, 5) to body, black trim, wheels, mirrors, plates."""
        folded = np.abs(points * vector(1, 0, 0)) + points * vector(0, 1, 1)
        wheels = np.minimum(
            *(cylinder_x(folded, (0.765, WHEEL_RADIUS, z), WHEEL_RADIUS, 0.105, 0.035) for z in WHEELS_Z)
        )
        mirror = ellipsoid(folded, (0.985, 1.02, 0.70), (0.115, 0.078, 0.07))
        arm = rounded_box(folded, (0.88, 0.985, 0.70), (0.07, 0.018, 0.03), 0.015)
        plate = np.minimum(self._plate_distance(points, 1), self._plate_distance(points, -1))
        return np.stack([self._body(points)[0], arm, wheels, mirror, plate], axis=1)

    def _plate_place(self, end: int) -> Color:
        return (0.0, 0.478, 2.172) if end > 0 else (0.0, 0.68, -2.118)

    def _plate_distance(self, points: Array, end: int) -> Array:
        half = (plates.WIDTH_M / 2, plates.HEIGHT_M / 2, 0.012)
        return rounded_box(points, self._plate_place(end), half, 0.006)

    def distance(self, points: Array) -> Array:
        return self.parts(points).min(axis=1)

    def surface(self, points: Array, normals: Array) -> Surface:
        """The materials at points on the car, both in its own coordinates."""
        part = self.parts(points).argmin(axis=1)
        color = np.tile(np.asarray(self.paint, np.float32), (len(points), 1))
        coat, metal, glow = (np.full(len(points), v, np.float32) for v in (1.0, 0.0, 0.0))
        surface = self._dusty(self._decorated(Surface(color, coat, metal, glow), points, normals), points)
        surface = self._glazed(surface, points)
        self._set(surface, part == TRIM, (0.02, 0.02, 0.02), 0.3)
        self._set(surface, (part == BODY) & self._in_arch(points), (0.012, 0.012, 0.012), 0.0)
        self._paint_wheels(surface, points, part == WHEEL)
        self._paint_plates(surface, points, part == PLATE)
        return surface

    @staticmethod
    def _set(surface: Surface, where: Mask, color: Color | Array, coat: float) -> None:
        surface.color[where] = color
        surface.coat[where] = coat
        surface.metal[where] = 0
        surface.glow[where] = 0

    def _in_arch(self, points: Array) -> Mask:
        away = np.minimum(*(np.hypot(points[:, 1] - 0.325, points[:, 2] - z) for z in WHEELS_Z))
        return (away < 0.388) & (np.abs(points[:, 0]) < 0.92)

    def _decorated(self, surface: Surface, points: Array, normals: Array) -> Surface:
        """Front, rear and side paintings laid onto the lower body."""
        x, y, z = points.T
        _, lower, upper = self._body(points)
        low = lower < upper - 0.01
        ahead = np.abs(normals[:, 2]) > 0.42
        for decal, u, where in (
            (FRONT, -x, low & (z > 1.3) & (ahead | (z > 1.86))),
            (REAR, x, low & (z < -1.3) & (ahead | (z < -1.80))),
            (SIDE, z, low & ~ahead & (np.abs(z) < 1.95) & (np.abs(normals[:, 0]) > 0.4)),
        ):
            paint = decal.at(u, y)
            cover = paint.cover * where
            surface = Surface(
                mix(surface.color, paint.color, cover),
                (surface.coat * (1 - cover) + np.clip(paint.gloss, 0.05, 1) * cover).astype(np.float32),
                (surface.metal * (1 - cover) + 0.75 * ramp(0.9, 1.0, paint.gloss) * cover).astype(np.float32),
                (surface.glow * (1 - cover) + paint.glow * cover).astype(np.float32),
            )
        return surface

    def _dusty(self, surface: Surface, points: Array) -> Surface:
        grain = noise(points[:, 0] + points[:, 2], points[:, 1], 0.004, seed=11, roughness=0.8)
        dust = np.clip(0.30 + 0.12 * grain, 0, 0.6) * ramp(0.62, 0.18, points[:, 1])
        color = mix(surface.color, (0.20, 0.18, 0.155), dust)
        return Surface(color, surface.coat * (1 - 0.8 * dust), surface.metal * (1 - dust), surface.glow)

    def _glazed(self, surface: Surface, points: Array) -> Surface:
        """Windows with their black rims, where the greenhouse shows and the edges of its faces are away."""
        bent = _bend(points)
        house = SHAPES[self.shape]
        sides = house.sides(bent)
        face = sides.argmax(axis=1)
        ordered = np.sort(sides, axis=1)
        margin = np.minimum(ordered[:, -1] - ordered[:, -2], LOWER(bent) + 0.01)
        z = points[:, 2]
        at_side = (face == LEFT_WINDOWS) | (face == RIGHT_WINDOWS)
        pillar = np.where(at_side, np.minimum(np.abs(z + 0.24), np.abs(z + 1.30)) - 0.012, 1.0)
        margin = np.minimum(margin, pillar)
        window = at_side | (face == WINDSHIELD) | (face == REAR_WINDOW)
        rim = np.where(at_side, 0.022, 0.05)
        black = ramp(0.0, 0.008, margin - rim) * window
        glass = ramp(0.012, 0.018, margin - rim) * window
        color = mix(mix(surface.color, (0.012, 0.012, 0.012), black), self._inside(points, face), glass)
        coat = surface.coat * (1 - black) + 0.35 * black * (1 - glass) + 2.2 * glass
        return Surface(color, coat.astype(np.float32), surface.metal * (1 - black), surface.glow * (1 - black))

    def _inside(self, points: Array, face: Array) -> Array:
        """What is seen through the windows: a dark cabin, head rests, light from the other side."""
        x, y, _ = points.T
        color = mix((0.012, 0.012, 0.013), (0.03, 0.032, 0.036), ramp(1.0, 1.4, y))
        ends = (face == WINDSHIELD) | (face == REAR_WINDOW)
        far = ramp(1.10, 1.14, y) * ramp(1.34, 1.30, y) * ramp(0.56, 0.50, np.abs(x)) * (face == REAR_WINDOW)
        color = mix(color, (0.16, 0.17, 0.18), far * 0.8)
        rest = np.hypot((np.abs(x) - 0.36) / 0.14, (y - 1.16) / 0.11)
        color = mix(color, (0.009, 0.009, 0.010), ramp(1.05, 0.95, rest) * ends)
        seat = np.hypot((np.abs(x) - 0.36) / 0.25, (y - 0.92) / 0.17)
        return mix(color, (0.010, 0.010, 0.011), ramp(1.05, 0.95, seat) * ends)

    def _paint_wheels(self, surface: Surface, points: Array, where: Mask) -> None:
        self._set(surface, where, (0.018, 0.018, 0.019), 0.15)
        x, y, z = points.T
        nearest = np.where(z > 0, WHEELS_Z[0], WHEELS_Z[1])
        radius = np.hypot(y - WHEEL_RADIUS, z - nearest)
        angle = np.arctan2(y - WHEEL_RADIUS, z - nearest)
        spokes = ramp(-0.15, 0.15, np.cos(5 * angle) + 0.35 - radius)
        rim = where & (radius < 0.225) & (np.abs(x) > 0.80)
        metal = np.maximum(spokes, ramp(0.195, 0.205, radius))
        surface.color[rim] = mix((0.015, 0.015, 0.015), (0.42, 0.43, 0.44), metal)[rim]
        surface.coat[rim] = 0.6
        surface.metal[rim] = 0.35 * metal[rim]

    def _paint_plates(self, surface: Surface, points: Array, where: Mask) -> None:
        self._set(surface, where, (0.02, 0.02, 0.02), 0.2)
        for end in (1, -1):
            x, y, z = (points - np.asarray(self._plate_place(end), np.float32)).T
            face = where & (z * end > 0.008)
            u = -end * x[face] + plates.WIDTH_M / 2
            v = plates.HEIGHT_M / 2 - y[face]
            colors = sample(self._plate_colors, u * plates.PIXELS_PER_M, v * plates.PIXELS_PER_M)
            grime = noise(x[face], y[face], 0.002, seed=13, roughness=0.7)
            surface.color[face] = colors * (0.93 + 0.03 * grime)[:, None]
            surface.coat[face] = 0.35
