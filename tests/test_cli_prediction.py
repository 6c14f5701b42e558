"""``fkd predict`` and ``fkd submit`` as a user runs them."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from inference_helper import scene
from kaggle_helper import run_fkd

from fkd.demo import DemoSpec, make_demo
from fkd.formats import Report, open_table, read_submission
from fkd.inference.frame import Frame
from fkd.keypoints import KAGGLE_15


@pytest.fixture
def folder(tmp_path):
    """A photo with a face, one without, a broken one."""
    photo, [points] = scene((1, Frame(330, 220, 220)))
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), photo.gray)
    cv2.imwrite(str(folder / "b.png"), np.full((200, 300), 90, np.uint8))
    (folder / "c.jpg").write_bytes(b"\xff\xd8\xff no photo")
    return folder, points


def test_a_folder_of_photos(folder, tmp_path):
    photos, points = folder
    target, drawn = tmp_path / "out" / "points.json", tmp_path / "drawn"
    done = run_fkd("predict", photos, "--json", target, "--annotated", drawn)
    assert done.returncode == 0
    assert done.stdout == ""
    assert "1 face on 1 photo; no face on 1 photo; 1 photo could not be read" in done.stderr
    assert "fkd: c.jpg " in done.stderr
    first, second, third = json.loads(target.read_text())
    assert (first["file"], first["width"], first["height"]) == ("a.png", 640, 480)
    [face] = first["faces"]
    assert 0.5 < face["score"] < 1
    found = np.array([[p["x"], p["y"]] for p in face["keypoints"].values()])
    assert tuple(face["keypoints"]) == KAGGLE_15.names
    assert np.hypot(*(found - points).T).mean() < 7
    assert second["faces"] == []
    assert set(third) == {"file", "error"}
    assert sorted(path.name for path in drawn.iterdir()) == ["a.png.png", "b.png.png"]
    assert cv2.imread(str(drawn / "a.png.png")).shape == (480, 640, 3)


def test_a_box_by_hand(folder):
    photos, points = folder
    done = run_fkd("predict", photos / "a.png", "--box", "225,115,210,210")
    assert done.returncode == 0
    [face] = json.loads(done.stdout)[0]["faces"]
    found = np.array([[p["x"], p["y"]] for p in face["keypoints"].values()])
    assert np.hypot(*(found - points).T).mean() < 7


def test_what_was_not_read_or_not_whole_is_told_on_stderr(folder, tmp_path):
    photos, _ = folder
    (photos / "labels.csv").write_text("1,2")
    (photos / "c.jpg").unlink()
    (photos / "b.png").unlink()
    whole = cv2.imencode(".jpg", np.full((200, 300), 90, np.uint8))[1].tobytes()
    (photos / "cut.jpg").write_bytes(whole[:-2])
    done = run_fkd("predict", photos)
    assert done.returncode == 0
    assert [one["file"] for one in json.loads(done.stdout)] == ["a.png", "cut.jpg"]
    assert "fkd: Not read in photos: labels.csv (not images in a supported format)." in done.stderr
    assert "fkd: cut.jpg: the last bytes of the file are missing." in done.stderr
    only = tmp_path / "only"
    only.mkdir()
    (only / "notes.txt").write_text("no photo")
    done = run_fkd("predict", only)
    assert done.returncode == 2
    assert "fkd: Not read in only: notes.txt (not images in a supported format)." in done.stderr
    assert "contains no images" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["c.jpg"], "The photo could not be read."),
        (["gone.jpg", "c.jpg"], "No photo could be read."),
        (["a.png", "--box", "1,2,3"], "'1,2,3' is not a box; write X,Y,W,H in px"),
        (["a.png", "--box", "1,2,0,3"], "width and height must be above 0"),
        ([".", "--box", "1,2,5,5"], "--box needs exactly one photo; 3 were given."),
        (["a.png", "--model", "nobody"], "nobody"),
    ],
)
def test_mistakes_are_one_sentence(folder, arguments, reason):
    photos, _ = folder
    words = [str(photos / arguments[0]), *arguments[1:]]
    if len(arguments) > 1 and not arguments[1].startswith("--"):
        words = [str(photos / name) for name in arguments]
    done = run_fkd("predict", *words)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_submission(tmp_path):
    dataset, _ = make_demo("demo", DemoSpec(rows=6, seed=3))
    target = tmp_path / "submission.csv"
    done = run_fkd("submit", "--dataset", "demo", "-o", target)
    assert done.returncode == 0
    assert f"{len(dataset.lookup):,} coordinates written" in done.stdout
    assert "RMSE on its validation split is" in done.stdout
    report = Report()
    with open_table(target, "submission") as source:
        found = read_submission(source, report)
    assert not report
    assert found.row_ids.tolist() == dataset.lookup.row_ids.tolist()
    assert (found.locations >= 0).all()
    assert (found.locations <= KAGGLE_15.width).all()
