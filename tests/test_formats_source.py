import io
import os
import struct
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


def read(path: Path, kind: Kind = "training") -> bytes:
    with open_table(path, kind) as source:
        data = source.stream.read()
        assert len(data) == source.size
        return data


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
    assert "a.csv, b.csv" in text


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
    assert "leads out of the zip" in refusal(path)


def test_the_same_table_twice_is_ambiguous(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(("a/training.csv", TABLE), ("b/training.csv", TABLE)))
    assert "more than once" in refusal(path)


def test_three_zips_deep_is_too_deep(tmp_path: Path) -> None:
    inner = zipped(("training.zip", zipped(("training.csv", TABLE))))
    (tmp_path / "x.zip").write_bytes(zipped(("training.zip", inner)))
    assert "one more zip" in refusal(tmp_path / "x.zip")


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
