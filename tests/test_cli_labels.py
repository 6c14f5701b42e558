"""The history of labels on the command line."""

from __future__ import annotations

import getpass
import json

import pytest
from training_helper import NAME, put_tiny

from fkd.cli import main
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore


@pytest.fixture
def store(tiny_drawn, monkeypatch) -> LabelStore:
    """Two versions: Ann's of two images, then Bob's of one."""
    monkeypatch.delenv("FKD_DATABASE_URL", raising=False)
    store = LabelStore(put_tiny(tiny_drawn))
    store.save([_put(3, 10), _put(5, 20), _put(5, 30, 1)], "Ann", note="slipped")
    accepted = PointLabel(State.VISIBLE, 11, 12, Origin.PREDICTION, "compact-1")
    store.save([Edit(3, 0, accepted), Edit(3, 2, PointLabel(State.ABSENT))], "Bob")
    return store


def _put(row: int, x: float, keypoint: int = 0) -> Edit:
    return Edit(row, keypoint, PointLabel(State.VISIBLE, x, 40.0, Origin.EDITED))


@pytest.fixture
def fkd(capsys):
    """What a verb ends with and prints on both streams."""

    def fkd(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["labels", *map(str, words)])
        return code, *capsys.readouterr()

    return fkd


def test_log_lists_the_versions_the_latest_first(store, fkd):
    code, out, err = fkd("log", NAME)
    assert (code, err) == (0, "")
    head, latest, first = (line.split() for line in out.splitlines())
    assert head == ["version", "when", "who", "what", "rows", "points", "note"]
    assert [latest[0], *latest[3:]] == ["2", "Bob", "save", "1", "2"]
    assert [first[0], *first[3:]] == ["1", "Ann", "save", "2", "3", "slipped"]
    assert fkd("log", NAME, "--limit", 1)[1].splitlines()[1:] == out.splitlines()[1:2]
    assert fkd("log", NAME, "--limit", 0)[1] == out
    of_row = fkd("log", NAME, "--row", 5)[1].splitlines()[1].split()
    assert [of_row[0], *of_row[3:6]] == ["1", "Ann", "save", "1"]


def test_log_as_json(store, fkd):
    found = json.loads(fkd("log", NAME, "--json")[1])
    assert [(v["number"], v["author"], v["rows"], v["points"]) for v in found] == [
        (2, "Bob", [3], 2),
        (1, "Ann", [3, 5], 3),
    ]
    assert found[1] == {**vars(store.versions()[0]), "rows": [3, 5], "points": 3}


def test_where_nothing_was_changed(store, fkd):
    assert fkd("log", NAME, "--row", 7)[1] == f"No changes yet in row 7 of '{NAME}'.\n"
    assert json.loads(fkd("log", NAME, "--row", 7, "--json")[1]) == []
    assert fkd("diff", NAME, 1, 1)[1] == "Versions 1 and 1 are the same.\n"
    assert json.loads(fkd("diff", NAME, 1, 1, "--json")[1]) == []


def test_undo_and_redo(store, fkd):
    assert fkd("undo", NAME, "--author", "Eve") == (
        0,
        f"{NAME}: version 2 is undone, saved as version 3: 2 points in 1 row changed\n",
        "",
    )
    assert store.label(3, 0).x == 10
    assert store.versions()[-1].author == "Eve"
    code, out, _ = fkd("redo", NAME)
    assert (code, out.split(":")[1]) == (0, " version 2 is redone, saved as version 4")
    assert store.versions()[-1].author == getpass.getuser()
    assert store.label(3, 0).source == "compact-1"
    code, out, err = fkd("redo", NAME)
    assert (code, out) == (2, "")
    assert err == f"fkd: There is nothing to redo in '{NAME}'.\n"
    out = fkd("undo", NAME, "--row", 5)[1]
    assert "version 1 is undone, saved as version 5: 2 points in 1 row changed" in out
    assert store.label(3, 0).x == 11
    assert fkd("undo", NAME, "--row", 5)[2] == "fkd: There is nothing to undo in row 5.\n"
    assert "undo of 1" in fkd("log", NAME)[1].splitlines()[1]


