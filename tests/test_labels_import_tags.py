"""Tags go out with labels and come back."""

from __future__ import annotations

import json

import pytest
from labels_helper import ROWS, store_at

from fkd.labels.at import labels_at
from fkd.labels.exchange import export, read
from fkd.labels.importing import plan_dataset, plan_import, save_dataset, save_import
from fkd.labels.store import LabelStore
from fkd.labels.tags import EXCLUDED, give, read_tags, take, with_tags


@pytest.fixture
def store():
    return store_at(None)


def rows_of(store) -> dict[str, list[int]]:
    return {tag: rows.tolist() for tag, rows in read_tags(store).rows.items()}


@pytest.fixture
def tagged(store):
    give(store, [7, 9], "hat", "Ann")
    give(store, [9], EXCLUDED, "Ann")
    return store


def plan(store, path, form):
    imported = read(path, form, store.dataset.schema)
    return plan_import(imported, store.dataset, labels_at(store), form, "file")


@pytest.mark.parametrize(
    ("form", "name"), [("coco", "out"), ("coco", "out.zip"), ("kaggle", "a.csv")]
)
def test_tags_come_back(tagged, tmp_path, form, name):
    before = rows_of(tagged)
    export(tagged.dataset, with_tags(labels_at(tagged), tagged), form, tmp_path / name)
    assert plan(tagged, tmp_path / name, form).changes_nothing
    for tag in before:
        take(tagged, ROWS, tag, "Bob")
    give(tagged, [5], "mine", "Bob")
    found = plan(tagged, tmp_path / name, form)
    assert "2 images to be tagged: excluded and hat." in found.lines()
    assert not found.edits
    assert not found.changes_nothing
    assert save_import(found, tagged.dataset, "Cy") == "2 images tagged"
    assert rows_of(tagged) == {**before, "mine": [5]}  # none is taken away


@pytest.mark.parametrize("form", ["coco", "kaggle"])
def test_tags_come_along_to_a_new_dataset(tagged, tmp_path, form):
    export(tagged.dataset, with_tags(labels_at(tagged), tagged), form, tmp_path / "out.zip")
    imported = read(tmp_path / "out.zip", form, tagged.dataset.schema)
    found = plan_dataset("copy", imported, form, "out.zip")
    dataset, said = save_dataset("copy", found, "Cy")
    tags = read_tags(LabelStore(dataset))
    expected = {"coco": {"hat": [7, 9], EXCLUDED: [9]}, "kaggle": {"hat": [1, 2], EXCLUDED: [2]}}
    assert {tag: rows.tolist() for tag, rows in tags.rows.items()} == expected[form]
    assert "2 images tagged" in said


def test_without_tags_files_are_as_before(store, tmp_path):
    export(store.dataset, with_tags(labels_at(store), store), "kaggle", tmp_path / "a.csv")
    export(store.dataset, with_tags(labels_at(store), store), "coco", tmp_path / "out")
    assert (tmp_path / "a.csv").read_text().splitlines()[0].endswith("Image")
    assert "tags" not in (tmp_path / "out" / "annotations.json").read_text()


@pytest.mark.parametrize(
    "tags",
    ["hat", {"a": 1}, [1, None, ["x"]], ["=cmd()", "a,b", "", "x" * 500], None, ["t"] * 9999],
)
def test_hostile_tags_harm_nothing(store, tmp_path, tags):
    export(store.dataset, with_tags(labels_at(store), store), "coco", tmp_path / "out")
    path = tmp_path / "out" / "annotations.json"
    root = json.loads(path.read_text())
    for image in root["images"]:
        image["tags"] = tags
    path.write_text(json.dumps(root))
    found = plan(store, tmp_path / "out", "coco")
    assert set(found.tags) <= {"t"}
