"""How long photos take, one by one and by the folder, and how much memory."""

from __future__ import annotations

import struct
import time
import zlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import Inputs
from benchmarks.processes import Peak, in_child
from benchmarks.report import Claim, Figure, Part, median, p95

_PHOTO, _STEP = Claim("below", 250), Claim("below", 10)
_FOLDER = Claim("at least", 100)
_SIZE = (1280, 960)
_LARGE = (4000, 3000)
_LARGE_PHOTOS = 12
_SIDE = 60_000


def one_photo(name: str, repeats: int) -> dict[str, Any]:
    """Milliseconds from the bytes of a JPEG with one face to the photo with its points drawn, of
    the time that the model takes within, and of processor time; every photo another one, the
    first few left out."""
    from fkd.inference.decode import decode
    from fkd.inference.drawing import annotated

    pipeline = _pipeline()
    spent = worked = 0.0

    def timed(crops: Any) -> Any:
        nonlocal spent, worked
        start, taken = time.perf_counter(), time.process_time()
        points = pipeline.predict(crops)
        spent += time.perf_counter() - start
        worked += time.process_time() - taken
        return points

    watched = replace(pipeline, predict=timed)
    found: dict[str, list[float]] = {"photo": [], "model": []}
    found |= {"photo_processor": [], "model_processor": [], "faces": []}
    for number in range(repeats + 3):
        data = jpeg(name, number, _SIZE)
        spent, worked, start, taken = 0.0, 0.0, time.perf_counter(), time.process_time()
        photo = decode(data, "photo.jpg")
        faces = watched(photo)
        annotated(photo.color, faces)
        if number >= 3:
            found["photo"].append(1e3 * (time.perf_counter() - start))
            found["model"].append(1e3 * spent)
            found["photo_processor"].append(1e3 * (time.process_time() - taken))
            found["model_processor"].append(1e3 * worked)
            found["faces"].append(len(faces))
    return found


def folder(name: str, images: int, repeats: int) -> dict[str, Any]:
    """Images of the dataset a second, from PNG files in a folder to points; memory on top of what
    the model takes."""
    import tempfile

    import cv2

    from fkd.inference.photos import predict_photos
    from fkd.inference.sources import from_paths
    from fkd.registry import open_named

    dataset, pipeline, paces = open_named(name), _pipeline(), []
    with tempfile.TemporaryDirectory(prefix="fkd-photos-") as place:
        for number in range(images):
            image = np.asarray(dataset.images[number % len(dataset)])
            cv2.imwrite(str(Path(place) / f"{number:04}.png"), image)
        for _ in range(repeats):
            start = time.perf_counter()
            done = sum(len(result.faces) for _, result in _each(pipeline, place))
            paces.append(done / (time.perf_counter() - start))
    with tempfile.TemporaryDirectory(prefix="fkd-photos-") as place:
        for number in range(_LARGE_PHOTOS):
            (Path(place) / f"{number}.jpg").write_bytes(jpeg(name, number, _LARGE))
        peak = Peak()
        for _ in predict_photos(pipeline, from_paths([Path(place)])):
            pass
        return {"paces": paces, "large": peak.above_base()}


def refusal() -> dict[str, Any]:
    """What it takes to refuse a PNG of a few kilobytes that would have 3.6 billion pixels."""
    from fkd.errors import UserError
    from fkd.inference.decode import decode

    data = huge_png(_SIDE)
    with suppress(UserError):
        decode(data, "warm.png")  # so that Pillow's plugins are imported
    peak, start = Peak(), time.perf_counter()
    try:
        decode(data, "huge.png")
    except UserError as error:
        ms = 1e3 * (time.perf_counter() - start)
        return {"said": str(error), "memory": peak.above_base(), "bytes": len(data), "ms": ms}
    raise RuntimeError("a picture of 3.6 billion pixels was decoded")


def huge_png(side: int) -> bytes:
    """A valid PNG of a few kilobytes that announces ``side`` x ``side`` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = (
        chunk(b"IHDR", header),
        chunk(b"IDAT", zlib.compress(bytes(1 << 20))),
        chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _pipeline() -> Any:
    from fkd.inference.loading import open_pipeline
    from fkd.models.sources import BUNDLED, trained_model

    return open_pipeline(trained_model(BUNDLED))


def _each(pipeline: Any, place: str) -> Any:
    from fkd.inference.photos import predict_photos
    from fkd.inference.sources import from_paths

    return predict_photos(pipeline, from_paths([Path(place)]))


def jpeg(name: str, number: int, size: tuple[int, int]) -> bytes:
    """The bytes of a photo with one upright face of the dataset."""
    import cv2

    from benchmarks.scenes import scene
    from fkd.registry import open_named

    dataset = open_named(name)
    at = number * 7 % len(dataset)
    points = dataset.keypoints[at].astype(float)
    photo = scene(dataset.images[at], points, 0, np.random.default_rng(number), size).photo
    return bytes(cv2.imencode(".jpg", photo.color, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())


def run(inputs: Inputs) -> Part:
    """Measure with drawn faces: what they show does not change the time."""
    home, sizes = inputs.demo_home, inputs.sizes
    one = in_child("benchmarks.speed:one_photo", home, name="demo", repeats=8 * sizes.rounds)
    many = in_child(
        "benchmarks.speed:folder", home, name="demo", images=sizes.photos, repeats=sizes.rounds
    )
    refused = in_child("benchmarks.speed:refusal", home)
    figures = [
        Figure("1280x960 photo, decoded to drawn, median", median(one["photo"]), "ms", _PHOTO),
        Figure("the same, 95th percentile", p95(one["photo"]), "ms"),
        Figure("its processor time, of all cores, median", median(one["photo_processor"]), "ms"),
        Figure("keypoint step of it, median", median(one["model"]), "ms", _STEP),
        Figure("processor time of that step, median", median(one["model_processor"]), "ms"),
        Figure(f"folder of {sizes.photos} dataset images", median(many["paces"]), "/s", _FOLDER),
        Figure(
            f"memory of {_LARGE_PHOTOS} photos of 12 million pixels on top of the model's",
            many["large"] / 1e6,
            "MB",
        ),
        Figure("memory of refusing a 60,000x60,000 PNG", refused["memory"] / 1e6, "MB"),
        Figure("time of refusing it", refused["ms"], "ms"),
    ]
    notes = [
        "Photos are JPEG, every one another, one upright face each. The folder's pace is from "
        f"files to points, median of {sizes.rounds}; the PNG has {refused['bytes']:,} bytes.",
    ]
    return Part("speed", figures, notes, {"one": one, "many": many, "refused": refused})
