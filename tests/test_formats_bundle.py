from __future__ import annotations

import io
import os
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from exchange_helper import write_zip
from formats_helper import mutated
from hypothesis import HealthCheck, given, settings

from fkd.errors import UserError
from fkd.formats import bundle
from fkd.formats.bundle import open_bundle, read_text, without_suffix

FILES = {"a/1.txt": b"one", "b.txt": b"\xef\xbb\xbftwo", ".hidden": b"x", "__MACOSX/a/1.txt": b"x"}


@pytest.fixture(params=["folder", "zip"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "zip":
        return write_zip(tmp_path / "files.zip", FILES)
    for name, data in FILES.items():
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "files"


def refusal(path: Path, name: str = "a/1.txt") -> str:
    with pytest.raises(UserError) as caught, open_bundle(path) as opened:
        opened.read(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_are_found_and_read(place: Path) -> None:
    with open_bundle(place) as opened:
        assert opened.title == place.name
        assert opened.names == ("a/1.txt", "b.txt")
        assert opened.read("a/1.txt") == b"one"
        assert read_text(opened, "b.txt") == "two"
        assert "a/1.txt" in opened
        assert "a/2.txt" not in opened
        assert "../x" not in opened
        assert "\0" not in opened
    assert without_suffix("a/1.b/12.png") == "a/1.b/12"


def test_names_that_are_not_there_or_lead_out(place: Path) -> None:
    (place.parent / "outside.txt").write_text("secret")
    for name in ("none.txt", "../outside.txt", "/etc/passwd", "a", ""):
        assert place.name in refusal(place, name)


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    (tmp_path / "files").mkdir()
    os.symlink(tmp_path / "outside.txt", tmp_path / "files" / "1.txt")
    assert "points outside" in refusal(tmp_path / "files", "1.txt")


def test_what_is_no_folder_and_no_zip(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "none")
    (tmp_path / "text").write_text("hello")
    assert "neither a folder nor a zip" in refusal(tmp_path / "text")


@pytest.mark.parametrize("name", ["../a.txt", "/a.txt", "a/../../b", "C:\\a.txt", "..\\a.txt"])
def test_a_zip_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "bad.zip", {"a/1.txt": b"one", name: b"x"})
    assert "points outside the zip" in refusal(path)


def test_a_zip_with_a_file_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("a/1.txt", b"one")
        archive.writestr("a/1.txt", b"two")
    assert "holds a/1.txt more than once" in refusal(tmp_path / "twice.zip")


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", {"a/1.txt": b"0" * (5 << 20)})
    assert "times its size" in refusal(path)


def test_too_many_and_too_large_files_are_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MAX_FILE_BYTES", 2)
    assert "a/1.txt is larger than 2 bytes" in refusal(place).replace(" in files", "")
    monkeypatch.setattr(bundle, "MAX_FILES", 1)
    with pytest.raises(UserError, match="more than 1 files"), open_bundle(place) as opened:
        _ = opened.names


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.txt", b"one" * 50)
    return buffer.getvalue()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
@given(mutated(a_zip()))
def test_damaged_zips_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "damaged.zip"
    path.write_bytes(data)
    with suppress(UserError), open_bundle(path) as opened:
        for name in opened.names:
            opened.read(name)
