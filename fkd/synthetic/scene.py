"""What is around the face: background, neck and clothes; and glasses on it."""

from __future__ import annotations

import cv2
import numpy as np

from fkd.synthetic.anatomy import Face, pick
from fkd.synthetic.canvas import SHIFT, Floats, Image8, soften
from fkd.synthetic.light import Light
from fkd.synthetic.pose import Pose
from fkd.synthetic.textures import cut, varied


def background(shape: tuple[int, int], rng: np.random.Generator) -> Image8:
    """``(H, W)`` uint8: a gradient with blurred shapes and some texture."""
    level = min(3 + float(rng.gamma(1.1, 70)), 245)
    # Half the size is enough for shapes that are out of focus.
    height, width = shape[0] // 2, shape[1] // 2
    image = np.full((height, width), np.uint8(level))
    shapes = rng.random((int(rng.integers(0, 7)), 5))
    for value, (x, y, w, h, kind) in zip(rng.normal(level, 50, len(shapes)), shapes, strict=True):
        tone = min(max(float(value), 0), 255)
        left, top = int((1.2 * x - 0.1) * width), int((1.2 * y - 0.1) * height)
        if kind < 0.6:
            corner = (left + int((0.1 + 0.5 * w) * width), top + int((0.1 + 0.5 * h) * height))
            cv2.rectangle(image, (left, top), corner, tone, -1)
        else:
            cv2.circle(image, (left, top), int((0.05 + 0.25 * w) * width), tone, -1)
    image = soften(image, rng.uniform(0.3, 3))
    # Four corners make gradients in any direction.
    corners = rng.normal(0, 22, (2, 2)).astype(np.float32)
    slope = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    pattern = varied(cut("blotch", (height, width), rng), 64, rng.uniform(0, 6))
    lit = cv2.convertScaleAbs(np.maximum(image + (pattern + (slope - 64)), 0))
    return np.asarray(cv2.resize(lit, shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def body(scene: Image8, face: Face, pose: Pose, light: Light, rng: np.random.Generator) -> None:
    """Paint the hair behind the neck, the neck, the shoulders and clothes into ``scene``."""
    neck = (0.74 - 0.1 * face.feminine) * face.width
    foot = pose.project(np.array([[0, face.chin_v - 0.05, -0.7]]))[0]
    dim = 0.25 + 0.5 * light.ambient

    def cover(outline: list[tuple[float, float]], tone: float) -> None:
        points = (foot + np.array(outline) * pose.scale) * (1 << SHIFT)
        cv2.fillPoly(scene, [np.rint(points).astype(np.int32)], tone, cv2.LINE_AA, SHIFT)

    if face.hair in ("long", "bob"):
        w = face.width + 0.05
        end = 1.5 if face.hair == "long" else 0.1
        locks = [(-0.7 * w, -3), (0.7 * w, -3), (w, -2), (w + 0.1, end - 0.3), (0.7 * w, end)]
        locks += [(-0.7 * w, end), (-w - 0.1, end - 0.3), (-w, -2)]
        cover(locks, 0.6 * face.hair_tone * (0.4 + dim))
    tone = face.tone * (dim + 0.12)
    cover([(-neck, -0.6), (neck, -0.6), (neck, 0.2), (1.6, 0.9), (-1.6, 0.9), (-neck, 0.2)], tone)
    # The side of the neck away from the light, and the shadow of the chin.
    far = -neck if light.key[0] > 0 else neck
    cover([(far, -0.6), (0.35 * far, -0.6), (0.2 * far, 0.3), (far, 0.3)], 0.8 * tone)
    cover([(-neck, -0.6), (neck, -0.6), (neck, -0.12), (0, 0.12), (-neck, -0.12)], 0.62 * tone)

    cloth = pick(rng, {22: 1, 50: 1, 130: 1, 225: 1}) + float(rng.normal(0, 12))
    high = float(rng.uniform(-0.1, 0.25))
    deep = high + float(rng.uniform(0.05, 0.7))
    side = neck + 0.12
    if rng.random() < 0.45:
        # A shirt under the jacket, its collar closed by a notch.
        deep = high + float(rng.uniform(0.5, 0.9))
        shirt = [(-side, high - 0.02), (0, high + 0.3), (side, high - 0.02), (0.8, 2), (-0.8, 2)]
        cover(shirt, float(rng.uniform(150, 240)) * (0.6 + 0.4 * dim))
        if rng.random() < 0.5:
            tie = [(-0.1, high + 0.25), (0.1, high + 0.25), (0.15, 2), (-0.15, 2)]
            cover(tie, float(rng.uniform(15, 120)))
    coat = [(-3, 1.4), (-2.2, high + 0.4), (-side, high), (0, deep), (side, high)]
    cover([*coat, (2.2, high + 0.4), (3, 1.4)], min(max(cloth, 5), 245))
    cv2.GaussianBlur(scene, (3, 3), 0, dst=scene)


def glasses(scene: Floats, face: Face, pose: Pose, rng: np.random.Generator) -> None:
    """Draw spectacles over the lit face."""
    if not face.glasses:
        return
    half = np.array([rng.uniform(0.3, 0.36), rng.uniform(0.19, 0.28)])
    power = rng.uniform(1.6, 4)
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.stack(
        [
            np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power),
            np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power),
        ],
        -1,
    )
    big = 3
    mask = np.zeros((scene.shape[0] * big, scene.shape[1] * big), np.uint8)
    width = max(2, round((0.022 if face.glasses == "thin" else 0.06) * pose.scale * big))

    def draw(points: np.ndarray, closed: bool) -> None:
        flat = (pose.project(points) + 0.5) * big - 0.5
        fixed = np.rint(flat * (1 << SHIFT)).astype(np.int32)
        cv2.polylines(mask, [fixed], closed, 255, width, cv2.LINE_AA, SHIFT)

    for sign in (-1, 1):
        u = sign * 0.5 + rim[:, 0] * half[0]
        v = 0.03 + rim[:, 1] * half[1]
        draw(np.stack([u, v, 0.22 - 0.12 * u * u], -1), True)
        edge = sign * (0.5 + half[0])
        draw(np.array([(edge, -0.05, 0.1), (sign * 1.15 * face.width, -0.05, -0.9)]), False)
    bridge = 0.5 - half[0]
    draw(np.array([(-bridge, 0.0, 0.22), (0, -0.04, 0.26), (bridge, 0.0, 0.22)]), False)
    small = cv2.resize(mask, scene.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    tone = float(pick(rng, {18: 0.6, 45: 0.25, 170: 0.15}))
    scene += small * np.float32(0.9 / 255) * (np.float32(tone) - scene)
