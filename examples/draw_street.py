"""Draw a street with cars whose plates can be read, made by this code alone.

    python examples/draw_street.py                  # examples/street.jpg: six cars, two of them near
    python examples/draw_street.py gate [OUTPUT]    # examples/gate.jpg: one car, with one plate

Rays are followed from the eye to rounded solids; nothing is taken from any photograph. The same code at a
smaller scale gives the same picture, smaller.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray
from street_scene import camera, street
from street_scene.cars import Car
from street_scene.fields import Array, vector
from street_scene.light import SUN, shade, sky
from street_scene.solids import gradient, light_reaching, march, openness

CARS = (
    Car(x=1.6, z=10.4, heading=181.5, paint=(0.055, 0.12, 0.26), plate="KN 4827T", shape="hatchback"),
    Car(x=-1.55, z=8.9, heading=178.0, paint=(0.40, 0.035, 0.03), plate="WE 3159A", shape="sedan"),
    Car(x=-1.5, z=25.0, heading=180.0, paint=(0.50, 0.50, 0.50), plate="KT 7384E", shape="hatchback"),
    Car(x=1.25, z=27.0, heading=180.0, paint=(0.62, 0.62, 0.60), plate="WN 8125K", shape="hatchback"),
    Car(x=3.35, z=21.0, heading=180.0, paint=(0.03, 0.03, 0.032), plate="KA 5942N", shape="sedan"),
    Car(x=-3.4, z=20.0, heading=180.0, paint=(0.10, 0.16, 0.11), plate="TK 1738W", shape="sedan"),
)
SCENES = {
    "street": CARS,
    "gate": (Car(x=-0.9, z=8.6, heading=179.0, paint=(0.40, 0.035, 0.03), plate="WE 3159A", shape="sedan"),),
}
REACH = 2.6  # metres: a sphere of this radius around its middle holds a car
BAND = 24  # rows drawn at once


def _span(car: Car, origins: Array, directions: Array) -> tuple[Array, Array]:
    """Where each ray enters and leaves the sphere around the car; an empty span where it misses it."""
    away = vector(car.x, 0.75, car.z) - origins
    along = (away * directions).sum(axis=-1)
    inside = REACH**2 - ((away * away).sum(axis=-1) - along**2)
    half = np.sqrt(np.maximum(inside, 0))
    return np.maximum(along - half, 0).astype(np.float32), np.where(inside > 0, along + half, -1).astype(np.float32)


def _ground_shadows(cars: Sequence[Car], points: Array) -> tuple[Array, Array]:
    """The sun's share and the openness at points of the ground."""
    sun, opened = (np.ones(points.shape[:-1], np.float32) for _ in range(2))
    for car in cars:
        near = np.hypot(points[..., 0] - car.x, points[..., 2] - car.z) < 4.2
        if near.any():
            local = car.to_local(points[near])
            sun[near] *= light_reaching(car.distance, local, car.turn_to_local(SUN), 3.5, 0.035)
            opened[near] *= openness(car.distance, local, np.broadcast_to(vector(0, 1, 0), local.shape)) ** 1.6
    return sun, opened


def _draw_car(car: Car, directions: Array, color: Array, distance: Array) -> None:
    """Put one car into the picture where it is nearer than what is there; changes colour and distance."""
    origins = np.broadcast_to(camera.EYE, directions.shape)
    begin, end = _span(car, origins, directions)
    where = np.flatnonzero(end > 0)
    if not where.size:
        return
    eye = car.to_local(camera.EYE[None])
    local = car.turn_to_local(directions[where])
    hit = march(car.distance, np.broadcast_to(eye, local.shape), local, (begin[where], end[where]))
    seen = hit < distance[where]
    where, hit, local = where[seen], hit[seen], local[seen]
    if not where.size:
        return
    points = eye + local * hit[:, None]
    normals = gradient(car.distance, points)
    sun = light_reaching(
        car.distance, points + normals * np.asarray(0.02, np.float32), car.turn_to_local(SUN), 2.5, 0.03
    )
    surface = car.surface(points, normals)
    world = car.turn_to_world(normals)
    low = np.clip(0.55 + 0.45 * points[:, 1] / 0.6, 0, 1)
    opened = openness(car.distance, points, normals) * np.where(normals[:, 1] < 0.2, low, 1)
    color[where] = street.far_away(shade(surface, world, directions[where], sun, opened.astype(np.float32)), hit)
    distance[where] = hit


def _draw_rays(cars: Sequence[Car], directions: Array) -> tuple[Array, Array]:
    """Light and distance along rays (rows, columns, 3)."""
    color, distance = sky(directions), np.full(directions.shape[:-1], np.inf, np.float32)
    shadows = partial(_ground_shadows, cars)
    for part in (street.houses(camera.EYE, directions), street.ground(camera.EYE, directions, shadows)):
        nearer = part[1] < distance
        color[nearer], distance[nearer] = part[0][nearer], part[1][nearer]
    street.plant_trees(camera.EYE, directions, color, distance)
    flat_color, flat_distance = color.reshape(-1, 3), distance.reshape(-1)
    for car in cars:
        _draw_car(car, directions.reshape(-1, 3), flat_color, flat_distance)
    return color, distance


def draw(scale: float = 1.0, samples: int = 2, scene: str = "street") -> NDArray[np.uint8]:
    """A scene as RGB (720 * scale, 1280 * scale, 3), each pixel the mean of samples * samples rays."""
    rows = round(camera.HEIGHT * scale)
    lights, nearness = [], []
    for first in range(0, rows, BAND):
        color, distance = _draw_rays(SCENES[scene], camera.rays(first, min(first + BAND, rows), scale, samples))
        lights.append(camera.average(color, samples))
        nearness.append(camera.average(1 / distance, samples))
    return camera.develop(np.concatenate(lights), np.concatenate(nearness), scale)


def main() -> None:
    scene = sys.argv[1] if len(sys.argv) > 1 else "street"
    if scene not in SCENES:
        raise SystemExit(f"there is no scene {scene!r}; the scenes are {', '.join(SCENES)}")
    output = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name(f"{scene}.jpg")
    output.write_bytes(simplejpeg.encode_jpeg(draw(scene=scene), quality=88, colorsubsampling="420"))


if __name__ == "__main__":
    main()
