"""Hostile files through every reader: a result or one sentence comes out, soon, in little memory.

    python -m benchmarks.fuzz 20000

Whole files of each kind are spoilt: bytes changed, cut, doubled, their sizes overwritten. Each
worker is a process of its own; one that hangs or dies is told by what it was at.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import io
import json
import lzma
import multiprocessing
import random
import struct
import sys
import tarfile
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np
from PIL import Image

from fkd.dataset import Dataset
from fkd.errors import UserError, printable
from fkd.keypoints import KAGGLE_15

LIMIT_S = 20.0
"""Seconds that one input may take before its worker is ended."""
MOST_BYTES = 500 << 20
"""Memory that one input may take beyond what the process had before."""
_SIZES = (0, 1, 24, 255, 4000, 7999, 65_535, 1 << 20, (1 << 31) - 1, (1 << 32) - 1)


def memory() -> tuple[int, int]:
    """Bytes of this process now and at most so far."""
    if not sys.platform.startswith("linux"):
        return 0, 0
    status = Path("/proc/self/status").read_text()
    found = dict(line.split(":", 1) for line in status.splitlines())
    return tuple(int(found[name].split()[0]) << 10 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]


def forget_peak() -> None:
    """Let the peak begin anew, where the system allows that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


# ------------------------------------------------------------------ whole files


def images() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    face = rng.integers(0, 256, (96, 96), np.uint8)
    color = np.dstack([face, face.T, face[::-1]])
    found: dict[str, bytes] = {}

    def add(name: str, image: Image.Image, kind: str, **options: Any) -> None:
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        found[name] = stream.getvalue()

    gray, rgb = Image.fromarray(face), Image.fromarray(color)
    exif = Image.Exif()
    exif[0x0112] = 6
    add("a.png", gray, "PNG")
    add("p.png", rgb.convert("P"), "PNG", transparency=0)
    add("rgba.png", rgb.convert("RGBA"), "PNG")
    add("deep.png", Image.fromarray(face.astype(np.uint16) * 9), "PNG")
    add("film.png", rgb, "PNG", save_all=True, append_images=[rgb, rgb])
    add("a.jpg", rgb, "JPEG", exif=exif)
    add("p.jpg", rgb, "JPEG", progressive=True)
    add("c.jpg", rgb.convert("CMYK"), "JPEG")
    add("a.webp", rgb, "WEBP")
    add("f.webp", rgb, "WEBP", save_all=True, append_images=[gray.convert("RGB")])
    add("a.bmp", rgb, "BMP")
    add("a.tif", rgb, "TIFF", compression="tiff_lzw", exif=exif)
    add("m.tif", gray, "TIFF", save_all=True, append_images=[gray] * 4)
    add("f.tif", Image.fromarray(face.astype(np.float32)), "TIFF")
    add("j.tif", rgb, "TIFF", compression="jpeg")
    add("a.gif", gray, "GIF", save_all=True, append_images=[gray.rotate(9)] * 3)
    add("a.ppm", rgb, "PPM")
    add("a.avif", rgb, "AVIF", speed=10)
    add("a.jp2", rgb, "JPEG2000")
    add("a.tga", rgb.convert("RGBA"), "TGA", compression="tga_rle")
    found["t.pgm"] = b"P2 30 30 99\n" + b"7 " * 900
    found["b.pbm"] = b"P4 30 30\n" + bytes(120)
    found["r.bmp"] = _runs()
    return found


def _runs() -> bytes:
    """A BMP of 64 x 64 px in runs."""
    rows = b"\x40\x07\0\0" * 64 + b"\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, 64, 64, 1, 8, 1, len(rows), 0, 0, 256, 0)
    colors = b"".join(bytes([i, i, i, 0]) for i in range(256))
    at = 14 + len(head) + len(colors)
    return b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) + head + colors + rows


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def tables() -> dict[str, bytes]:
    """Tables of Kaggle's kinds, by file name."""
    names = [f"{point.name}_{axis}" for point in KAGGLE_15.keypoints for axis in "xy"]
    pixels = " ".join("7" * 1 for _ in range(96 * 96))
    row = ",".join("44.5" for _ in names)
    training = "\n".join([",".join([*names, "Image"]), *[f"{row},{pixels}"] * 2]) + "\n"
    test = "ImageId,Image\n" + "".join(f"{i},{pixels}\n" for i in (1, 2))
    lookup = "RowId,ImageId,FeatureName,Location\n1,1,left_eye_center_x,\n2,2,nose_tip_y,\n"
    return {
        "training.csv": training.encode(),
        "test.csv": test.encode(),
        "IdLookupTable.csv": lookup.encode(),
    }


