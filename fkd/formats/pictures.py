"""The faces as image files, and back."""

from __future__ import annotations

import io
import tempfile
import warnings

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fkd.errors import UserError
from fkd.inference.decode import FORMATS, decode
from fkd.keypoints import KeypointSchema


def png(image: NDArray[np.uint8]) -> bytes:
    """The grey ``image`` uint8 ``(H, W)`` as a PNG file, without loss."""
    return bytes(cv2.imencode(".png", np.ascontiguousarray(image))[1].data)


def read_face(data: bytes, name: str, schema: KeypointSchema) -> NDArray[np.uint8]:
    """The image file ``data`` as a face of the schema's size, grey uint8 ``(H, W)``.

    Raises:
        UserError: if it is no image or damaged, or has another size.
    """
    _check_size(data, name, schema)  # first: hostile files say large sizes in few bytes
    face = decode(data, name).gray
    if face.shape != schema.image_size:  # turned by its EXIF data
        raise _other_size(name, face.shape[1], face.shape[0], schema)
    return face


def _check_size(data: bytes, name: str, schema: KeypointSchema) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
        except Exception:  # Pillow raises whatever it likes; ``decode`` has the words
            return
    if width * height != schema.pixels:
        raise _other_size(name, width, height, schema)


def _other_size(name: str, width: int, height: int, schema: KeypointSchema) -> UserError:
    return UserError(
        f"{name} is {width} x {height} px, but {schema.name} has {schema.width} x "
        f"{schema.height} px: crop and scale the faces, and their labels with them, to that size."
    )


class Spool:
    """Faces that are collected on disk, in a file without a name that goes with the last array
    of it: as many as there are take no memory."""

    def __init__(self, schema: KeypointSchema) -> None:
        self._schema = schema
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._count = 0

    def append(self, images: NDArray[np.uint8]) -> None:
        """Add ``images`` uint8 ``(n, H, W)``."""
        self._file.write(np.ascontiguousarray(images).data)
        self._count += len(images)

    def finish(self) -> NDArray[np.uint8]:
        """All that were added, uint8 ``(N, H, W)``, mapped."""
        self._file.flush()
        shape = (self._count, *self._schema.image_size)
        if not self._count:
            return np.empty(shape, np.uint8)
        return np.memmap(self._file, np.uint8, "r", shape=shape)
