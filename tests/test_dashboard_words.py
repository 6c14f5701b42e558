"""Numbers and names in words."""

from __future__ import annotations

import re

import pytest

from dashboard.words import about, compact, count_share, duration, plain, share, short_label


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (75, "1 min 15 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (7199, "2 h 00 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "5 s"),
        (43, "45 s"),
        (54.9, "55 s"),
        (55, "1 min"),
        (95, "2 min"),
        (3560, "59 min"),
        (3580, "1 h 00 min"),
        (5000, "1 h 25 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_roughly_known_times(seconds, said):
    assert about(seconds) == said


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, "–"),
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 3, "33 %"),
        (1, 70, "1.4 %"),
        (1, 10**6, "0.01 %"),
        (10**6 - 1, 10**6, "99.99 %"),
    ],
)
def test_shares_are_never_all_or_nothing_by_rounding(part, whole, said):
    assert share(part, whole) == said


def test_counts_have_their_share_beside_them():
    assert compact(7049) == "7,049"
    assert count_share(2140, 7049) == "2,140 (30 %)"


def test_names_get_short():
    assert short_label("left eye center") == "L eye"
    assert short_label("nose tip") == "nose tip"
    assert short_label("mouth right corner") == "mouth R"


def test_markdown_is_taken_literally():
    assert plain("![x](y) $a_b$") == r"\!\[x\](y) \$a\_b\$"


@pytest.mark.parametrize("text", ["http://a.example/x", "see HTTPS://b.example", "www.c.example"])
def test_addresses_are_no_links(text):
    assert not re.search(r"(?i)https?\\?:|www\.", plain(text))
    assert plain(text).replace("\u2060", "").replace("\\", "") == text


def test_mail_addresses_and_lines_that_would_be_lists_or_headings_stay_text():
    assert "@b" not in plain("a@b.example")
    lines = plain("Title\n---\n- one\n2. two").splitlines()
    assert [line[0] for line in lines] == ["T", "\u2060", "\u2060", "\u2060"]
    assert plain("1.75 px") == "1.75 px"