def parquet(training: bytes) -> bytes:
    import pyarrow.csv
    import pyarrow.parquet

    stream = io.BytesIO()
    options = pyarrow.csv.ReadOptions(block_size=1 << 20)
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(io.BytesIO(training), options), stream)
    return stream.getvalue()


def npz() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, face_images=np.zeros((96, 96, 2), np.uint8))
    return stream.getvalue()


def labels() -> dict[str, tuple[str, dict[str, bytes]]]:
    """Labels of every format with their pictures, as files in a folder."""
    picture = images()["a.png"]
    names = [point.name for point in KAGGLE_15.keypoints]
    count = len(names)
    coco = {
        "images": [{"id": 1, "file_name": "images/1.png", "width": 96, "height": 96}],
        "categories": [{"id": 1, "name": "face", "keypoints": names, "skeleton": []}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [44, 40, 2] * count}
        ],
    }
    yolo = "0 0.5 0.5 1 1 " + "0.4 0.4 2 " * count + "\n"
    config = f"kpt_shape: [{count}, 3]\nnames: {{0: face}}\ntrain: images/train\n"
    points = f"version: 1\nn_points: {count}\n{{\n" + "44.5 40.5\n" * count + "}\n"
    return {
        "coco": (
            "annotations.json",
            {"annotations.json": json.dumps(coco).encode(), "images/1.png": picture},
        ),
        "yolo-pose": (
            "labels/train/1.txt",
            {
                "labels/train/1.txt": yolo.encode(),
                "data.yaml": config.encode(),
                "images/train/1.png": picture,
            },
        ),
        "pts": ("1.pts", {"1.pts": points.encode(), "1.png": picture}),
        "kaggle": ("training.csv", {"training.csv": tables()["training.csv"]}),
    }


