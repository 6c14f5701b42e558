"""Faces drawn by several processes are the same faces in the same order."""

import numpy as np
import pytest

from fkd.synthetic import render_faces
from fkd.synthetic.parallel import BLOCK, render_blocks


@pytest.mark.parametrize("count", [1, BLOCK + 3, 5 * BLOCK + 1])
def test_the_same_as_in_one_process(count):
    blocks = list(render_blocks(seed=4, start=7, count=count))
    images = np.concatenate([b[0] for b in blocks])
    keypoints = np.concatenate([b[1] for b in blocks])
    assert len(images) == count
    some = [0, count // 2, count - 1]
    for i in some:
        image, points = render_faces(4, 7 + i, 1)
        np.testing.assert_array_equal(images[i], image[0])
        np.testing.assert_array_equal(keypoints[i], points[0])


def test_a_consumer_that_stops_early_ends_the_processes(capfd):
    blocks = render_blocks(seed=0, start=0, count=50 * BLOCK)
    next(blocks)
    blocks.close()
    assert capfd.readouterr().err == ""
