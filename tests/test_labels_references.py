"""Which models judge labels: those that ended well, and whose error is near the smallest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evaluation_helper import (
    FOUR,
    labelled,
    learned_from,
    make_run,
    output_of,
    split_of,
    store_all,
    store_validation,
)

from fkd.evaluation.metrics import rmse
from fkd.evaluation.predictions import Predictions
from fkd.labels.references import (
    LIMIT,
    bundled_reference,
    reference,
    references,
    trusted,
    typical_errors,
    unseen_by,
)
from fkd.labels.states import Labels
from fkd.labels.suspects import find_suspects
from fkd.labels.unseen import SHAPE_ONLY
from fkd.models.sources import BUNDLED, TrainedModel
from fkd.training.status import (
    CANCELLED,
    CRASHED,
    FAILED,
    QUEUED,
    RUNNING,
    STOPPED,
    STOPPING,
    Status,
)

DATASET = labelled()
LABELS = np.asarray(DATASET.keypoints)
OUTPUT = output_of(DATASET, 1.0)


def trained(name: str, start: int = 0, dataset=DATASET, error: float = 1.0, **settings):
    """A run whose predictions of its validation part are stored: every fourth image."""
    model = make_run(dataset, name, split_of(dataset, 4, start), **settings)
    store_validation(model, dataset, output_of(dataset, error))
    return model


def in_state(model, **changes) -> None:
    folder = model.run.folder
    replace(Status.read(folder), **changes).write(folder)


def asked(*models) -> list[str]:
    """Which of ``models`` judge, in their order."""
    return [one.source.name for one in references(models, DATASET, LABELS).judging]


def test_only_the_validation_part_counts():
    one = reference(trained("one"), DATASET, LABELS)
    unseen = unseen_by([one], DATASET)
    np.testing.assert_array_equal(unseen.known, np.arange(len(DATASET)) % 4 == 0)
    np.testing.assert_array_equal(unseen.points[::4], OUTPUT[::4, :, :2])
    np.testing.assert_array_equal(unseen.expected[::4], OUTPUT[::4, :, 2])
    assert np.isnan(unseen.points[~unseen.known]).all()
    source = unseen.source_of(0)
    assert (source.name, source.images, source.may_have_seen) == ("one", 6, False)
    assert source.rmse_px == pytest.approx(rmse(OUTPUT[::4, :, :2], LABELS[::4]))
    assert unseen.source_of(1) == SHAPE_ONLY


def test_images_in_neither_part_count_where_the_model_was_asked_about_all():
    points = np.array(LABELS)
    points[2] = np.nan
    dataset = replace(DATASET, keypoints=points)
    split = split_of(dataset)
    split = replace(split, training=split.training[split.training != dataset.rows[2]])
    model = make_run(dataset, "one", split)
    store_all(model, dataset, output_of(dataset, 1.0))
    one = reference(model, dataset, points)
    unseen = unseen_by([one], dataset)
    assert unseen.known[2]
    assert unseen.known.sum() == len(dataset) // 4 + 1
    assert one.source.images == len(dataset) // 4  # measured where there are labels


def test_runs_on_other_data_and_models_without_a_run_say_nothing(tmp_path):
    other = trained("other", dataset=labelled(30, "other"))
    bundled = TrainedModel(BUNDLED, tmp_path / "compact.keras")
    bundled.path.write_bytes(b"no weights")
    unknown = make_run(DATASET, "unknown")  # it has left no predictions
    assert [reference(m, DATASET, LABELS) for m in (other, bundled, unknown)] == [None] * 3
    assert asked(other, bundled, unknown) == []


def test_a_model_that_does_not_say_how_sure_it_is():
    model = make_run(DATASET, "one")
    store_validation(model, DATASET, output_of(DATASET, 1.0, sure=False))
    unseen = unseen_by([reference(model, DATASET, LABELS)], DATASET)
    assert unseen.known.any()
    assert np.isnan(unseen.expected).all()


@pytest.mark.parametrize("state", [FAILED, CRASHED, CANCELLED, RUNNING, STOPPING, QUEUED])
def test_a_run_that_did_not_end_well_does_not_judge(state):
    good, other = trained("good"), trained("other", 1)
    in_state(other, state=state)
    choice = references((other, good), DATASET, LABELS)
    assert [one.source.name for one in choice.judging] == ["good"]
    assert choice.left_out == ("run 'other': not finished",)
    (other.run.folder / "status.json").write_text("{")
    assert asked(other, good) == ["good"]


def test_a_run_that_was_stopped_judges_once_an_epoch_was_validated():
    one = trained("one")
    in_state(one, state=STOPPED)
    assert asked(one) == ["one"]
    in_state(one, state=STOPPED, best_epoch=0)
    assert asked(one) == []


def test_a_run_of_one_batch_does_not_judge_though_it_is_the_only_one():
    bad = trained("bad", error=38.0)
    choice = references([bad], DATASET, LABELS)
    assert choice.judging == ()
    (words,) = choice.left_out
    assert words.startswith("run 'bad': RMSE ")
    assert words.endswith("px, too large to judge by")


def test_only_errors_near_the_best_judge():
    good, near, far = (
        trained(name, start, error=error)
        for name, start, error in (("good", 0, 1.0), ("near", 1, 1.3), ("far", 2, 1.9))
    )
    choice = references((far, near, good), DATASET, LABELS)
    assert [one.source.name for one in choice.judging] == ["good", "near"]
    assert f"more than {LIMIT:g} times the error of run 'good'" in choice.left_out[0]


def test_a_bad_run_beside_a_good_one_changes_nothing():
    dataset = labelled(80)
    points = np.array(dataset.keypoints)
    points[[4, 9, 40], 10] += 12
    labels = Labels.original(replace(dataset, keypoints=points))
    good = trained("good", dataset=dataset, error=1.0)
    bad = trained("bad", 1, dataset=dataset, error=38.0)
    same = trained("same", 0, dataset=dataset, error=38.0)

    def queue(*models):
        judging = references(models, dataset, labels.points).judging
        return find_suspects(labels, unseen_by(judging, dataset))

    alone = queue(good)
    assert int(dataset.rows[4]) in {s.row for s in alone}
    assert {s.source for s in alone} >= {"run 'good'"}
    assert queue(bad, same, good) == alone
    # It would, were it asked.
    asked = [reference(m, dataset, labels.points) for m in (bad, same, good)]
    assert find_suspects(labels, unseen_by(asked, dataset)) != alone


def test_wrong_labels_do_not_count_against_who_would_find_them():
    many = labelled(200)
    labels = np.array(many.keypoints)
    labels[4, 10] += 70
    one, two = (
        reference(trained(name, start, many), many, labels)
        for start, name in enumerate(("one", "two"))
    )
    assert one.source.rmse_px > 3 * two.source.rmse_px
    assert {r.source.name for r in trusted([one, two]).judging} == {"one", "two"}


def test_the_model_of_the_least_error_judges_an_image():
    models = [trained("a", error=1.2), trained("b", error=1.0), trained("c", 1, error=1.1)]
    assert [name for name in asked(*models) if name != "c"] == ["b", "a"]
    unseen = unseen_by(references(models, DATASET, LABELS).judging, DATASET)
    assert {unseen.source_of(at).name for at in range(0, 24, 4)} == {"b"}
    assert {unseen.source_of(at).name for at in range(1, 24, 4)} == {"c"}


def test_points_that_a_run_never_learned_stay_unknown():
    model = make_run(DATASET, "four", learned=learned_from())
    store_validation(model, DATASET, OUTPUT)
    one = reference(model, DATASET, LABELS)
    unseen = unseen_by([one], DATASET)
    np.testing.assert_array_equal(unseen.points[::4][:, FOUR], OUTPUT[::4][:, FOUR, :2])
    assert np.isnan(unseen.points[:, ~FOUR]).all()
    assert np.isnan(unseen.expected[:, ~FOUR]).all()
    assert np.isfinite(one.source.errors).tolist() == FOUR.tolist()
    assert unseen.known.sum() == 6


def test_runs_that_learned_more_points_come_first():
    most = np.arange(len(DATASET.schema)) > 2
    learned = {"few": (learned_from(), 0.9), "all": (None, 1.1), "most": (learned_from(most), 1.0)}
    models = [trained(n, learned=of, error=error) for n, (of, error) in learned.items()]
    assert asked(*models) == ["all", "most", "few"]


def test_the_bundled_model_is_one_among_others_where_it_has_not_seen_the_images():
    drawn = replace(labelled(240), manifest={"origin": "demo"})
    labels = np.asarray(drawn.keypoints)
    made = Predictions.of_output(BUNDLED, drawn.rows, output_of(drawn, 1.0))
    worse, best, bad = (
        reference(trained(name, start, drawn, error), drawn, labels)
        for start, (name, error) in enumerate((("worse", 1.1), ("best", 0.9), ("bad", 1.9)))
    )
    bundled = bundled_reference(drawn, made, labels)
    assert not bundled.source.may_have_seen
    found = trusted([worse, bundled, best]).judging
    assert [one.source.name for one in found] == ["best", BUNDLED, "worse"]
    assert trusted([bad, bundled]).judging == (bundled,)


def test_the_bundled_model_comes_last_where_it_may_have_seen_the_images():
    made = Predictions.of_output(BUNDLED, DATASET.rows, output_of(DATASET, 0.1))
    bundled = bundled_reference(DATASET, made, LABELS)
    assert bundled.source.may_have_seen
    one = reference(trained("one"), DATASET, LABELS)
    # It does well on what it has learned: that is no measure for others.
    assert list(trusted([bundled, one]).judging) == [one, bundled]


def test_a_typical_error_does_not_see_wrong_labels():
    away = np.hypot(*np.random.default_rng(0).normal(0, 2, (2, 4000, 2)))
    away[:200, 0] = 70
    away[:, 1] = np.nan
    errors = typical_errors(away)
    assert errors[0] == pytest.approx(2 * 2**0.5, rel=0.1)
    assert np.isnan(errors[1])