def test_revert(store, fkd):
    was = store.dataset.keypoints[:, 0, 0].tolist()
    assert fkd("revert", NAME, 0, "--row", 3, "--author", "Eve") == (
        0,
        f"{NAME}: reverted to version 0, saved as version 3: 2 points in 1 row changed\n",
        "",
    )
    assert (store.label(3, 0).x, store.label(5, 0).x) == (was[3], 20)
    out = fkd("revert", NAME, 0, "--row", 3)[1]
    assert out == f"{NAME}: the labels are those of version 0 already\n"
    fkd("revert", NAME, 2)
    assert store.label(3, 0).x == 11
    code, out, err = fkd("revert", NAME, 9)
    assert (code, out) == (2, "")
    assert err.startswith(f"fkd: The labels of '{NAME}' have no version 9; the latest is 4,")


def test_diff_says_what_became_of_each_point(store, fkd):
    names = store.dataset.schema.names
    lines = fkd("diff", NAME, 1, 2)[1].splitlines()
    assert lines[0].split() == ["row", "keypoint", "old", "new", "origin"]
    assert len(lines) == 3
    assert lines[1].split() == [
        *("3", names[0], "visible", "10.00,", "40.00", "visible", "11.00,", "12.00"),
        *("prediction", "compact-1"),
    ]
    assert "absent" in lines[2]
    back = fkd("diff", NAME, 2, 1, "--json")[1]
    assert json.loads(back)[0] == {
        "row": 3,
        "keypoint": names[0],
        "old": {
            "state": "visible",
            "x": 11,
            "y": 12,
            "origin": "prediction",
            "source": "compact-1",
        },
        "new": {"state": "visible", "x": 10, "y": 40, "origin": "edited", "source": ""},
    }
    assert {c["row"] for c in json.loads(fkd("diff", NAME, 0, 2, "--json")[1])} == {3, 5}
    assert {c["row"] for c in json.loads(fkd("diff", NAME, 0, 2, "--row", 5, "--json")[1])} == {5}


@pytest.mark.parametrize("action", [["log"], ["undo"], ["redo"], ["revert", 0], ["diff", 0, 1]])
def test_what_is_not_there_is_one_line(store, fkd, action):
    verb, *more = action
    code, out, err = fkd(verb, "nothing", *more)
    assert (code, out) == (2, "")
    assert "There is no dataset 'nothing'" in err
    assert len(err.splitlines()) == 1
    for row in (24, (1 << 31) - 1):
        code, out, err = fkd(verb, NAME, *more, "--row", row)
        assert (code, out, err) == (2, "", f"fkd: Dataset '{NAME}' has no row {row}.\n")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["forget", NAME],
        ["revert", NAME],
        ["revert", NAME, "-1"],
        ["revert", NAME, str(1 << 70)],
        ["diff", NAME, "1"],
        ["log", NAME, "--row", "x"],
        ["log", NAME, "--limit", "-1"],
    ],
)
def test_wrong_words_exit_with_2(store, words):
    with pytest.raises(SystemExit) as caught:
        main(["labels", *words])
    assert caught.value.code == 2


def test_nobody_s_name_has_to_be_said(store, fkd, monkeypatch):
    def unknown() -> str:
        raise OSError("no login name")

    monkeypatch.setattr(getpass, "getuser", unknown)
    code, out, err = fkd("undo", NAME)
    assert (code, out) == (2, "")
    assert err == "fkd: Say who you are with --author NAME: changes are kept with it.\n"
    assert fkd("undo", NAME, "--author", "Ann")[0] == 0


def test_a_database_that_cannot_be_reached_is_one_line(store, fkd, monkeypatch):
    monkeypatch.setenv("FKD_DATABASE_URL", "postgresql://ann:pa55word@127.0.0.1:1/labels")
    code, out, err = fkd("undo", NAME)
    assert (code, out) == (2, "")
    assert err.startswith("fkd: The label database cannot be reached: 'labels' on 127.0.0.1 (")
    assert len(err.splitlines()) == 1
    assert "pa55word" not in err
