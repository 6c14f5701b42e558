"""Faces from seeds: draws a person, lights and photographs it, and reads off the keypoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KAGGLE_15
from fkd.synthetic import anatomy, features, hair, light, painting, pose, relief, scene
from fkd.synthetic.camera import photograph
from fkd.synthetic.canvas import Floats, Image8, enlarge, mix

_NO_MAP = np.empty(0, np.float32)
"""For ``cv2.remap``: both coordinates are in its first map."""

_SQUARE = np.ones((3, 3), np.uint8)

_Touch = Callable[[Image8, dict[str, NDArray[np.float32]]], None]


def _keypoints(points: dict[str, NDArray[np.float32]], z: Floats, held: pose.Pose) -> Floats:
    """``(K, 2)`` px of the schema's points on the relief."""
    uv = np.stack([points[name] for name in KAGGLE_15.names])
    solid = np.concatenate([uv, pose.heights_at(z, uv)[:, None]], axis=1)
    return held.project(solid).astype(np.float32)


def _look(image: NDArray[Any], where: Floats) -> NDArray[Any]:
    return np.asarray(cv2.remap(image, where, _NO_MAP, cv2.INTER_LINEAR))


def _render(
    seed: int, index: int, touch: _Touch | None = None, clean: bool = False
) -> tuple[Image8, Floats]:
    """A face; ``touch`` may draw on the pigment, ``clean`` leaves the camera's faults out."""
    rng = np.random.default_rng([seed, index])
    shape = KAGGLE_15.image_size
    face = anatomy.draw_face(rng)
    located = features.locate(face)
    points = located.landmarks()

    shock = hair.hair_mask(face, rng)
    z = relief.build(face, located, shock)
    turned = pose.draw_rotation(rng)
    eyes = np.stack([points["left_eye_center"], points["right_eye_center"]])
    eyes3 = np.concatenate([eyes, pose.heights_at(z, eyes)[:, None]], axis=1)
    held = pose.place(turned, eyes3, shape, rng)
    lit = light.draw_light(rng)

    pigment = painting.paint(face, located, rng)
    beard = hair.beard_mask(face, located, rng)
    if beard is not None:
        mix(pigment, 0.9 * face.hair_tone, beard)
    covering = enlarge(shock)
    mix(pigment, hair.hair_tone(face, rng), covering)
    if touch is not None:
        touch(pigment, points)
    head = cv2.max(painting.head_mask(face, located), covering)

    where, missed = pose.trace(z, held, shape)
    fine = where * np.float32(2) + np.float32(0.5)
    color = _look(pigment, fine)
    bright = _look(light.shade(z, lit, turned), where)
    lit_face = color * bright[..., 0] + 255 * bright[..., 1]
    # Half a pixel inside the silhouette, where the surface is seen at a grazing angle.
    hit = np.maximum(1 - cv2.GaussianBlur(cv2.dilate(missed, _SQUARE), (5, 5), 1), 0)
    opacity = _look(head, fine) * np.float32(1 / 255) * hit

    backdrop = scene.background(shape, rng)
    scene.body(backdrop, face, held, lit, rng)
    picture = backdrop.astype(np.float32)
    picture += opacity * (lit_face - picture)
    scene.glasses(picture, face, held, rng)
    keypoints = _keypoints(points, z, held)
    if clean:
        return np.asarray(cv2.convertScaleAbs(picture), np.uint8), keypoints
    return photograph(picture, rng), keypoints


def render_face(seed: int, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """One face of the demo, fully determined by ``(seed, index)``.

    Returns:
        the image ``(H, W)`` uint8, and the keypoints ``(K, 2)`` float32 of ``KAGGLE_15`` in px.
    """
    return _render(seed, index)


def render_faces(
    seed: int, start: int, count: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The faces ``start`` to ``start + count - 1``: ``(count, H, W)`` uint8 and ``(count, K, 2)``
    float32 in px, the same whatever the blocks they are asked for in."""
    images = np.empty((count, *KAGGLE_15.image_size), np.uint8)
    keypoints = np.empty((count, len(KAGGLE_15), 2), np.float32)
    for row in range(count):
        images[row], keypoints[row] = render_face(seed, start + row)
    return images, keypoints
