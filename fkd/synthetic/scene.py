"""What is around the face: background, neck and clothes; and glasses on it."""

from __future__ import annotations

import cv2
import numpy as np

from fkd.synthetic.anatomy import Face
from fkd.synthetic.canvas import SHIFT, Floats, Image8
from fkd.synthetic.pose import Pose
from fkd.synthetic.textures import cut


def background(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """``(H, W)`` grey values: a gradient with blurred shapes and some texture."""
    height, width = shape
    level = float(np.clip(rng.gamma(1.1, 70), 3, 245))
    image = np.full(shape, np.uint8(level))
    for _ in range(int(rng.integers(0, 7))):
        value = float(np.clip(level + rng.normal(0, 50), 0, 255))
        x, y = (rng.uniform(-0.1, 1.1, 2) * (width, height)).astype(int)
        w, h = (rng.uniform(0.1, 0.6, 2) * (width, height)).astype(int)
        if rng.random() < 0.6:
            cv2.rectangle(image, (int(x), int(y)), (int(x + w), int(y + h)), value, -1)
        else:
            cv2.circle(image, (int(x), int(y)), int(w // 2), value, -1)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.8, 6))
    scene = image.astype(np.float32)
    gx, gy = rng.normal(0, 18, 2).astype(np.float32)
    scene += np.linspace(-gx, gx, width, dtype=np.float32)
    scene += np.linspace(-gy, gy, height, dtype=np.float32)[:, None]
    scene += np.float32(rng.uniform(0, 7)) * cut("blotch", shape, rng)
    return scene


def _polygon(shape: tuple[int, int], points: np.ndarray) -> Image8:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(points * (1 << SHIFT)).astype(np.int32)], 255, cv2.LINE_AA, SHIFT)
    return mask


def body(scene: Floats, face: Face, pose: Pose, dim: float, rng: np.random.Generator) -> None:
    """Paint neck, shoulders and collar into ``scene``; ``dim`` is the light on the neck."""
    shape = scene.shape
    neck = (0.74 - 0.1 * face.feminine) * face.width
    foot = pose.project(np.array([[0, face.chin_v - 0.05, -0.7]]))[0]
    s = pose.scale
    throat = [(-neck, -1.2), (neck, -1.2), (neck, 0.2), (1.6, 0.9), (-1.6, 0.9), (-neck, 0.2)]
    skin = face.tone * dim * (1 + np.float32(rng.uniform(-0.35, 0.35)) * _ramp(shape, foot[0], s))
    _lay(scene, _polygon(shape, foot + np.array(throat) * s), skin)
    cloth = float(np.clip(rng.choice([22, 50, 130, 225]) + rng.normal(0, 12), 5, 250))
    fabric = cloth + (2 + 0.06 * cloth) * cut("blotch", shape, rng)
    high = rng.uniform(-0.12, 0.22)
    vee = high + rng.uniform(0.05, 0.8)
    coat = [
        (-3, 1.4), (-2.2, high + 0.4), (-neck - 0.12, high), (0, vee),
        (neck + 0.12, high), (2.2, high + 0.4), (3, 1.4),
    ]  # fmt: skip
    if rng.random() < 0.45:
        # A shirt's collar under the jacket.
        shirt = [(-neck - 0.15, high - 0.1), (0, vee), (neck + 0.15, high - 0.1), (0.5, 2.2), (-0.5, 2.2)]
        _lay(scene, _polygon(shape, foot + np.array(shirt) * s), np.float32(rng.uniform(160, 245)))
    _lay(scene, _polygon(shape, foot + np.array(coat) * s), fabric)


def _ramp(shape: tuple[int, int], middle: float, half: float) -> Floats:
    """A row from -1 to 1 across ``middle`` plus and minus ``half`` px."""
    x = np.arange(shape[1], dtype=np.float32)
    return np.clip((x - np.float32(middle)) / np.float32(half), -1, 1)


def _lay(scene: Floats, mask: Image8, color: Floats | np.float32) -> None:
    scene += mask * np.float32(1 / 255) * (color - scene)


def glasses(scene: Floats, face: Face, pose: Pose, rng: np.random.Generator) -> None:
    """Draw spectacles over the lit face."""
    if not face.glasses:
        return
    half = np.array([rng.uniform(0.3, 0.36), rng.uniform(0.19, 0.28)])
    power = rng.uniform(1.6, 4)
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.stack([np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power), np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power)], -1)
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
    tone = float(rng.choice([18, 45, 170], p=[0.6, 0.25, 0.15]))
    scene += small * np.float32(0.9 / 255) * (np.float32(tone) - scene)
