import cv2
import numpy as np
import pytest
from statistics_helper import faces, pictures

from fkd.statistics.duplicates import find_duplicates
from fkd.statistics.registration import SAME_PICTURE, similarity


def affine(image, scale=1.0, angle=0.0, dx=0.0, dy=0.0):
    centre = (image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2
    matrix = cv2.getRotationMatrix2D(centre, angle, scale)
    matrix[:, 2] += dx, dy
    return cv2.warpAffine(image, matrix, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


def jpeg(image, quality):
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


CHANGES = {
    "brighter": lambda image: cv2.convertScaleAbs(image, alpha=1.05, beta=10),
    "duller": lambda image: cv2.convertScaleAbs(image, alpha=0.6, beta=30),
    "shifted": lambda image: affine(image, dx=1),
    "cropped": lambda image: affine(image, scale=1.03, dx=-1, dy=2),
    "turned": lambda image: affine(image, angle=2),
    "compressed": lambda image: jpeg(image, 30),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_same_picture_again_is_found(change):
    images = pictures(30)
    images[20] = change(images[4])
    found = find_duplicates(images)
    assert list(zip(found.a, found.b, strict=True)) == [(4, 20)]
    assert not found.exact[0]
    assert found.similarity[0] >= SAME_PICTURE
    assert np.flatnonzero(found.group >= 0).tolist() == [4, 20]


def test_different_pictures_are_no_duplicates():
    images = pictures(60)
    assert len(find_duplicates(images)) == 0
    assert (find_duplicates(images).group == -1).all()


def test_a_change_in_one_place_is_seen():
    image = pictures(1)[0]
    blink = image.copy()
    blink[30:44, 20:40] = 255 - blink[30:44, 20:40]
    assert similarity(image, image) == pytest.approx(1, abs=1e-3)
    assert similarity(image, blink) < SAME_PICTURE


def test_a_mirror_image_is_another_picture():
    image = pictures(1)[0]
    assert similarity(image, image[:, ::-1].copy()) < SAME_PICTURE


def test_exact_copies_within_and_across_training_and_test():
    images, test_images = pictures(10), pictures(5, seed=1)
    images[7] = images[2]
    test_images[3] = images[2]
    test_images[4] = test_images[0]
    found = find_duplicates(images, test_images)
    assert found.exact.all()
    assert sorted(zip(found.a, found.b, strict=True)) == [(2, 7), (2, 13), (10, 14)]
    assert (found.similarity == 1).all()
    assert found.group.tolist() == [-1, -1, 0, *[-1] * 4, 0, -1, -1, 1, -1, -1, 0, 1]
    assert found.group.dtype == np.int32


def test_a_near_copy_joins_the_group_of_the_exact_ones():
    images = pictures(10)
    images[5] = images[1]
    images[8] = CHANGES["shifted"](images[1])
    found = find_duplicates(images)
    assert list(zip(found.a, found.b, found.exact, strict=True)) == [(1, 5, True), (1, 8, False)]
    assert set(found.group[[1, 5, 8]]) == {0}


def test_label_distances_of_points_that_both_carry():
    images, test_images = pictures(6), pictures(2, seed=1)
    images[3] = images[0]
    images[5] = images[1]
    test_images[1] = images[2]
    keypoints = np.repeat(faces(1), 6, axis=0)
    keypoints[3, 0] += (3, 4)
    keypoints[3, 2:] = np.nan
    keypoints[5] = np.nan
    found = find_duplicates(images, test_images, keypoints)
    distance = dict(zip(zip(found.a, found.b, strict=True), found.label_distance, strict=True))
    largest = dict(zip(zip(found.a, found.b, strict=True), found.max_label_distance, strict=True))
    assert distance[0, 3] == pytest.approx(2.5)
    assert largest[0, 3] == pytest.approx(5)
    assert np.isnan(distance[1, 5])
    assert np.isnan(distance[2, 7])


def test_even_images_are_duplicates_only_if_equal():
    images = np.stack([np.full((96, 96), value, np.uint8) for value in (10, 10, 90)])
    found = find_duplicates(images)
    assert list(zip(found.a, found.b, strict=True)) == [(0, 1)]


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_images_to_compare(count):
    found = find_duplicates(pictures(count), keypoints=faces(count))
    assert len(found) == 0
    assert found.group.tolist() == [-1] * count


def test_many_copies_of_one_picture_make_one_group():
    images = pictures(40)
    for i in range(20):
        images[i] = cv2.convertScaleAbs(images[0], alpha=1, beta=i % 10 + (i // 10) * 0.5)
    found = find_duplicates(images)
    assert set(found.group[:20]) == {0}
    assert (found.group[20:] == -1).all()
