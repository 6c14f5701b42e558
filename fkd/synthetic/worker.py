"""A process that draws a share of the faces for ``parallel``."""

from __future__ import annotations

import sys

import cv2

from fkd.synthetic.render import render_faces


def main(arguments: list[str]) -> None:
    """Draw every ``step``-th block and write its images and keypoints to stdout as raw bytes.

    Arguments: seed, first face, number of faces, faces per block, step, first block.
    """
    seed, start, count, block, step, first = map(int, arguments)
    cv2.setNumThreads(1)  # there is a process for each processor already
    for offset in range(first * block, count, step * block):
        images, keypoints = render_faces(seed, start + offset, min(block, count - offset))
        sys.stdout.buffer.write(images.tobytes())
        sys.stdout.buffer.write(keypoints.tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
