import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from formats_helper import mutated
from hypothesis import given

from fkd import settings
from fkd.errors import UserError
from fkd.formats.source import Kind, has_table, open_table

TABLE = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(20_000))


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(*entries: tuple[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in entries:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def read(path: Path, kind: Kind = "training") -> bytes:
    with open_table(path, kind) as source:
        data = source.stream.read()
        assert (source.position() if source.position else len(data)) == source.size
        return data


def siblings(path: Path) -> tuple[str, ...]:
    with open_table(path, "training") as source:
        return source.siblings


def refusal(path: Path, kind: Kind = "training") -> str:
    with pytest.raises(UserError) as caught:
        read(path, kind)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_plain_file_is_read_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(TABLE)
    with open_table(str(path), "training") as source:
        assert (source.name, source.size) == ("mine.csv", len(TABLE))
        assert source.stream.read(3) == TABLE[:3]
        assert source.stream.read() == TABLE[3:]


@pytest.mark.parametrize(
    "entries",
    [
        [("training.csv", TABLE)],
        [("faces/training.csv", TABLE)],
        [("faces/Training.CSV", TABLE), ("test.csv", b"no")],
        [("__MACOSX/._training.csv", b"no"), ("training.csv", TABLE)],
        [("whatever.csv", TABLE), ("readme.txt", b"no")],
        [("training.csv", TABLE), ("old/training.csv", b"no")],
        [("training.zip", zipped(("training.csv", TABLE))), ("test.zip", b"no")],
        [("all/training.csv.zip", zipped(("training.csv", TABLE)))],
    ],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_the_table_is_found_in_a_zip(tmp_path: Path, entries: list, method: int) -> None:
    path = tmp_path / "download.zip"
    path.write_bytes(zipped(*entries, method=method))
    assert read(path) == TABLE


def test_a_zip_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "upload.bin").write_bytes(zipped(("training.csv", TABLE)))
    with open_table(tmp_path / "upload.bin", "training") as source:
        assert source.name == "training.csv"
        assert source.stream.read() == TABLE


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("training.csv", "training"),
        ("TRAINING.zip", "training"),
        ("test.csv.zip", "test"),
        ("IdLookupTable.csv", "lookup"),
        ("submissionFileFormat.csv", "lookup"),
        ("idlookuptable.zip", "lookup"),
        ("SampleSubmission.csv", "submission"),
        ("sampleSubmission.csv", "submission"),
        ("facial-keypoints-detection.zip", "test"),
    ],
)
def test_the_table_is_found_in_a_folder(tmp_path: Path, name: str, kind: Kind) -> None:
    (tmp_path / "notes.txt").write_text("no")
    data = zipped(("test.csv", TABLE)) if name.lower().endswith(".zip") else TABLE
    (tmp_path / name).write_bytes(data)
    assert read(tmp_path, kind) == TABLE


def test_a_folder_prefers_the_plain_file_and_the_first_name(tmp_path: Path) -> None:
    (tmp_path / "submissionFileFormat.csv").write_bytes(b"second")
    (tmp_path / "IdLookupTable.zip").write_bytes(zipped(("IdLookupTable.csv", b"third")))
    (tmp_path / "IdLookupTable.csv").write_bytes(b"first")
    assert read(tmp_path, "lookup") == b"first"


def test_what_a_place_holds_can_be_asked(tmp_path: Path) -> None:
    assert not has_table(tmp_path, "test")
    assert not has_table(tmp_path / "no.zip", "test")
    (tmp_path / "facial-keypoints-detection.zip").write_bytes(zipped(("test.csv", TABLE)))
    assert has_table(tmp_path, "test")
    assert not has_table(tmp_path, "training")
    (tmp_path / "training.csv").write_bytes(TABLE)
    assert has_table(tmp_path, "training")
    assert not has_table(tmp_path / "training.csv", "test")


def test_missing_things_are_named(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "training.csv")
    text = refusal(tmp_path, "lookup")
    assert "IdLookupTable.csv or submissionFileFormat.csv" in text
    (tmp_path / "x.zip").write_bytes(zipped(("a.csv", b"1"), ("b.csv", b"2")))
    text = refusal(tmp_path / "x.zip")
    assert "training.csv" in text
    assert "a.csv and b.csv" in text


def test_an_impossible_path_is_an_error_of_the_user(tmp_path: Path) -> None:
    assert refusal(tmp_path / ("n" * 300 + ".csv"))
    assert refusal(tmp_path / "training.csv" / "below")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "training.csv")
    assert "not a file" in refusal(tmp_path / "training.csv")


def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "training.csv"
    path.write_bytes(TABLE)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # who may read everything
        os.seteuid(65534)
    try:
        assert "permission denied" in refusal(path)
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    "name", ["../training.csv", "/training.csv", "a/../../b.csv", "..\\training.csv", "C:\\t.csv"]
)
def test_entries_that_lead_out_of_the_zip_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "training.zip"
    path.write_bytes(zipped((name, b"no"), ("training.csv", TABLE)))
    assert "points outside the zip" in refusal(path)


