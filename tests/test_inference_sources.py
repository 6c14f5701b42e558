"""Photos from folders, zips and uploads: what is bad is told, what is good is read."""

from __future__ import annotations

import io
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
    assert found["gone.jpg"] == "gone.jpg cannot be read: No such file or directory."


def test_an_empty_folder_says_so(tmp_path):
    [reason] = outcomes(from_paths([tmp_path])).values()
    assert "holds no images (.jpg, " in reason


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
    words = ["leads out of its zip"] * 3 + ["200 times its size", "more than 3 MB", "not an image"]
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
    assert "holds no images" in found["none.zip"]
