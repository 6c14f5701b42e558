"""Drawing many faces on all processors: worker processes, blocks in order, bounded memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KAGGLE_15
from fkd.settings import PACKAGE
from fkd.synthetic.render import render_faces

BLOCK = 64
"""Faces that are drawn and handed over at once."""

_WORTHWHILE = 4 * BLOCK
"""Faces below which starting processes takes longer than it saves."""

Faces = tuple[NDArray[np.uint8], NDArray[np.float32]]


def render_blocks(seed: int, start: int, count: int) -> Iterator[Faces]:
    """The faces ``start`` to ``start + count`` in blocks of at most ``BLOCK``, in order: images
    ``(n, H, W)`` and exact keypoints ``(n, K, 2)``; the same as ``render_faces`` gives.

    Raises:
        RuntimeError: if a worker process dies.
    """
    workers = os.cpu_count() or 1
    if workers == 1 or count < _WORTHWHILE:
        for offset in range(0, count, BLOCK):
            yield render_faces(seed, start + offset, min(BLOCK, count - offset))
        return
    processes = [_start(seed, start, count, workers, first) for first in range(workers)]
    try:
        for number, offset in enumerate(range(0, count, BLOCK)):
            # A worker that is ahead waits in its pipe, so at most a block each is in memory.
            yield _read(processes[number % workers], min(BLOCK, count - offset))
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _start(seed: int, start: int, count: int, step: int, first: int) -> subprocess.Popen[bytes]:
    numbers = (seed, start, count, BLOCK, step, first)
    return subprocess.Popen(
        # Not multiprocessing: it would run a Streamlit script again in each of its children.
        [sys.executable, "-m", "fkd.synthetic.worker", *map(str, numbers)],
        stdout=subprocess.PIPE,
        cwd=PACKAGE.parent,
        # A worker is one thread, or the workers would get into each other's way.
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )


def _read(process: subprocess.Popen[bytes], count: int) -> Faces:
    assert process.stdout is not None
    shape = (count, *KAGGLE_15.image_size)
    images = np.frombuffer(_exactly(process.stdout, int(np.prod(shape))), np.uint8)
    points = (count, len(KAGGLE_15), 2)
    keypoints = np.frombuffer(_exactly(process.stdout, 4 * int(np.prod(points))), np.float32)
    return images.reshape(shape), keypoints.reshape(points)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise RuntimeError("a process that draws faces died")
    return data