def test_the_same_table_twice_is_ambiguous(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(("a/training.csv", TABLE), ("b/training.csv", TABLE)))
    assert "more than once" in refusal(path)


def test_three_zips_deep_is_too_deep(tmp_path: Path) -> None:
    inner = zipped(("training.zip", zipped(("training.csv", TABLE))))
    (tmp_path / "x.zip").write_bytes(zipped(("training.zip", inner)))
    assert "another archive" in refusal(tmp_path / "x.zip")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(("training.csv", TABLE)))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "training.zip").write_bytes(data)
    assert "encrypted" in refusal(tmp_path / "training.zip")


def test_a_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "training.zip"
    path.write_bytes(zipped(("training.csv", bytes(8 << 20))))
    assert "times its size" in refusal(path)
    path.write_bytes(zipped(("training.zip", path.read_bytes())))
    assert "times its size" in refusal(path)


def test_the_limits_are_those_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, packed = tmp_path / "training.csv", tmp_path / "training.zip"
    table = TABLE * 10
    plain.write_bytes(table)
    packed.write_bytes(zipped(("training.csv", table)))
    assert read(packed) == table
    monkeypatch.setattr(settings, "MAX_EXPANSION", 2)
    assert "times its size" in refusal(packed)
    monkeypatch.setattr(settings, "MAX_TABLE_BYTES", len(table) - 1)
    assert "larger than" in refusal(packed)
    assert "larger than" in refusal(plain)


