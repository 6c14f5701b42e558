"""Queues that stay as they are, whatever trainings and people do meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluation_helper import (
    labelled,
    make_run,
    no_bundled_model,
    output_of,
    split_of,
    store_validation,
)
from statistics_helper import pictures

from fkd.labels import snapshots
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore
from fkd.labels.suspects import MISSING, WRONG
from fkd.measures import compute
from fkd.models.sources import trained_models
from fkd.settings import home
from fkd.training.status import RUNNING, Status

ROWS = 80
WRONG_AT = 4


def made():
    """Labels of which one has slipped, in an image that the run 'one' holds back."""
    dataset = labelled(ROWS)
    points = np.array(dataset.keypoints)
    points[WRONG_AT, 10] += (9, 9)
    points[8, 10] = np.nan
    return replace(dataset, keypoints=points, images=pictures(ROWS))


@pytest.fixture
def dataset(monkeypatch):
    no_bundled_model(monkeypatch)
    return made()


@pytest.fixture
def measures(dataset):
    return compute(dataset)


@pytest.fixture
def store(dataset):
    return LabelStore(dataset)


def train(dataset, name: str, start: int = 0, error: float = 1.0):
    model = make_run(dataset, name, split_of(dataset, 4, start))
    store_validation(model, dataset, output_of(labelled(ROWS), error))
    return model


def take(store, measures):
    return snapshots.take(store, measures, trained_models(), store.head())


def reopen(store, measures, name):
    return snapshots.reopen(store, measures, trained_models(), name)


def equal(one, other) -> None:
    assert one.suspects == other.suspects
    assert (one.stamps, one.left_out) == (other.stamps, other.left_out)
    assert (one.rows, one.unlabelled, one.version) == (other.rows, other.unlabelled, other.version)
    np.testing.assert_array_equal(one.unseen.points, other.unseen.points)
    np.testing.assert_array_equal(one.labels.points, other.labels.points)
    for a, b in zip(one.suspects, other.suspects, strict=True):
        assert (a.fix is None) == (b.fix is None)
        if a.fix is not None:
            np.testing.assert_array_equal(a.fix, b.fix)


def test_a_link_opens_the_same_queue_after_a_restart(dataset, store, measures):
    train(dataset, "one")
    first = take(store, measures)
    found = {s.row: s for s in first.suspects if s.kind == WRONG}
    assert found[int(dataset.rows[WRONG_AT])].fix is not None
    assert MISSING in {s.kind for s in first.suspects}
    assert [(source.name, count) for source, count in first.judged_by] == [("one", ROWS // 4)]
    equal(reopen(store, measures, first.id), first)
    assert take(store, measures).id != first.id


def test_trainings_and_corrections_do_not_change_it(dataset, store, measures):
    train(dataset, "one")
    first = take(store, measures)
    row = int(dataset.rows[WRONG_AT])
    store.save([Edit(row, 10, PointLabel(State.VISIBLE, 5, 5, Origin.EDITED))], "Ann")
    train(dataset, "two", 1, error=0.9)
    again = reopen(store, measures, first.id)
    equal(again, first)
    now = take(store, measures)
    assert now.version == 1
    assert [source.name for source, _ in now.judged_by] == ["two", "one"]


def test_predictions_of_a_model_that_has_changed_are_not_shown_as_its(dataset, store, measures):
    one = train(dataset, "one")
    first = take(store, measures)
    one.run.delete()
    again = reopen(store, measures, first.id)
    assert again.suspects == first.suspects
    assert not again.unseen.known.any()


def test_a_training_counts_only_once_it_has_ended(dataset):
    train(dataset, "one")
    before = snapshots.stamps(trained_models(), dataset)
    two = train(dataset, "two", 1)
    finished = snapshots.stamps(trained_models(), dataset)
    assert len(finished) == len(before) + 1
    replace(Status.read(two.run.folder), state=RUNNING).beating().write(two.run.folder)
    assert snapshots.stamps(trained_models(), dataset) == before
    train(labelled(30, "other"), "stranger")
    assert snapshots.stamps(trained_models(), dataset) == before


@pytest.mark.parametrize(
    "name", ["", "0" * 12, "../../etc/passwd", "0" * 64, "ABCDEFABCDEF", "０" * 12]
)
def test_ids_that_nobody_gave_open_nothing(store, measures, name):
    assert reopen(store, measures, name) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda v: "no JSON {",
        lambda v: json.dumps(v)[:200],
        lambda v: json.dumps({**v, "dataset": "other/0123"}),
        lambda v: json.dumps({**v, "version": 99}),
        lambda v: json.dumps({**v, "stamps": [[]]}),
        lambda v: json.dumps({**v, "suspects": [{**v["suspects"][0], "keypoints": [99]}]}),
        lambda v: json.dumps({**v, "suspects": [{**v["suspects"][0], "kind": "<b>"}]}),
        lambda v: json.dumps({**v, "suspects": [{**v["suspects"][0], "fix": [[1, 2]]}]}),
    ],
)
def test_a_damaged_file_is_no_queue(dataset, store, measures, damage):
    train(dataset, "one")
    first = take(store, measures)
    path = home() / "queues" / f"{first.id}.json"
    path.write_text(damage(json.loads(path.read_text())))
    assert reopen(store, measures, first.id) is None


def test_a_dataset_that_grows_does_not_make_the_queue_longer(dataset, store, measures):
    first = take(store, measures)
    grown = replace(
        dataset,
        images=np.concatenate([dataset.images, dataset.images[:1]]),
        keypoints=np.concatenate([dataset.keypoints, np.full_like(dataset.keypoints[:1], np.nan)]),
        rows=np.append(dataset.rows, dataset.rows[-1] + 1),
        content_hash="grown",
        manifest={"identity": dataset.content_hash},
    )
    assert LabelStore(grown).key == store.key
    again = reopen(LabelStore(grown), compute(grown), first.id)
    assert (again.rows, again.unlabelled) == (first.rows, first.unlabelled)


def test_the_rows_of_a_selection_are_kept_in_their_order(store):
    snapshots.keep_rows(store, "0" * 12, "sort=x", [9, 7, 8])
    assert snapshots.kept_rows(store, "0" * 12, "sort=x") == (9, 7, 8)
    assert snapshots.kept_rows(store, "0" * 12, "sort=y") is None
    assert snapshots.kept_rows(store, "../x", "sort=x") is None


def test_where_nothing_can_be_written_a_queue_lasts_as_long_as_the_program(
    store, measures, monkeypatch
):
    monkeypatch.setattr("fkd.scratch.writable", lambda folder: False)
    first = take(store, measures)
    assert reopen(store, measures, first.id) is not None
    assert not (home() / "queues").exists()


def test_a_full_disk_is_no_reason_not_to_show_it(store, measures, monkeypatch):
    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(snapshots, "replace_text", full)
    assert take(store, measures).rows