GROUPS = b"row,person\n" + b"".join(b"%d,p%d\n" % (i, i // 2) for i in range(9))


# ------------------------------------------------------------------ spoilt ones

_TOKENS = (
    *(b"\0", b"\xff" * 4, b"nan", b"inf", b"1e999", b"-1", b'"', b"\r", b"\n", b",", b";", b"{"),
    *(
        b"[" * 400,
        b"\xed\xb2\x80",
        b"\\udc80",
        b"99999999999999999999",
        b"..",
        b"/",
        b"%s",
        b"&a *a",
    ),
    *(b"\xe2\x80\xae", b"PK\x05\x06", b"\x1b[31m", b"null", b"1" * 5000),
)


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """``data``, changed in one to five places."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        if not found:
            break
        # What files say of themselves stands at their ends.
        near = min(len(found), chance.choice((32, 200, len(found))))
        at = (
            chance.randrange(near)
            if chance.random() < 0.8
            else len(found) - 1 - chance.randrange(near)
        )
        match chance.randrange(8):
            case 0 | 1:
                found[at] = chance.randrange(256)
            case 2:
                found[at] ^= 1 << chance.randrange(8)
            case 3:
                kind = chance.choice(("<H", ">H", "<I", ">I"))
                value = chance.choice(_SIZES) & ((1 << 8 * struct.calcsize(kind)) - 1)
                found[at : at + struct.calcsize(kind)] = struct.pack(kind, value)
            case 4:
                del found[at : at + chance.choice((1, 2, 9, 400))]
            case 5:
                found[at:at] = chance.choice(_TOKENS)
            case 6:
                piece = found[at : at + chance.choice((4, 40, 400))]
                found[at:at] = piece * chance.choice((1, 2, 50))
            case 7:
                del found[at:]
    return bytes(found)


# ------------------------------------------------------------------ the readers


class Readers:
    """One of each: takes spoilt bytes through the function that users reach."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.images, self.tables, self.labels = images(), tables(), labels()
        self.parquet, self.npz = parquet(self.tables["training.csv"]), npz()
        rows = np.arange(9)
        none = np.zeros((0, 96, 96), np.uint8)
        self.dataset = Dataset(
            "faces",
            KAGGLE_15,
            np.zeros((9, 96, 96), np.uint8),
            np.zeros((9, 15, 2), np.float32),
            rows,
            none,
            np.zeros(0, np.int64),
        )
        self.kinds: dict[str, Callable[[random.Random], list[str]]] = {
            "photo": self.photo,
            "photo of large size": self.large,
            "photos in a zip": self.photos,
            "table": self.table,
            "table in an archive": self.archive,
            "parquet": self.columnar,
            "npz": self.arrays,
            "labels": self.label,
            "labels in a zip": self.label_zip,
            "groups": self.groups,
        }

    def photo(self, chance: random.Random) -> list[str]:
        name = chance.choice(sorted(self.images))
        return self._load(name, spoilt(self.images[name], chance))

    def large(self, chance: random.Random) -> list[str]:
        """A few bytes that say the largest sizes."""
        side = chance.choice((2000, 5000, 7900, 8100, 60_000))
        other = chance.choice((30, 1000, side))
        name = chance.choice(("a.png", "a.jpg", "p.jpg", "a.jp2", "a.avif", "a.gif", "a.tga"))
        data = bytearray(self.images[name])
        match name[-3:]:
            case "png":
                import zlib

                data[16:24] = struct.pack(">II", side, other)
                data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
            case "jpg":
                at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
                data[at + 5 : at + 9] = struct.pack(">HH", side & 65535, other & 65535)
            case "jp2":
                for at in (data.index(b"ihdr") + 4, data.index(b"\xff\x4f\xff\x51") + 8):
                    data[at : at + 8] = struct.pack(">II", side, other)
            case "vif":
                at = data.index(b"ispe") + 8
                data[at : at + 8] = struct.pack(">II", side, other)
            case "gif":
                data[6:10] = struct.pack("<HH", side & 65535, other & 65535)
            case "tga":
                data[12:16] = struct.pack("<HH", side & 65535, other & 65535)
        return self._load(name, bytes(data))

    def photos(self, chance: random.Random) -> list[str]:
        names = chance.sample(sorted(self.images), 3)
        return self._load("a.zip", spoilt(zipped({n: self.images[n] for n in names}), chance))

    def _load(self, name: str, data: bytes) -> list[str]:
        from fkd.inference.sources import from_upload

        said: list[str] = []
        for source in from_upload(chance_name(name, data), data, said.append):
            try:
                photo = source.load()
                said.append(photo.note)
            except UserError as error:
                said.append(str(error))
        return said

    def table(self, chance: random.Random) -> list[str]:
        name = chance.choice(sorted(self.tables))
        return self._read(name, spoilt(self.tables[name], chance))

    def archive(self, chance: random.Random) -> list[str]:
        packed = {
            "a.zip": zipped,
            "a.tar": tarred,
            "training.csv.gz": lambda files: gzip.compress(files["training.csv"]),
            "training.csv.bz2": lambda files: bz2.compress(files["training.csv"]),
            "training.csv.xz": lambda files: lzma.compress(files["training.csv"]),
            "a.tgz": lambda files: gzip.compress(tarred(files)),
            "b.zip": lambda files: zipped({"a.csv.zip": zipped(files)}),
        }
        name = chance.choice(sorted(packed))
        return self._read(name, spoilt(packed[name](self.tables), chance))

    def columnar(self, chance: random.Random) -> list[str]:
        return self._read("training.parquet", spoilt(self.parquet, chance))

    def arrays(self, chance: random.Random) -> list[str]:
        header, row, *_ = self.tables["training.csv"].split(b"\n")
        alone = header.rpartition(b",")[0] + b"\n" + (row.rpartition(b",")[0] + b"\n") * 2
        files = {"training.csv": alone, "face_images.npz": spoilt(self.npz, chance)}
        return self._read("a.zip", zipped(files))

    def _read(self, name: str, data: bytes) -> list[str]:
        from fkd.formats import open_table
        from fkd.formats.kaggle_images import read_test, read_training
        from fkd.formats.kaggle_tables import read_lookup
        from fkd.formats.report import Report

        path = self.place / name
        path.write_bytes(data)
        said: list[str] = []
        kinds: tuple[tuple[Any, Any], ...] = (
            ("training", lambda source, report: read_training(source, KAGGLE_15, report)),
            ("test", lambda source, report: read_test(source, KAGGLE_15, report)),
            ("lookup", lambda source, report: read_lookup(source, KAGGLE_15, report, np.arange(3))),
        )
        for kind, read in kinds:
            if name in self.tables and not name.lower().startswith(kind[:4]) and kind != "lookup":
                continue
            report = Report()
            try:
                with open_table(path, kind) as source:
                    drained(read(source, report))
            except UserError as error:
                said.append(str(error))
            said += [problem.reason for problem in report.problems]
        path.unlink()
        return said

    def label(self, chance: random.Random) -> list[str]:
        kind = chance.choice(sorted(self.labels))
        spoil, files = self.labels[kind]
        if chance.random() < 0.2:
            spoil = chance.choice(sorted(files))
        return self._labels(kind, zipped({**files, spoil: spoilt(files[spoil], chance)}))

    def label_zip(self, chance: random.Random) -> list[str]:
        kind = chance.choice(sorted(self.labels))
        return self._labels(kind, spoilt(zipped(self.labels[kind][1]), chance))

    def _labels(self, kind: str, data: bytes) -> list[str]:
        from fkd.labels.exchange import read

        path = self.place / "labels.zip"
        path.write_bytes(data)
        try:
            found = read(path, kind)
        except UserError as error:
            return [str(error)]
        finally:
            path.unlink()
        return [*found.notes, *found.assumptions]

    def groups(self, chance: random.Random) -> list[str]:
        from fkd.groups import read_groups

        path = self.place / "groups.csv"
        path.write_bytes(spoilt(GROUPS, chance))
        try:
            read_groups(path, self.dataset)
        except UserError as error:
            return [str(error)]
        return []


def drained(result: Any) -> None:
    """See to the end what is read bit by bit."""
    if hasattr(result, "__next__"):
        for _ in result:
            pass


def chance_name(name: str, data: bytes) -> str:
    """``name``, now and then one that nobody would give a file."""
    odd = ("a\udc80", "a\nb", "\u202ea", "")
    return f"{odd[data[-1] % 4]}{name}" if data and not data[0] % 5 else name


@dataclass
class Outcome:
    """What came of some inputs: how many gave a result or a sentence, what went wrong, and the most
    memory and time that one took."""

    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def attack(readers: Readers, seed: int, outcome: Outcome) -> None:
    """One input, the one that ``seed`` makes."""
    chance = random.Random(seed)
    kind = list(readers.kinds)[seed % len(readers.kinds)]
    forget_peak()
    before, began = memory()[0], time.perf_counter()
    try:
        said = readers.kinds[kind](chance)
    except Exception as error:  # what is looked for
        outcome.wrong.append(f"{kind}, seed {seed}: {type(error).__name__}: {error!s:.200}")
        said = []
    taken = time.perf_counter() - began
    outcome.done[kind] += 1
    outcome.memory[kind] = max(outcome.memory.get(kind, 0), memory()[1] - before)
    outcome.seconds[kind] = max(outcome.seconds.get(kind, 0.0), taken)
    for sentence in said:
        if printable(sentence) != sentence:
            outcome.wrong.append(f"{kind}, seed {seed}: not printable: {sentence!r:.300}")


def _work(seeds: range, at: Any, queue: Any) -> None:
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as place:
        readers = Readers(Path(place))
        attack(readers, seeds[0], Outcome())  # imports
        for seed in seeds:
            at.value = seed
            attack(readers, seed, outcome)
    queue.put(outcome)


def run(count: int, first: int = 0, batch: int = 500) -> Outcome:
    """``count`` inputs in worker processes, ``batch`` each."""
    context = multiprocessing.get_context("spawn")
    total = Outcome()
    start = first
    while start < first + count:
        seeds = range(start, min(start + batch, first + count))
        at, queue = context.Value("q", seeds[0]), context.Queue()
        worker = context.Process(target=_work, args=(seeds, at, queue))
        worker.start()
        last, since = -1, time.monotonic()
        outcome = None
        while outcome is None and worker.is_alive():
            if at.value != last:
                last, since = at.value, time.monotonic()
            if time.monotonic() - since > LIMIT_S + 20 * (last == seeds[0]):
                worker.kill()
                worker.join()
                total.wrong.append(f"seed {last}: more than {LIMIT_S:.0f} s")
            with suppress(Empty):
                outcome = queue.get(timeout=0.5)
        if outcome is None:  # it may have answered just before it ended
            with suppress(Empty):
                outcome = queue.get(timeout=1)
        worker.join()
        if outcome is None:
            if not total.wrong or f"seed {at.value}:" not in total.wrong[-1]:
                total.wrong.append(f"seed {at.value}: the process died ({worker.exitcode})")
            start = at.value + 1
            continue
        total.done += outcome.done
        total.wrong += outcome.wrong
        for mine, its in ((total.memory, outcome.memory), (total.seconds, outcome.seconds)):
            for kind, value in its.items():
                mine[kind] = max(mine.get(kind, 0), value)  # type: ignore[type-var, assignment]
        start = seeds.stop
        print(f"{start - first:,} done, {len(total.wrong)} wrong", file=sys.stderr, flush=True)
    return total


def main(argv: Sequence[str] | None = None) -> int:
    """Try and report; returns the exit code, 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=20_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    options = parser.parse_args(argv)
    total = run(options.count, options.first)
    total.wrong += [
        f"{kind}: {taken >> 20} MB, more than {MOST_BYTES >> 20} MB"
        for kind, taken in total.memory.items()
        if taken > MOST_BYTES
    ]
    for kind, number in sorted(total.done.items()):
        print(
            f"{kind:24} {number:7,}  at most {total.memory[kind] >> 20:4} MB, "
            f"{total.seconds[kind]:5.2f} s"
        )
    print(f"{sum(total.done.values()):,} inputs, {len(total.wrong)} wrong")
    for line in total.wrong:
        print(line)
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
