"""Whatever is dropped on the Predict page: one clear sentence, and it goes on."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from inference_helper import drawn, scene
from PIL import Image
from predict_helper import drop, found, huge_png, opened, png, words

from dashboard.words import plain
from fkd.inference import decode, photos
from fkd.inference.frame import Frame
from fkd.inference.sources import MAX_EXPANSION

FACE = png(drawn()[0][0])


@pytest.fixture
def page(home):
    return opened()


def files(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if path.is_file()}


def zipped(*entries: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return stream.getvalue()


BAD = {
    "text": ("notes.txt", b"no photo", "notes.txt is not an image in a supported format"),
    "pdf": ("scan.pdf", b"%PDF-1.7 ...", "scan.pdf is not an image"),
    "empty": ("empty.jpg", b"", "empty.jpg is empty (0 bytes)."),
    "cut off": ("half.png", FACE[: len(FACE) // 2], "half.png is damaged or cut off"),
    "huge": (
        "huge.png",
        huge_png(60_000),
        "huge.png has far more than the limit of 64 million pixels",
    ),
    "large": ("large.png", huge_png(9_000), "large.png has 9,000 x 9,000 px, more than the limit"),
    "narrow": ("line.png", png(np.zeros((500, 1), np.uint8)), "line.png is 1 x 500 px; a photo"),
    "heic": ("IMG_1.HEIC", b"\x00\x00\x00\x18ftypheic" + bytes(99), "IMG_1.HEIC is a HEIC image"),
    "html": ("<img src=x>.png", b"no photo", "<img src=x>.png is not an image"),
    "path": ("../../etc/passwd.png", b"no photo", "is not an image"),
    "markdown": ("![x](http://x/y) *b* :red[z].png", b"no", "![x](http://x/y) *b* :red[z].png is"),
    "zip bomb": (
        "bomb.zip",
        zipped(("bomb.png", bytes(4 << 20))),
        f"bomb.png was skipped: it would unpack to more than {MAX_EXPANSION} times",
    ),
    "unsafe path": (
        "out.zip",
        zipped(("../../out.png", FACE)),
        "'../../out.png' was skipped: its path leads outside the zip.",
    ),
    "damaged zip": ("cut.zip", zipped(("a.png", FACE))[:60], "cut.zip is a damaged zip"),
    "empty zip": ("none.zip", zipped(("a.csv", b"1,2")), "none.zip contains no images"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_sentence(page, kind, monkeypatch):
    monkeypatch.setattr(decode, "_optional", list)  # whatever this computer has
    name, data, reason = BAD[kind]
    app = drop(page, (name, data))
    assert not app.exception
    [told] = app.error
    [result] = found(app).values()
    assert reason in result.error
    assert "\n" not in result.error
    assert told.value == plain(result.error)  # nothing of a name is markup
    assert not app.dataframe


def test_what_a_zip_holds_and_was_not_read_is_told(page):
    others = [(f"{number}.csv", b"1,2") for number in range(7)]
    odd = "![x](http://x/y) <b>.txt"
    data = zipped((odd, b"1"), *others, ("me.png", FACE), ("Thumbs.db", b"1"))
    app = drop(page, ("photos.zip", data), ("bare.zip", zipped(("a.csv", b"1"))))
    assert not app.exception
    assert len(found(app)["me.png"].faces) == 1
    told = [caption.value for caption in app.caption if "Not read" in caption.value]
    assert told == [
        plain(
            f"Not read in photos.zip: {odd}, 0.csv, 1.csv, 2.csv, 3.csv and 3 more (not images in "
            "a supported format)."
        ),
        plain("Not read in bare.zip: a.csv (not images in a supported format)."),
    ]
    assert "contains no images" in found(app)["bare.zip"].error


def test_a_photo_without_its_last_bytes_is_read_and_said_so(page):
    stream = io.BytesIO()
    Image.fromarray(drawn()[0][0]).save(stream, "JPEG", quality=95)
    app = drop(page, ("me.jpg", stream.getvalue()[:-2]))
    assert len(found(app)["me.jpg"].faces) == 1
    assert "me.jpg: the last bytes of the file are missing." in words(app).replace("\\", "")


def test_nothing_is_written_outside_of_the_workspace(page, home, tmp_path_factory):
    around = tmp_path_factory.getbasetemp()
    before = files(around) - files(home)
    drop(page, *((name, data) for name, data, _ in BAD.values()), ("fine.png", FACE))
    assert files(around) - files(home) == before
    assert not [path for path in files(home) if path.endswith((".png", ".zip", ".jpg"))]


def test_of_a_film_the_first_frame_is_taken_and_said_so(page):
    frames = [Image.fromarray(image) for image in drawn()[0][:3]]
    streams = {}
    for kind, name in (("GIF", "film.gif"), ("TIFF", "pages.tiff")):
        streams[name] = io.BytesIO()
        frames[0].save(streams[name], kind, save_all=True, append_images=frames[1:])
    for name, stream in streams.items():
        app = drop(opened(), (name, stream.getvalue()))
        assert f"{name}: only the first of 3 frames is used." in words(app).replace("\\", "")
        assert len(found(app)[name].faces) == 1


def test_a_hundred_faces(page):
    places = [
        (number % 12, Frame(65.0 + 120 * (number % 10), 65.0 + 120 * (number // 10), 110))
        for number in range(100)
    ]
    photo, exact = scene(*places, size=(1210, 1210))
    app = drop(page, ("crowd.png", png(photo.gray)))
    assert not app.exception
    result = found(app)["crowd.png"]
    assert 90 <= len(result.faces) <= 100
    middles = np.array([points.mean(axis=0) for points in exact])
    for face in result.faces:
        assert np.hypot(*(middles - face.points.mean(axis=0)).T).min() < 30
    table = app.dataframe[0].value
    assert len(table) == len(result.faces) * len(result.faces[0].schema)


def test_more_faces_than_are_shown_is_said(page, monkeypatch):
    monkeypatch.setattr(photos, "MAX_FACES", 1)
    app = drop(page, ("me.png", FACE))
    assert "me.png: only the 1 most confident faces are shown." in words(app).replace("\\", "")


def test_bad_files_by_the_dozen_do_not_stop_the_good_one(page):
    given = [(name, data) for name, data, _ in BAD.values()]
    app = drop(page, *given, ("fine.png", FACE))
    assert not app.exception
    results = found(app)
    assert len(results) == len(BAD) + 1
    assert len(results["fine.png"].faces) == 1
    told = f"**1 face on 1 photo; {len(BAD)} photos could not be read**"
    assert told in [m.value for m in app.markdown]
    results = app.dataframe[0].value["Result"]
    assert sum(result.startswith("Not read: ") for result in results) == len(BAD)
