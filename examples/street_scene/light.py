"""Sun, sky and what they make of a surface. Colours are linear; 1 is about the white of a sunlit wall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from street_scene.fields import Array, Color, dot, mix, noise, normalise, ramp, vector

SUN = normalise(vector(-0.52, 0.62, -0.58))
SUN_LIGHT = vector(2.35, 2.2, 1.95)
SKY_LIGHT = vector(0.62, 0.74, 0.92)
GROUND_LIGHT = vector(0.30, 0.28, 0.26)
HAZE: Color = (0.80, 0.85, 0.91)


@dataclass(frozen=True)
class Surface:
    """What points are made of: colour (n, 3); coat (share of a clear lacquer's reflection), metal, glow (n,)."""

    color: Array
    coat: Array
    metal: Array
    glow: Array


def sky(directions: Array) -> Array:
    """The sky's colour in a direction, with high thin clouds."""
    up = np.clip(directions[..., 1], 0.0, 1.0)
    color = mix((0.86, 0.92, 1.0), (0.26, 0.46, 0.86), np.sqrt(up))
    u = directions[..., 0] / (up + 0.12)
    v = directions[..., 2] / (up + 0.12)
    veil = noise(u, v, 0.006, seed=5, roughness=0.35)
    return mix(color, (1.05, 1.05, 1.06), 0.85 * ramp(0.0, 1.9, veil))


def surroundings(directions: Array) -> Array:
    """What a mirror would show in a direction: sky, a soft line of houses and trees, the road."""
    azimuth = np.arctan2(directions[..., 0], directions[..., 2])
    up = directions[..., 1]
    line = 0.17 + 0.05 * noise(azimuth, np.zeros_like(azimuth), 0.006, seed=7, roughness=0.6)
    houses = mix((0.30, 0.27, 0.24), (0.16, 0.19, 0.13), ramp(-0.6, 0.6, noise(azimuth, up, 0.004, seed=8)))
    road = mix((0.32, 0.31, 0.30), (0.17, 0.17, 0.175), ramp(0.0, -0.5, up))
    below = mix(road, houses, ramp(-0.03, 0.01, up))
    return mix(below, sky(directions), ramp(-0.03, 0.03, up - line))


def shade(surface: Surface, normals: Array, view: Array, sun: Array, open_share: Array) -> Array:
    """Light towards the eye from points: ``view`` goes from the eye to them, ``sun`` is the sun's share there."""
    facing = np.clip(dot(normals, np.broadcast_to(SUN, normals.shape)), 0, 1) * sun
    up = 0.5 + 0.5 * normals[..., 1]
    ambient = (SKY_LIGHT * up[..., None] + GROUND_LIGHT * (1 - up)[..., None]) * open_share[..., None]
    light = SUN_LIGHT * facing[..., None] + ambient
    color = surface.color * light * (1 - surface.metal)[..., None] * np.asarray(0.62, np.float32)
    mirrored = view - 2 * dot(view, normals)[..., None] * normals
    shown = surroundings(mirrored) * (0.35 + 0.65 * open_share)[..., None]
    glint = np.clip(dot(mirrored, np.broadcast_to(SUN, normals.shape)), 0, 1)
    shown = shown + SUN_LIGHT * ((6 * glint**700 + 0.35 * glint**40) * sun)[..., None]
    edge = (1 - np.clip(-dot(view, normals), 0, 1)) ** 5
    color = color + shown * (surface.coat * (0.045 + 0.955 * edge))[..., None]
    color = color + shown * surface.color * surface.metal[..., None]
    return (color + surface.color * surface.glow[..., None] * 2.5).astype(np.float32)
