import cv2
import numpy as np
from statistics_helper import pictures

from fkd.statistics.quality import image_quality, odd_images, robust_z


def test_brightness_and_contrast():
    images = pictures(3)
    quality = image_quality(images)
    np.testing.assert_allclose(quality.brightness, images.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(quality.contrast, images.std(axis=(1, 2)), rtol=1e-5)
    assert quality.sharpness.dtype == np.float32


def test_sharpness_falls_with_blur_but_not_with_contrast():
    sharp = np.random.default_rng(0).integers(0, 255, (96, 96)).astype(np.uint8)
    sharp = cv2.GaussianBlur(sharp, (0, 0), 1)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 2)
    dull = (100 + sharp * 0.5).astype(np.uint8)
    values = image_quality(np.stack([sharp, blurred, dull])).sharpness
    assert values[1] < values[0] - 0.5
    assert abs(values[2] - values[0]) < 0.1


def test_odd_images_are_told_apart():
    rng = np.random.default_rng(0)
    images = rng.integers(30, 220, (40, 32, 32)).astype(np.uint8)
    images[0] //= 12
    images[1] = 235 + images[1] // 12
    images[2] = 120 + images[2] // 100
    images[3] = cv2.GaussianBlur(images[3], (0, 0), 6)
    images[3] = cv2.normalize(images[3], None, 30, 220, cv2.NORM_MINMAX)
    odd = odd_images(image_quality(images))
    assert np.flatnonzero(odd.too_dark).tolist() == [0]
    assert np.flatnonzero(odd.too_bright).tolist() == [1]
    assert odd.flat[2]
    assert odd.blurred[3]
    assert not odd.any[4:].any()


def test_more_images_than_a_chunk_are_all_measured():
    images = np.repeat(pictures(2, side=16), 1100, axis=0)
    calls = []
    quality = image_quality(images, lambda *call: calls.append(call))
    assert len(np.unique(quality.brightness)) == 2
    assert calls[-1] == ("measuring images", 2200, 2200)


def test_robust_z():
    assert robust_z(np.array([]), 1.0).shape == (0,)
    assert robust_z(np.array([3.0, 3.0, 3.0, 9.0]), 2.0).tolist() == [0, 0, 0, 3]
    values = np.random.default_rng(0).normal(5, 4, 5000)
    np.testing.assert_allclose(robust_z(values, 0.1), (values - 5) / 4, atol=0.25)
