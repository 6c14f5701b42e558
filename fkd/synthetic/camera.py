"""From the lit scene to the grey picture: exposure, blur, noise and compression."""

from __future__ import annotations

import cv2
import numpy as np

from fkd.synthetic.canvas import Floats, Image8
from fkd.synthetic.textures import MIDDLE, SPREAD, cut


def _expose(scene: Floats, rng: np.random.Generator) -> Floats:
    """Contrast and brightness as measured on press photographs, with a soft shoulder."""
    mean, spread = cv2.meanStdDev(scene)
    level = float(np.clip(rng.normal(105, 27), 45, 185))
    contrast = float(np.clip(rng.normal(43, 11), 25, 72))
    gain = float(np.clip(contrast / max(float(spread[0, 0]), 1.0), 0.4, 2.3))
    return np.asarray(scene * np.float32(gain) + np.float32(level - gain * float(mean[0, 0])))


def _motion_kernel(length: float, angle: float) -> Floats:
    side = 2 * int(np.ceil(length)) + 1
    kernel = np.zeros((side, side), np.uint8)
    middle = side // 2
    dx, dy = length / 2 * np.cos(angle), length / 2 * np.sin(angle)
    ends = [round((middle + s * d) * 16) for s in (-1, 1) for d in (dx, dy)]
    cv2.line(kernel, ends[:2], ends[2:], 255, 1, cv2.LINE_AA, 4)
    return kernel.astype(np.float32) / max(float(kernel.sum()), 1.0)


def _blur(picture: Floats, rng: np.random.Generator) -> Floats:
    kind = rng.random()
    if kind < 0.25:
        # Enlarged from a smaller crop, as most of the dataset's sources were.
        height, width = picture.shape
        share = rng.uniform(0.42, 0.8)
        small = cv2.resize(
            picture, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA
        )
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))
    if kind < 0.33:
        kernel = _motion_kernel(rng.uniform(2, 5), rng.uniform(0, np.pi))
        return np.asarray(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REPLICATE))
    if kind < 0.62:
        return np.asarray(cv2.GaussianBlur(picture, (7, 7), rng.uniform(0.3, 1.1)))
    if kind < 0.85:
        soft = cv2.GaussianBlur(picture, (5, 5), 1.0)
        return np.asarray(picture + np.float32(rng.uniform(0.3, 0.9)) * (picture - soft))
    return picture


def _grain(picture: Floats, rng: np.random.Generator) -> None:
    strength = min(float(rng.gamma(1.5, 1.2)), 7.0)
    noise = cut("grain", picture.shape, rng).astype(np.float32)
    noise -= MIDDLE
    if rng.random() < 0.5:
        noise = cv2.GaussianBlur(noise, (3, 3), 0.7) * np.float32(1.6)
    picture += np.float32(strength / SPREAD) * noise


def photograph(scene: Floats, rng: np.random.Generator) -> Image8:
    """The picture ``(H, W)`` uint8 of a scene in linear-looking grey values (about 0 to 255)."""
    picture = _blur(_expose(scene, rng), rng)
    _grain(picture, rng)
    image = np.asarray(cv2.convertScaleAbs(np.maximum(picture, 0)), np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(28, 85))
        _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return image
