from __future__ import annotations

import os
from pathlib import Path

import pytest
from exchange_helper import write_zip

from fkd.errors import UserError
from fkd.formats.bundle import open_bundle
from fkd.formats.finding import NOT_READ, Pictures, path_of
from fkd.inference.decode import SUFFIXES


def found(
    tmp_path: Path, files: list[str], name: str, folders: tuple[str, ...] = ("",), prefer: str = ""
) -> tuple[str | None, int]:
    """The picture that ``name`` means, and how many were found elsewhere; the same in a folder and
    in a zip."""
    place = tmp_path / "place"
    for file in files:
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).write_bytes(b"")
    place.mkdir(exist_ok=True)
    packed = write_zip(tmp_path / "place.zip", dict.fromkeys(files, b""))
    answers = []
    for path in (place, packed):
        with open_bundle(path) as bundle:
            pictures = Pictures(bundle, "remove all images", prefer)
            answers.append((pictures.find(path_of(name), folders, "here"), pictures.elsewhere))
            assert pictures.used == {answers[-1][0]} - {None}
    assert answers[0] == answers[1]
    return answers[0]


@pytest.mark.parametrize(
    ("files", "name", "folders", "expected"),
    [
        (["3.png"], "3.png", ("",), "3.png"),
        (["images/3.png", "3.png"], "3.png", ("images", ""), "images/3.png"),
        (["data/3.png"], "3.png", ("", "images"), "data/3.png"),
        (["a/b/3.png", "a/c/3.png"], "c/3.png", ("",), "a/c/3.png"),
        (["images/3.png"], "../images/3.png", ("annotations",), "images/3.png"),
        (["images/3.png"], "images\\3.png", ("",), "images/3.png"),
        (["images/3.png", "images/3.jpg"], "3.jpg", ("",), "images/3.jpg"),
        (["images/3.PNG"], "3.PNG", ("",), "images/3.PNG"),
        (["x/3.png"], "3", ("",), "x/3.png"),
        (["images/train/3.pgm"], "images/train/3", ("",), "images/train/3.pgm"),
        (["a/1.5.png"], "1.5", ("",), "a/1.5.png"),
        (["3.png", "3.svg"], "3", ("",), "3.png"),
        (["a b.png"], "http://localhost:8080/data/upload/a%20b.png?x=1", ("",), "a b.png"),
    ],
)
def test_a_picture_is_found_where_labels_say(
    tmp_path: Path, files: list[str], name: str, folders: tuple[str, ...], expected: str
) -> None:
    assert found(tmp_path, files, name, folders)[0] == expected


@pytest.mark.parametrize(
    "name",
    [
        "train/3.png",
        "images\\1/3.png",
        "/data/upload/4/3.png",
        "..\\..\\label-studio\\media\\upload\\4\\3.png",
        "C:\\faces\\3.png",
        "/data/local-files/?d=faces%2F3.png",
        "https://example.org/a/3.png",
        "s3://bucket/a/3.png",
        "../3.png",
    ],
)
def test_a_folder_that_is_not_there_is_said(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, ["images/3.png"], name) == ("images/3.png", 1)


def test_how_they_were_found_is_said(tmp_path: Path) -> None:
    (tmp_path / "3.png").write_bytes(b"")
    with open_bundle(tmp_path) as bundle:
        pictures = Pictures(bundle, "")
        assert pictures.notes == ()
        pictures.find("a/3.png", [""], "")
        assert pictures.notes == (
            "1 image was found by name, in another folder than the labels say.",
        )
        pictures.find("b/3.png", [""], "")
        assert pictures.notes[0].startswith("2 images were found by name")


def test_the_subset_decides(tmp_path: Path) -> None:
    files = ["images/train/3.png", "images/val/3.png"]
    assert found(tmp_path, files, "3.png", prefer="val") == ("images/val/3.png", 0)
    with pytest.raises(UserError, match=r"here: .* images/train/3\.png or images/val/3\.png; keep"):
        found(tmp_path, files, "3.png")


def test_labels_without_any_pictures_are_labels_alone(tmp_path: Path) -> None:
    assert found(tmp_path, ["a.json", "readme.txt"], "../../3.png") == (None, 0)


def test_a_picture_that_did_not_come_along(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        found(tmp_path, ["images/4.png"], "3.png", ("", "images"))
    assert str(caught.value).startswith(
        "here: the image of '3' is missing (looked for as 3.png, "
        "images/3.png, and by its name in all of place"
    )
    assert "remove all images to import labels alone" in str(caught.value)


@pytest.mark.parametrize("suffix", NOT_READ)
def test_a_picture_of_another_kind_came_along_too(tmp_path: Path, suffix: str) -> None:
    assert suffix not in SUFFIXES
    for name in (f"3{suffix}", "3"):
        with pytest.raises(UserError, match=f"3{suffix} is of a kind that is not read; save"):
            found(tmp_path, [f"3{suffix}"], name)
    with pytest.raises(UserError, match="is missing"):
        found(tmp_path, [f"4{suffix}"], "3.png")


@pytest.mark.parametrize("name", ["../secret.png", "a/../../secret.png", "link.png"])
def test_nothing_outside_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "place" / "a").mkdir(parents=True)
    os.symlink(tmp_path / "secret.png", tmp_path / "place" / "link.png")
    absolute = str(tmp_path / "secret.png")
    with open_bundle(tmp_path / "place") as bundle:
        pictures = Pictures(bundle, "")
        for asked in (name, absolute, f"file://{absolute}"):
            if asked == "link.png":  # among the names, and refused when it is read
                with pytest.raises(UserError, match="points outside"):
                    bundle.read(asked)
                continue
            with pytest.raises(UserError, match="is missing"):
                pictures.find(path_of(asked), [""], "here")


def test_what_is_no_address_is_a_path() -> None:
    assert path_of("http://[x/3.png") == "http://[x/3.png"
