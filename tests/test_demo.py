from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fkd.demo import DemoSpec, make_demo, write_demo_files
from fkd.errors import Cancelled, UserError
from fkd.formats import open_table, read_submission
from fkd.formats.report import Report
from fkd.ingest import ingest
from fkd.keypoints import KAGGLE_15
from fkd.registry import dataset_names, datasets_folder, open_named

SPEC = DemoSpec(rows=9, seed=4)


def test_equal_specs_give_equal_datasets_and_others_do_not() -> None:
    one, created = make_demo("a", SPEC)
    assert created
    assert make_demo("b", DemoSpec(rows=9, seed=4))[0].content_hash == one.content_hash
    hashes = {one.content_hash}
    for i, spec in enumerate((DemoSpec(9, 5), DemoSpec(8, 4))):
        hashes.add(make_demo(f"c{i}", spec)[0].content_hash)
    assert len(hashes) == 3


def test_more_rows_begin_with_the_same_faces() -> None:
    few, many = make_demo("a", DemoSpec(3, 1))[0], make_demo("b", DemoSpec(9, 1))[0]
    np.testing.assert_array_equal(few.images, many.images[:3])
    np.testing.assert_array_equal(few.keypoints, many.keypoints[:3])
    np.testing.assert_array_equal(few.test_images, many.test_images[:1])


@pytest.mark.parametrize(("rows", "test_rows"), [(1, 1), (3, 1), (8, 2), (9, 2), (1000, 250)])
def test_a_quarter_as_many_are_test_images(rows: int, test_rows: int) -> None:
    assert DemoSpec(rows=rows).test_rows == test_rows


def test_the_dataset_is_whole() -> None:
    dataset, _ = make_demo("demo", SPEC)
    assert (len(dataset), len(dataset.test_images)) == (9, 2)
    np.testing.assert_array_equal(dataset.test_image_ids, [1, 2])
    assert dataset.lookup is not None
    assert len(dataset.lookup) == 2 * len(KAGGLE_15.coordinate_names)
    assert dataset.manifest["origin"] == "demo"
    every = np.concatenate([dataset.images, dataset.test_images]).reshape(11, -1)
    assert len(np.unique(every, axis=0)) == 11  # no test face is a training face


def test_the_same_again_does_nothing_and_other_content_asks() -> None:
    make_demo("demo", SPEC)
    manifest = datasets_folder() / "demo" / "manifest.json"
    before = manifest.stat().st_mtime_ns
    for overwrite in (False, True):
        assert not make_demo("demo", SPEC, overwrite=overwrite)[1]
    other = DemoSpec(rows=3, seed=4)
    with pytest.raises(UserError, match=r"'demo' exists with other content.*remove that one"):
        make_demo("demo", other)
    assert manifest.stat().st_mtime_ns == before
    dataset, created = make_demo("demo", other, overwrite=True)
    assert (created, len(dataset), len(open_named("demo"))) == (True, 3, 3)


@pytest.mark.parametrize("file", ["manifest.json", "images.npy"])
def test_a_damaged_dataset_is_replaced_on_demand(file: str) -> None:
    make_demo("demo", SPEC)
    (datasets_folder() / "demo" / file).write_bytes(b"{")
    assert make_demo("demo", SPEC, overwrite=True)[1]


def test_the_written_files_hold_the_same_faces(tmp_path: Path) -> None:
    demo, _ = make_demo("demo", SPEC)
    folder = tmp_path / "out" / "files"
    paths = write_demo_files(folder, SPEC)
    assert {p.name for p in folder.iterdir()} == {p.name for p in paths}
    assert dataset_names() == ["demo"]
    dataset = ingest("files", folder).dataset
    for key in ("images", "keypoints", "rows", "test_images", "test_image_ids"):
        np.testing.assert_array_equal(getattr(dataset, key), getattr(demo, key))
    assert dataset.content_hash == demo.content_hash

    assert demo.lookup is not None
    with open_table(folder, "submission") as table:
        report = Report()
        submission = read_submission(table, report)
    assert not report
    np.testing.assert_array_equal(submission.row_ids, demo.lookup.row_ids)


def test_files_are_replaced(tmp_path: Path) -> None:
    write_demo_files(tmp_path, DemoSpec(2, 0))
    first = (tmp_path / "training.csv").read_bytes()
    write_demo_files(tmp_path, DemoSpec(2, 1))
    assert (tmp_path / "training.csv").read_bytes() != first
    write_demo_files(tmp_path, DemoSpec(2, 0))
    assert (tmp_path / "training.csv").read_bytes() == first


@pytest.mark.parametrize(
    ("rows", "seed", "words"),
    [(0, 0, "at least 1 row, not 0"), (-3, 0, "not -3"), (1, -1, "seed must be 0 or more")],
)
def test_impossible_specs_are_refused(rows: int, seed: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        DemoSpec(rows, seed)


def test_bad_names_are_refused_before_anything_is_drawn() -> None:
    with pytest.raises(UserError, match="cannot name a dataset"):
        make_demo("../demo", SPEC, progress=lambda *_: pytest.fail("drawn"))


def test_progress_is_reported_and_may_cancel() -> None:
    seen: dict[str, tuple[int, int]] = {}
    make_demo("demo", SPEC, progress=lambda stage, done, total: seen.update({stage: (done, total)}))
    assert seen == {"drawing training faces": (9, 9), "drawing test faces": (2, 2)}

    def cancel(stage: str, done: int, total: int) -> None:
        if stage == "drawing test faces":
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        make_demo("other", SPEC, progress=cancel)
    assert {p.name for p in datasets_folder().iterdir() if p.suffix != ".lock"} == {"demo"}
