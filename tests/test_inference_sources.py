"""Photos from folders, zips and uploads: what is bad is told, what is good is read."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fkd.errors import UserError
from fkd.inference import sources
from fkd.inference.sources import Source, from_paths, from_upload


def png(level: int = 100) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((30, 40), level, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def zipped(*entries: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return stream.getvalue()


def jpeg() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((30, 40), 100, np.uint8)).save(stream, "JPEG")
    return stream.getvalue()


def outcome(source: Source) -> int | str:
    """The grey level of the photo, or why there is none."""
    try:
        return int(source.load().gray[0, 0])
    except UserError as error:
        return str(error)


def outcomes(found) -> dict[str, int | str]:
    return {source.name: outcome(source) for source in found}


def test_files_folders_and_zips(tmp_path):
    folder = tmp_path / "faces"
    (folder / "more").mkdir(parents=True)
    (folder / "b.PNG").write_bytes(png(2))
    (folder / "more" / "a.png").write_bytes(png(1))
    (folder / "notes.txt").write_text("no photo")
    (tmp_path / "some.zip").write_bytes(zipped(("x/c.png", png(3)), ("readme.md", b"#")))
    (tmp_path / "odd.name").write_bytes(png(4))
    paths = [folder, tmp_path / "some.zip", tmp_path / "odd.name", tmp_path / "gone.jpg"]
    found = outcomes(from_paths(paths))
    assert list(found) == ["b.PNG", str(Path("more/a.png")), "x/c.png", "odd.name", "gone.jpg"]
    assert list(found.values())[:4] == [2, 1, 3, 4]
    assert found["gone.jpg"] == "gone.jpg does not exist"


def test_an_empty_folder_says_so(tmp_path):
    [reason] = outcomes(from_paths([tmp_path])).values()
    assert "contains no images in a supported format: JPEG, " in reason


def test_an_upload_is_a_photo_or_a_zip_whatever_it_is_called():
    assert outcomes(from_upload("me.png", png(7))) == {"me.png": 7}
    assert outcomes(from_upload("me.png", zipped(("a.png", png(8))))) == {"a.png": 8}


def test_one_bad_entry_does_not_stop_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_BYTES", 3 << 20)
    data = zipped(
        ("../../escape.png", png()),
        ("/absolute.png", png()),
        ("C:\\windows.png", png()),
        ("bomb.png", bytes(2 << 20)),
        ("large.png", np.random.default_rng(0).bytes(4 << 20)),
        ("text.jpg", b"no image"),
        ("__MACOSX/._a.png", b"fork"),
        (".hidden.png", png()),
        ("folder/", b""),
        ("good.png", png(9)),
    )
    found = outcomes(from_upload("mixed.zip", data))
    assert found.pop("good.png") == 9
    words = ["leads outside the zip"] * 3 + [
        "200 times its packed",
        "larger than 3 MB",
        "not an image",
    ]
    assert len(found) == len(words)
    assert all(word in reason for word, reason in zip(words, found.values(), strict=True))
    assert not list(tmp_path.parent.rglob("escape.png"))


def test_an_entry_that_lies_about_its_size_is_cut_off(monkeypatch):
    monkeypatch.setattr(sources, "MAX_BYTES", 1000)
    data = bytearray(zipped(("a.bmp", bytes(5000))))
    for at in (22, data.index(b"PK\x01\x02") + 24):  # the uncompressed size, in both places
        data[at : at + 4] = (500).to_bytes(4, "little")
    [reason] = outcomes(from_upload("lies.zip", bytes(data))).values()
    assert isinstance(reason, str)


@pytest.mark.parametrize("cut", [10, 60, -30])
def test_a_damaged_zip_is_one_sentence(cut):
    whole = zipped(("a.png", png()), ("b.png", png()))
    [reason] = outcomes(from_upload("cut.zip", whole[:cut])).values()
    assert "cut.zip is a damaged zip" in reason
    assert "\n" not in reason


def test_a_damaged_entry_leaves_the_rest():
    data = bytearray(zipped(("a.png", png(5)), ("b.png", png(6))))
    data[45] ^= 0xFF
    found = outcomes(from_upload("half.zip", bytes(data)))
    assert isinstance(found["a.png"], str)
    assert found["b.png"] == 6


def test_an_encrypted_entry_and_too_many_entries(monkeypatch):
    data = bytearray(zipped(("a.png", png())))
    for at in (6, data.index(b"PK\x01\x02") + 8):
        data[at] |= 1
    assert "encrypted" in outcomes(from_upload("locked.zip", bytes(data)))["a.png"]
    monkeypatch.setattr(sources, "MAX_ENTRIES", 2)
    many = zipped(*((f"{number}.png", png(number)) for number in range(5)))
    found = outcomes(from_upload("many.zip", many))
    assert found["many.zip"] == "many.zip holds 3 more images; 2 are taken."
    assert len(found) == 3


def test_a_zip_without_images_says_so():
    found = outcomes(from_upload("none.zip", zipped(("a.csv", b"1,2"))))
    assert "contains no images" in found["none.zip"]


OTHERS = ("a.csv", "b.txt", "c.md", "d.json", "e.pdf", "f.doc", "g.mp4")
SYSTEM = (".DS_Store", "Thumbs.db", "desktop.ini", "._a.png", ".hidden")


def test_what_a_folder_holds_and_was_not_read_is_told(tmp_path):
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for name in (*OTHERS, *SYSTEM):
        (folder / name).write_bytes(b"1,2")
    (folder / "sub" / "inner.ZIP").write_bytes(zipped(("a.png", png())))
    (folder / "a.png").write_bytes(png(3))
    said: list[str] = []
    assert outcomes(from_paths([folder], said.append)) == {"a.png": 3}
    [sentence] = said
    inner = Path("sub/inner.ZIP")
    assert sentence == (
        "Not read in photos: a.csv, b.txt, c.md, d.json, e.pdf and 2 more (not images in a "
        "supported format); "
        f"{inner} (zips within: unpack them first)."
    )
    assert outcomes(from_paths([folder])) == {"a.png": 3}


def test_what_a_zip_holds_and_was_not_read_is_told(tmp_path):
    data = zipped(
        ("sub/", b""),
        *((f"sub/{name}", b"1,2") for name in (*OTHERS, *SYSTEM)),
        ("__MACOSX/sub/._x.csv", b"1"),
        ("inner.zip", zipped(("a.png", png()))),
        (".hidden.png", png()),
        ("a.png", png(3)),
    )
    wanted = (
        "Not read in some.zip: sub/a.csv, sub/b.txt, sub/c.md, sub/d.json, sub/e.pdf and 2 more "
        "(not images in a supported format); inner.zip (zips within: unpack them first); "
        ".hidden.png (hidden)."
    )
    (tmp_path / "some.zip").write_bytes(data)
    for read in (
        lambda tell: from_upload("some.zip", data, tell),
        lambda tell: from_paths([tmp_path / "some.zip"], tell),
    ):
        said: list[str] = []
        assert outcomes(read(said.append)) == {"a.png": 3}
        assert said == [wanted]


def test_nothing_is_told_where_all_was_read(tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / ".DS_Store").write_bytes(b"1")
    said: list[str] = []
    list(from_paths([tmp_path], said.append))
    list(from_upload("a.zip", zipped(("a.png", png()), ("Thumbs.db", b"1")), said.append))
    list(from_upload("a.png", png(), said.append))
    assert not said


def test_where_nothing_was_read_the_rest_is_told_too(tmp_path):
    (tmp_path / "notes.txt").write_text("no photo")
    said: list[str] = []
    [reason] = outcomes(from_paths([tmp_path], said.append)).values()
    assert "contains no images" in reason
    [reason] = outcomes(from_upload("a.zip", zipped(("b.csv", b"1")), said.append)).values()
    assert "a.zip contains no images" in reason
    assert said == [
        f"Not read in {tmp_path.name}: notes.txt (not images in a supported format).",
        "Not read in a.zip: b.csv (not images in a supported format).",
    ]


def test_what_begins_as_an_image_is_read_whatever_it_is_called(tmp_path):
    names = {"photo": png(1), "IMG_1.JPG.bak": jpeg(), "scan.dat": png(3), "empty": b""}
    names["raw.cr2"] = b"II*\0" + bytes(60)  # a camera's own format: as TIFF by its start
    for name, data in names.items():
        (tmp_path / name).write_bytes(data)
    for read in (
        lambda tell: from_paths([tmp_path], tell),
        lambda tell: from_upload("a.zip", zipped(*names.items()), tell),
    ):
        said: list[str] = []
        found = outcomes(read(said.append))
        assert found == {"photo": 1, "IMG_1.JPG.bak": 100, "scan.dat": 3}
        assert said[0].endswith(": empty and raw.cr2 (not images in a supported format).")


@pytest.mark.parametrize(
    "name",
    ["a.jfif", "a.JPE", "a.pgm", "a.ppm", "a.pbm", "a.pnm", "a.avif", "a.jp2", "a.j2k", "a.tga"],
)
def test_every_kind_is_found_by_its_name(name, tmp_path):
    """Whether it is one or not: then that is told."""
    (tmp_path / name).write_bytes(b"no photo")
    for found in (from_paths([tmp_path]), from_upload("a.zip", zipped((name, b"no photo")))):
        assert "is not an image in a supported format" in outcomes(found)[name]


def test_names_from_outside_stay_on_one_line_and_short(tmp_path):
    names = ["a\nb.csv", "\u202efdp.exe", "x" * 300 + ".txt", "ok \u2713.txt"]
    said: list[str] = []
    list(from_upload("a\n.zip", zipped(*((name, b"1") for name in names)), said.append))
    [sentence] = said
    assert sentence.startswith("Not read in a\\n.zip: a\\nb.csv, \\u202efdp.exe, \u2026xxx")
    assert "ok \u2713.txt" in sentence
    assert len(sentence) < 250
    odd = tmp_path / os.fsdecode(b"odd-\xff.txt")
    try:
        odd.write_text("1")
    except OSError:
        pytest.skip("this file system has characters only")
    list(from_paths([tmp_path], said.append))
    assert "odd-\\udcff.txt (not images in a supported format)" in said[-1]
    said[-1].encode()


def test_links_and_folders_that_cannot_be_opened_are_told(tmp_path, monkeypatch):
    folder, other = tmp_path / "photos", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (folder / "link").symlink_to(other)
    (folder / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (folder / "a.png").write_bytes(png(3))
    said: list[str] = []
    assert outcomes(from_paths([folder], said.append)) == {"a.png": 3}
    assert "link (links to folders)" in said[0]
    assert "gone.jpg (no files that can be read)" in said[0]
    (folder / "locked").mkdir()
    scan = os.scandir

    def closed(place):
        if str(place).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(place))
        return scan(place)

    monkeypatch.setattr(os, "scandir", closed)
    assert outcomes(from_paths([folder], said.append)) == {"a.png": 3}
    assert "locked (Permission denied)" in said[-1]


def test_looking_into_a_zip_takes_little(monkeypatch):
    """Of what is not called an image only the start is unpacked, and of not too many."""
    read: list[int] = []
    original = zipfile.ZipExtFile.read

    def counted(self, n=-1):
        read.append(n)
        return original(self, n)

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    monkeypatch.setattr(sources, "MAX_ENTRIES", 3)
    said: list[str] = []
    many = zipped(*((f"{number}.bin", bytes(3 << 20)) for number in range(5)))
    list(from_upload("bomb.zip", many, said.append))
    assert len(read) == 3
    assert all(0 < n <= 4096 for n in read)
    assert "0.bin, 1.bin, 2.bin, 3.bin and 4.bin (not images in a supported format)" in said[0]


def test_locked_and_damaged_entries_are_told():
    data = bytearray(zipped(("a.bin", png()), ("b.png", png(2))))
    at = data.index(b"PK\x01\x02") + 8
    data[6] |= 1
    data[at] |= 1
    said: list[str] = []
    assert outcomes(from_upload("locked.zip", bytes(data), said.append)) == {"b.png": 2}
    assert said == ["Not read in locked.zip: a.bin (not images in a supported format)."]
    data = bytearray(zipped(("a.bin", bytes(500)), ("b.png", png(2))))
    data[36] ^= 0xFF
    assert outcomes(from_upload("half.zip", bytes(data), said.append)) == {"b.png": 2}
    assert "half.zip: a.bin" in said[-1]
