"""Spoilt files of every kind: a result or one sentence, nothing else. ``benchmarks.fuzz`` does it
20,000 times."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import fuzz
from benchmarks.fuzz import Outcome, Readers, attack
from fkd.errors import printable

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Readers:
    return Readers(Path(tmp_path_factory.mktemp("fuzz")))


def test_hundreds_of_spoilt_files(readers):
    outcome = Outcome()
    for seed in range(700):
        if seed % len(readers.kinds) != 1:  # large photos take long
            attack(readers, seed, outcome)
    for seed in range(1, 200, 10 * 2):
        attack(readers, seed, outcome)
    assert not outcome.wrong
    assert set(outcome.done) == set(readers.kinds)
    assert max(outcome.memory.values()) < fuzz.MOST_BYTES
    assert max(outcome.seconds.values()) < fuzz.LIMIT_S


@pytest.mark.parametrize("seed", [565, 4493, 6823])
def test_those_that_were_not_as_they_should_be(seed, readers):
    outcome = Outcome()
    attack(readers, seed, outcome)
    assert not outcome.wrong


def test_whole_files_are_read(readers, monkeypatch):
    """Otherwise nothing would be tried but the first check of each reader."""
    monkeypatch.setattr(fuzz, "spoilt", lambda data, chance: data)
    for kind in ("photo", "photos in a zip", "groups", "labels", "labels in a zip"):
        for number in range(20):
            said = readers.kinds[kind](random.Random(number))
            assert not any("damaged" in one or "not an image" in one for one in said)
            assert all(printable(one) == one for one in said)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(wrong=["photo, seed 3: a traceback"]),
        Outcome(Counter(photo=1), [], {"photo": fuzz.MOST_BYTES + 1}, {"photo": 0.1}),
    ],
)
def test_what_is_wrong_fails_the_command(outcome, monkeypatch):
    monkeypatch.setattr(fuzz, "run", lambda count, first: outcome)
    assert fuzz.main(["1"]) == 1


def test_the_command():
    command = [sys.executable, "-m", "benchmarks.fuzz", "3"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "3 inputs, 0 wrong" in done.stdout