@pytest.mark.parametrize("claimed", [100, len(TABLE) - 1, len(TABLE) + 1])
def test_a_header_that_lies_about_the_size_is_found_out(tmp_path: Path, claimed: int) -> None:
    data = bytearray(zipped(("training.csv", TABLE)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.rindex(signature) + offset, claimed)
    (tmp_path / "training.zip").write_bytes(data)
    text = refusal(tmp_path / "training.zip")
    assert "damaged" in text or "incomplete" in text


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "training.csv"
    path.write_bytes(TABLE)
    with open_table(path, "training") as source:
        with path.open("ab") as more:
            more.write(b"1,1\n")
        with pytest.raises(UserError, match="longer than"):
            source.stream.read()


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("nested", [False, True])
def test_a_truncated_zip_is_damaged(tmp_path: Path, kept: float, nested: bool) -> None:
    whole = zipped(("training.csv", TABLE))
    data = whole[: int(len(whole) * kept)]
    if nested:
        data = zipped(("training.zip", data))
    (tmp_path / "x.zip").write_bytes(data)
    assert "damaged or incomplete" in refusal(tmp_path / "x.zip")


def test_damage_found_in_mid_stream_comes_after_good_data(tmp_path: Path) -> None:
    data = bytearray(zipped(("training.csv", TABLE), method=zipfile.ZIP_STORED))
    data[len(data) // 2] ^= 0x01
    (tmp_path / "training.zip").write_bytes(data)
    with open_table(tmp_path / "training.zip", "training") as source:
        assert source.stream.read(1000) == TABLE[:1000]
        with pytest.raises(UserError, match="damaged or incomplete"):
            source.stream.read()


def test_a_web_page_saved_as_a_zip_is_not_a_zip(tmp_path: Path) -> None:
    (tmp_path / "training.zip").write_text("<html>please log in</html>")
    assert "damaged" in refusal(tmp_path / "training.zip")


SMALL = zipped(("training.csv", b"a,b\n1,2\n" * 5))
NESTED = zipped(("training.zip", SMALL), method=zipfile.ZIP_STORED)


@given(data=mutated(SMALL) | mutated(NESTED))
def test_a_mutated_zip_raises_nothing_but_user_errors(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.zip"
    path.write_bytes(data)
    with suppress(UserError), open_table(path, "training") as source:
        assert len(source.stream.read()) <= source.size


@pytest.mark.parametrize(
    ("end", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
@pytest.mark.parametrize("named", [True, False])
def test_a_compressed_table_is_read(tmp_path: Path, end: str, pack, named: bool) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / (f"training.csv{end}" if named else "upload")
    path.write_bytes(pack(TABLE))
    assert read(path) == TABLE
    with open_table(path, "training") as source:
        assert source.name == ("training.csv" if named else "upload")
    if named:
        assert read(tmp_path) == TABLE
        assert not has_table(path, "test")
    path.write_bytes(pack(TABLE)[:-20])
    assert "damaged or incomplete" in refusal(path)
    path.write_bytes(pack(bytes(300 << 20)))
    assert "times its size" in refusal(path)
    path.write_bytes(pack(pack(TABLE)))
    assert "another archive" in refusal(path)


@pytest.mark.parametrize(
    ("end", "mode"),
    [
        (".tar", "w"),
        (".tar.gz", "w:gz"),
        (".tgz", "w:gz"),
        (".tar.bz2", "w:bz2"),
        (".tar.xz", "w:xz"),
    ],
)
def test_a_tar_is_read_as_a_zip_is(tmp_path: Path, end: str, mode: str) -> None:
    path = tmp_path / f"faces{end}"
    entries = (("faces/test.csv", b"no"), ("notes.txt", b"no"), ("faces/training.csv", TABLE))
    path.write_bytes(tarred(*entries, mode=mode))
    assert read(path) == TABLE
    assert read(path, "test") == b"no"
    assert has_table(path, "test")
    assert not has_table(path, "lookup")
    path = path.rename(tmp_path / "upload.csv")  # known by its content
    assert siblings(path) == ("faces/test.csv", "faces/training.csv", "notes.txt")
    assert has_table(path, "test")
    path.write_bytes(tarred(("../training.csv", TABLE), mode=mode))
    assert "points outside" in refusal(path)
    path.write_bytes(tarred(("training.zip", zipped(("training.csv", TABLE))), mode=mode))
    assert "another archive" in refusal(path)


def test_what_lies_beside_a_table_is_known_of_the_outermost_place(tmp_path: Path) -> None:
    (tmp_path / "training.csv").write_bytes(TABLE)
    assert siblings(tmp_path / "training.csv") == ()
    inner = zipped(("training.csv", TABLE), ("inner.txt", b"no"))
    (tmp_path / "training.csv").unlink()
    (tmp_path / "training.zip").write_bytes(inner)
    assert siblings(tmp_path / "training.zip") == ("inner.txt", "training.csv")
    assert siblings(tmp_path) == ("training.zip",)
    (tmp_path / "all.zip").write_bytes(zipped(("z.txt", b"no"), ("a/training.zip", inner)))
    assert siblings(tmp_path / "all.zip") == ("a/training.zip", "z.txt")


def test_a_tar_is_gone_through_twice_for_a_table_and_its_siblings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for its names, once for the table: a large one takes minutes to unpack."""
    opened = []
    real = tarfile.open
    monkeypatch.setattr(tarfile, "open", lambda *a, **k: opened.append(k) or real(*a, **k))
    path = tmp_path / "faces.tgz"
    path.write_bytes(tarred(("training.csv", TABLE), ("notes.txt", b"no")))
    opened.clear()
    with open_table(path, "training") as source:
        assert source.siblings == ("notes.txt", "training.csv")
        assert source.stream.read() == TABLE
    assert len(opened) == 2


def test_a_link_in_a_tar_leads_nowhere(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("training.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (tmp_path / "x.tar").write_bytes(buffer.getvalue())
    assert "does not hold training.csv" in refusal(tmp_path / "x.tar")


def test_a_folder_is_searched_at_any_depth_the_least_deep_table_first(tmp_path: Path) -> None:
    # What Windows makes of facial-keypoints-detection.zip and the training.zip in it.
    for name, data in (("training/training.csv", TABLE), ("test/test.csv", b"t"),
                       ("IdLookupTable.csv", b"l")):  # fmt: skip
        path = tmp_path / "facial-keypoints-detection" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert read(tmp_path) == TABLE
    assert (read(tmp_path, "test"), read(tmp_path, "lookup")) == (b"t", b"l")
    with open_table(tmp_path, "training") as source:
        assert source.entry == "facial-keypoints-detection/training/training.csv"
    (tmp_path / "training.csv").write_bytes(b"nearer")
    assert read(tmp_path) == b"nearer"
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "SampleSubmission.csv").write_bytes(b"1")
    assert "more than once" in refusal(tmp_path, "submission")


def test_what_lies_in_hidden_folders_is_passed_over(tmp_path: Path) -> None:
    for place in (".cache", "__MACOSX"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "training.csv").write_bytes(b"no")
    assert not has_table(tmp_path, "training")
    (tmp_path / "Thumbs.db").write_bytes(b"no")
    (tmp_path / "training.csv").write_bytes(TABLE)
    assert siblings(tmp_path) == ("training.csv",)


def test_a_folder_of_endless_files_is_not_searched_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fkd.formats.source.MAX_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.csv").touch()
    assert "more than 3 files" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive, not a CSV table; unpack it first"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook"),
        (b"\x80\x04\x95\x00\x00", "a Python pickle, which is never opened"),
    ],
)
def test_other_kinds_of_files_are_called_by_their_names(
    tmp_path: Path, start: bytes, words: str
) -> None:
    (tmp_path / "training.csv").write_bytes(start + bytes(100))
    assert words in refusal(tmp_path / "training.csv")


def test_a_workbook_says_why_it_cannot_hold_the_images(tmp_path: Path) -> None:
    path = tmp_path / "training.xlsx"
    path.write_bytes(zipped(("[Content_Types].xml", b""), ("xl/workbook.xml", b"")))
    assert "32,767 characters" in refusal(path)
