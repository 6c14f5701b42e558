"""Hostile photos, zips and tars: bounded in memory and time, for one and for all at once."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from inference_helper import bundled, drawn, photo_of
from PIL import Image

from fkd.errors import Cancelled, UserError
from fkd.formats import Report, open_table, read_training
from fkd.inference import costs, memory, photos
from fkd.inference.decode import decode
from fkd.inference.memory import Budget, Busy, keeping, telling
from fkd.inference.photos import predict_photos
from fkd.inference.sources import Source, from_paths, from_upload
from fkd.keypoints import KAGGLE_15
from fkd.zips import open_zip

ROOT = Path(__file__).resolve().parents[1]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def flat_png(side: int, color: int, bits: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of one colour in a few kB: PNG's kind ``color``, ``bits`` for each pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    depth = 1 if bits == 1 else 8
    rows = zlib.compress(bytes((side * bits + 7) // 8 + 1) * side, 9)
    head = struct.pack(">IIBBBBB", side, side, depth, color, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def palette_png(side: int = 7999) -> bytes:
    return flat_png(side, 3, 1, (b"PLTE", bytes([9, 8, 7, 1, 2, 3])), (b"tRNS", bytes([90, 200])))


MEASURED = """
import sys, threading
from pathlib import Path
from fkd.inference.decode import decode
from fkd.inference.kinds import shown
from fkd.inference.memory import keeping
import cv2
from PIL import Image
def peak(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024
data = Path(sys.argv[1]).read_bytes()
Image.init()
before = peak("VmRSS")
def one():
    with keeping(waits=True):
        decode(data, "a.png")
threads = [threading.Thread(target=one) for _ in range(int(sys.argv[2]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(peak("VmHWM") - before)
"""


def measured(data: bytes, at_once: int, place: Path) -> float:
    """MB that it takes to decode ``data`` ``at_once`` times, beyond what the process has."""
    (place / "data").write_bytes(data)
    command = [sys.executable, "-c", MEASURED, str(place / "data"), str(at_once)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


@linux
def test_a_palette_png_of_8_kb_takes_what_its_pixels_take(tmp_path):
    data = palette_png()
    assert len(data) < 10_000
    assert measured(data, 1, tmp_path) < 350


@linux
def test_a_tiff_of_floating_point_numbers_is_never_copied_whole(tmp_path):
    side = 7999
    levels = np.add.outer(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "TIFF", compression="tiff_adobe_deflate")
    assert measured(stream.getvalue(), 1, tmp_path) < 400


def test_a_tiff_in_one_strip_counts_what_the_strip_takes():
    """One whose picture has to be there twice may have fewer pixels."""
    stream = io.BytesIO()
    rows = {278: 400}
    Image.new("F", (400, 400)).save(stream, "TIFF", compression="tiff_adobe_deflate", tiffinfo=rows)
    image = Image.open(io.BytesIO(stream.getvalue()))
    assert 64_000_000 * costs.needs(image, stream.getvalue()) / 160_000 > costs.MAX_MEMORY
    stream = io.BytesIO()
    Image.new("RGB", (400, 400)).save(
        stream, "TIFF", compression="tiff_adobe_deflate", tiffinfo=rows
    )
    image = Image.open(io.BytesIO(stream.getvalue()))
    assert 64_000_000 * costs.needs(image, stream.getvalue()) / 160_000 < costs.MAX_MEMORY


@linux
@pytest.mark.slow
def test_of_twelve_at_once_some_wait(tmp_path):
    data = flat_png(7999, 6, 32)
    assert measured(data, 12, tmp_path) < 2000


@pytest.mark.parametrize(
    ("kind", "mode", "options", "most"),
    [
        ("WEBP", "RGB", {"method": 0}, 30),
        ("AVIF", "RGB", {"speed": 10}, 30),
        ("JPEG2000", "RGB", {}, 26),
        ("JPEG", "RGB", {"progressive": True, "subsampling": 0}, 50),
    ],
)
def test_kinds_whose_decoders_take_more_may_have_fewer_pixels(
    kind, mode, options, most, monkeypatch
):
    limit = costs.MAX_MEMORY
    stream = io.BytesIO()
    Image.new(mode, (400, 400)).save(stream, kind, **options)
    monkeypatch.setattr(costs, "MAX_MEMORY", 0)
    image = Image.open(io.BytesIO(stream.getvalue()))
    each = costs.needs(image, stream.getvalue()) / 160_000
    assert limit / 1e6 / each == pytest.approx(most, abs=1)
    from fkd.inference import decode as module

    monkeypatch.setattr(module, "MAX_MEMORY", 1 << 20)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(
        UserError, match=r"a.x was not read: decoding it would take \d MB of memory"
    ):
        decode(stream.getvalue(), "a.x")


def test_scans_that_change_nothing_are_not_decoded():
    stream = io.BytesIO()
    Image.new("RGB", (7000, 7000)).save(stream, "JPEG", progressive=True)
    whole = stream.getvalue()
    at = whole.rindex(b"\xff\xda")
    began = time.perf_counter()
    with pytest.raises(UserError, match="consists of 50 scans"):
        decode(
            whole[:at] + whole[at:-2] * (50 - whole.count(b"\xff\xda") + 1) + b"\xff\xd9", "a.jpg"
        )
    assert time.perf_counter() - began < 5


def test_large_bmps_in_runs_are_not_decoded():
    rows = b"\xff\0" * 1000 + b"\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, 6000, 6000, 1, 8, 1, len(rows), 0, 0, 256, 0)
    data = b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + 1024) + head + bytes(1024) + rows
    with pytest.raises(UserError, match="run-length encoded BMP may have at most 16 million"):
        decode(data, "a.bmp")


# ------------------------------------------------------------------ frames


def tiff(frames: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (30, 30), 77).save(stream, "TIFF")
    data = bytearray(stream.getvalue())
    at = struct.unpack_from("<I", data, 4)[0]
    end = at + 2 + 12 * struct.unpack_from("<H", data, at)[0]
    place = len(data) + len(data) % 2
    data += bytes(len(data) % 2)
    struct.pack_into("<I", data, end, place if frames > 1 else 0)
    empty = struct.pack("<HHHII", 1, 254, 4, 1, 0)
    for number in range(1, frames):
        place += len(empty) + 4
        data += empty + struct.pack("<I", place if number + 1 < frames else 0)
    return bytes(data)


def test_many_frames_take_no_time():
    data = tiff(200_000)
    began = time.perf_counter()
    photo = decode(data, "a.tif")
    assert time.perf_counter() - began < 2
    assert photo.gray[0, 0] == 77
    assert photo.note.startswith("only the first of more than 999 frames")
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    stream = io.BytesIO()
    Image.new("L", (30, 30), 77).save(stream, "GIF")
    began = time.perf_counter()
    photo = decode(stream.getvalue()[:-1] + frame * 200_000 + b";", "a.gif")
    assert time.perf_counter() - began < 2
    assert "999 frames" in photo.note


@pytest.mark.parametrize("at", [5, 0xFFFFFFF0, 1_000_000])
def test_a_damaged_second_frame_does_not_hide_the_first(at):
    data = bytearray(tiff(1))
    first = struct.unpack_from("<I", data, 4)[0]
    struct.pack_into("<I", data, first + 2 + 12 * struct.unpack_from("<H", data, first)[0], at)
    assert decode(bytes(data), "a.tif").gray[0, 0] == 77


def test_frames_in_a_circle_end():
    data = bytearray(tiff(3))
    data[-4:] = data[4:8]
    assert decode(bytes(data), "a.tif").note.startswith("only the first of 3 frames")


# ------------------------------------------------------------------ tables, zips and tars


@pytest.mark.parametrize("names", ["near", "far"])
def test_a_megabyte_of_column_names_is_refused_soon(names, tmp_path):
    like = "left_eye_centre_x" if names == "near" else "f"
    header = ",".join(f"{like}{i}" for i in range(1_000_000 // (len(like) + 6)))
    (tmp_path / "training.csv").write_text(f"{header},Image\n")
    began = time.perf_counter()
    with (
        pytest.raises(UserError),
        open_table(tmp_path / "training.csv", "training") as source,
    ):
        list(read_training(source, KAGGLE_15, Report()))
    assert time.perf_counter() - began < 5


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("L", (30, 30), 9).save(stream, "PNG")
    return stream.getvalue()


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, png())
    return stream.getvalue()


def test_a_zip_of_an_unknown_version_does_not_hide_the_others(tmp_path):
    data = bytearray(zipped("a.png"))
    data[data.index(b"PK\x01\x02") + 6] = 99
    (tmp_path / "a.zip").write_bytes(data)
    (tmp_path / "b.png").write_bytes(png())
    bad, good = from_paths([tmp_path / "a.zip", tmp_path / "b.png"])
    with pytest.raises(UserError, match=r"a.zip is a damaged zip \(zip file version 9.9\)"):
        bad.load()
    assert good.load().gray[0, 0] == 9
    with (
        pytest.raises(UserError, match=r"a.zip is damaged or incomplete \(zip file version"),
        open_table(tmp_path / "a.zip", "training"),
    ):
        pass


def test_an_endless_list_of_files_is_not_read():
    one = zipped("a.png")
    at = one.index(b"PK\x01\x02")
    entry, end = one[at : one.index(b"PK\x05\x06")], bytearray(one[-22:])
    entries = entry * ((17 << 20) // len(entry))
    end[12:16] = struct.pack("<I", len(entries))
    data = one[:at] + entries + bytes(end)
    began = time.perf_counter()
    [source] = from_upload("a.zip", data)
    with pytest.raises(UserError, match="its list of files is too long"):
        source.load()
    assert time.perf_counter() - began < 1
    with open_zip(io.BytesIO(one)) as archive:
        assert archive.read("a.png") == png()


def test_a_tar_of_nothing_but_folders_ends(tmp_path, monkeypatch):
    from fkd.formats import source

    monkeypatch.setattr(source, "MAX_FILES", 50)
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for number in range(60):
            folder = tarfile.TarInfo(f"f{number}")
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
    with (
        pytest.raises(UserError, match="more than 50 files"),
        open_table(tmp_path / "a.tar", "training"),
    ):
        pass


@pytest.mark.parametrize("name", ["a\udc80.png", "a\n\x1b[31m.png", "\u202ea.png"])
def test_no_name_reaches_a_message_as_it_is(name):
    [source] = from_upload(name, b"no photo")
    with pytest.raises(UserError) as error:
        source.load()
    for text in (source.name, str(error.value), str(UserError(f"{name} is bad"))):
        text.encode()
        assert text.isprintable()


# ------------------------------------------------------------------ all at once


def test_what_does_not_fit_waits_its_turn():
    budget, order = Budget(100), []

    def take(name: str, size: int, hold: float) -> None:
        with budget.share(size, name):
            order.append(name)
            assert budget.used <= 100
            time.sleep(hold)

    threads = []
    for name, size in (("a", 60), ("b", 90), ("c", 10)):  # the small one does not overtake
        threads.append(threading.Thread(target=take, args=(name, size, 0.3)))
        threads[-1].start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert order == ["a", "b", "c"]
    assert not budget.used


def held(budget: Budget, size: int) -> threading.Event:
    """Ends the other thread that takes ``size``."""
    begun, end = threading.Event(), threading.Event()

    def hold() -> None:
        with budget.share(size, "other"):
            begun.set()
            end.wait(20)

    threading.Thread(target=hold, daemon=True).start()
    assert begun.wait(5)
    return end


def test_waiting_is_told_and_can_be_stopped():
    budget = Budget(100)
    end = held(budget, 80)
    told = []

    def stop() -> None:
        told.append(1)
        if len(told) == 3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled), telling(stop), budget.share(50, "a"):
        pass
    assert budget.used == 80
    end.set()
    with budget.share(50, "a"):
        pass


def test_waiting_ends(monkeypatch):
    monkeypatch.setattr(memory, "WAIT_S", 0.2)
    budget = Budget(100)
    end = held(budget, 80)
    with (
        pytest.raises(UserError, match="a was not read: other photos used all"),
        budget.share(50, "a"),
    ):
        pass
    end.set()


def test_kept_photos_count_until_they_are_gone(monkeypatch):
    budget = Budget(1000)
    color = np.zeros((10, 10, 3), np.uint8)
    with keeping(waits=True), budget.share(900, "a") as share:
        share.keep(color)
        assert budget.used == 400
    assert budget.used == 400
    with budget.share(900, "b"):  # its own do not block a thread
        pass
    del color
    assert not budget.used
    color = np.zeros((10, 10, 3), np.uint8)
    with budget.share(900, "a") as share:
        share.keep(color)
    assert not budget.used


def test_who_keeps_photos_lets_go_of_them_before_it_waits(monkeypatch):
    """Otherwise two that keep some would wait for each other."""
    image = drawn()[0][0]
    busy = [False, True, False, False]
    seen: list[bool] = []

    def load():
        seen.append(memory._manner.get().waits)
        if busy.pop(0):
            raise Busy
        return photo_of(image, "a")

    batches = []
    batch = type(bundled()).batch
    monkeypatch.setattr(photos, "_SOON_S", 0.5)

    def slow(self, some, check):
        batches.append(len(some))
        time.sleep(0.6)  # which is not counted as the time that the next take to be read
        return batch(self, some, check)

    monkeypatch.setattr(type(bundled()), "batch", slow)
    found = list(predict_photos(bundled(), [Source("a", load)] * 3))
    assert [len(result.faces) for _, result in found] == [1, 1, 1]
    assert batches == [1, 2]
    assert seen == [True, False, True, False]


def test_stopping_is_no_result():
    def load():
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        list(predict_photos(bundled(), [Source("a", load)]))
    assert photos.TOGETHER
