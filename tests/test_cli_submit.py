"""What ``fkd submit`` says of row ids, and where it answers nothing."""

from __future__ import annotations

import numpy as np
import pytest

from fkd.cli import main
from fkd.dataset import Lookup
from fkd.keypoints import KAGGLE_15
from fkd.registry import datasets_folder
from fkd.storage import DatasetWriter
from fkd.synthetic.render import render_faces


def write(lookup: Lookup | None) -> None:
    """A dataset of a labelled face and a test image, 4, with that lookup table."""
    images, points = render_faces(3, 0, 2)
    folder = datasets_folder() / "two"
    folder.mkdir(parents=True)
    with DatasetWriter(folder, "two", KAGGLE_15) as writer:
        writer.add_training(images[:1], points[:1], np.arange(1))
        writer.add_test(images[1:], np.array([4]))
        if lookup is not None:
            writer.set_lookup(lookup)
        writer.finish(fingerprint="two", origin="test", sources={}, rejected_rows=0)


@pytest.fixture
def submit(tmp_path, capsys):
    def submit() -> tuple[int, str, list[str]]:
        target = tmp_path / "answers.csv"
        code = main(["submit", "--dataset", "two", "-o", str(target)])
        lines = target.read_text().splitlines() if target.exists() else []
        return code, capsys.readouterr().err, lines

    return submit


def test_without_a_lookup_table_it_says_how_rows_are_numbered(submit):
    write(None)
    code, said, lines = submit()
    assert code == 0
    assert "fkd: no lookup table was given for 'two', so row ids count from 1" in said
    assert "may not be Kaggle's" in said
    assert [line.split(",")[0] for line in lines[1:]] == [str(n) for n in range(1, 31)]


def test_with_one_there_is_nothing_to_say(submit):
    write(Lookup(np.array([12, 7]), np.array([4, 4]), np.array([0, 20])))
    code, said, lines = submit()
    assert (code, said) == (0, "")
    assert [line.split(",")[0] for line in lines[1:]] == ["12", "7"]
