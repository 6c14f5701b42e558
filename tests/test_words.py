from __future__ import annotations

import pytest

from fkd.words import counted, listed


@pytest.mark.parametrize(
    ("names", "most", "text"),
    [
        ("", None, ""),
        ("a", None, "a"),
        ("ab", None, "a and b"),
        ("abcd", None, "a, b, c and d"),
        ("", 2, ""),
        ("ab", 2, "a and b"),
        ("abc", 2, "a, b and 1 more"),
        ("ab", 1, "a and 1 more"),
    ],
)
def test_listed(names: str, most: int | None, text: str) -> None:
    assert listed(names, most) == text
    assert listed(iter(names), most) == text


def test_many_more_are_counted() -> None:
    assert listed(map(str, range(2345)), 3) == "0, 1, 2 and 2,342 more"


def test_counted() -> None:
    assert [counted(n, "point") for n in (0, 1, 1234)] == ["0 points", "1 point", "1,234 points"]
    assert counted(1, "face was", "faces were") == "1 face was"
    assert counted(2, "face was", "faces were") == "2 faces were"
