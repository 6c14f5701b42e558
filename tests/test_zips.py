"""Entries of zips from outside, judged before they are unpacked."""

from __future__ import annotations

import zipfile

import pytest

from fkd import settings
from fkd.errors import UserError
from fkd.zips import HARMLESS_BYTES, check_entry, is_hidden, leads_out, too_large


def entry(name: str = "a/1.txt", size: int = 10, packed: int = 10, flags: int = 0):
    made = zipfile.ZipInfo(name)
    made.file_size, made.compress_size, made.flag_bits = size, packed, flags
    return made


BOMB = HARMLESS_BYTES * settings.MAX_EXPANSION


@pytest.mark.parametrize(
    ("made", "container", "words"),
    [
        (entry("../a.txt"), 100, "../a.txt points outside its zip"),
        (entry("a\\..\\..\\b"), 100, "a/../../b points outside its zip"),
        (entry(flags=1), 100, "a/1.txt is encrypted"),
        (entry(size=BOMB + 1), 100, "larger than 200 MB"),
        (entry(size=HARMLESS_BYTES + 1, packed=10), 100, "more than 200 times its size"),
        # What it says of its packed size cannot be, in so small a zip.
        (entry(size=BOMB, packed=BOMB), 100, "more than 200 times its size"),
    ],
)
def test_what_is_refused(made: zipfile.ZipInfo, container: int, words: str) -> None:
    with pytest.raises(UserError) as caught:
        check_entry(made, container, BOMB)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("made", "container"),
    [
        (entry(), 100),
        (entry(size=HARMLESS_BYTES, packed=1), 100),
        (entry(size=BOMB, packed=HARMLESS_BYTES), HARMLESS_BYTES),
    ],
)
def test_what_is_unpacked(made: zipfile.ZipInfo, container: int) -> None:
    check_entry(made, container, BOMB)


def test_names() -> None:
    out = ["../a", "/a", "a/../../b", "C:\\a", "..\\a", "C:a"]
    assert all(map(leads_out, out))
    assert not any(map(leads_out, ["a", "a/b", "a..b", "a/.b"]))
    hidden = ["__MACOSX/a/1.txt", "a/.b", "a\\.b", "Thumbs.db", "a/desktop.ini"]
    assert all(map(is_hidden, hidden))
    assert not any(map(is_hidden, ["a", ".a/b", "a.b"]))


def test_sizes_in_words() -> None:
    assert str(too_large("a", 20)) == "a is larger than 20 bytes, the most that is read."
    assert str(too_large("a", 3 << 30)) == "a is larger than 3,072 MB, the most that is read."
