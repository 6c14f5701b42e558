from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkd.evaluation.images import Predicted
from fkd.keypoints import KAGGLE_15
from fkd.labels.tags import Tags
from fkd.measures import Measures, orders
from fkd.selection import (
    ERROR,
    FLAGS,
    QUANTITIES,
    QUERY_KEYS,
    ROW,
    Range,
    Selection,
    counts,
    kind_of,
    pattern_words,
    select,
)
from fkd.spans import spans
from fkd.statistics.thresholds import OUTLIER_SCORE

K = len(KAGGLE_15)
NAMES = KAGGLE_15.names


TAGS = Tags(3, {"blurred": np.arange(0, 40, 3), "hat, no": np.array([1, 2, 30])})


def numbers(rows: str) -> set[int]:
    """The rows that a text of spans names, up to 99."""
    parts = [[int(end) for end in part.split("-")] for part in rows.split(",")]
    return {n for ends in parts for n in range(ends[0], min(ends[-1], 99) + 1)}


def random_measures(seed: int, rows: int = 40, test_rows: int = 15) -> Measures:
    """Measures with many ties, NaN scores and repeated patterns."""
    rng = np.random.default_rng(seed)
    few = rng.random((4, K)) < rng.choice([0.3, 0.9, 1.0], (4, 1))
    present = few[rng.integers(0, 4, rows)].T.copy()
    count = present.sum(axis=0).astype(np.int16)

    def coarse(n: int) -> np.ndarray:
        return rng.integers(0, 5, n).astype(np.float32)

    outlier = coarse(rows)
    outlier[rng.random(rows) < 0.3] = np.nan
    no_pairs = np.empty(0, np.int64)
    return Measures.of(
        present=present,
        n_present=count,
        source=np.where(count == 0, -1, 2 * count > K).astype(np.int8),
        outlier=outlier,
        point_outlier=np.zeros((rows, K), np.float32),
        swapped=rng.random(rows) < 0.3,
        outside=rng.random(rows) < 0.3,
        brightness=coarse(rows),
        contrast=coarse(rows),
        sharpness=-coarse(rows),
        duplicate=rng.integers(-1, 2, rows).astype(np.int32),
        test_brightness=coarse(test_rows),
        test_contrast=coarse(test_rows),
        test_sharpness=-coarse(test_rows),
        test_duplicate=rng.integers(-1, 2, test_rows).astype(np.int32),
        pair_a=no_pairs,
        pair_b=no_pairs,
        pair_similarity=no_pairs.astype(np.float32),
        pair_label_distance=no_pairs.astype(np.float32),
        pair_exact=no_pairs.astype(bool),
    )


def random_predicted(seed: int, rows: int = 40) -> Predicted:
    """Errors with many ties, unknown for some images."""
    rng = np.random.default_rng(seed + 1000)
    error = rng.integers(0, 5, rows).astype(np.float32)
    error[rng.random(rows) < 0.3] = np.nan
    points = np.zeros((rows, K, 2), np.float32)
    return Predicted("m", points, None, error, rng.random(rows) < 0.5, orders([error]), rows)


def reference(m: Measures, s: Selection, p: Predicted | None = None) -> list[int]:
    """What ``select`` promises, image by image."""
    test = s.part == "test"

    def flag(key: str, i: int) -> bool:
        n = m.n_present[i] if not test else 0
        group = m.test_duplicate if test else m.duplicate
        return {
            "complete": lambda: n == K,
            "incomplete": lambda: n < K,
            "many": lambda: m.source[i] == 1,
            "few": lambda: m.source[i] == 0,
            "outlier": lambda: m.outlier[i] >= OUTLIER_SCORE,
            "swapped": lambda: m.swapped[i],
            "outside": lambda: m.outside[i],
            "duplicate": lambda: group[i] >= 0,
            "heldback": lambda: p is None or p.held_back[i],
        }[key]()

    def quantity(key: str, i: int) -> float:
        if key == "missing":
            return float(K - m.n_present[i])
        if key == ERROR:
            return float(p.error[i]) if p else math.nan
        return float(getattr(m, f"test_{key}" if test else key)[i])

    def keeps(i: int) -> bool:
        kinds = {FLAGS[key].kind for key in s.flags}
        return (
            all(any(flag(key, i) for key in s.flags if FLAGS[key].kind == kind) for kind in kinds)
            and (not s.lacking or any(not m.present[NAMES.index(n)][i] for n in s.lacking))
            and (not s.tags or any(i in TAGS.rows.get(tag, ()) for tag in s.tags))
            and (not s.rows or i in numbers(s.rows))
            and (not s.pattern or s.pattern == "".join(str(int(p)) for p in m.present[:, i]))
            and all(
                r.low <= quantity(r.quantity, i) <= r.high
                for r in s.ranges
                if p or r.quantity != ERROR
            )
        )

    kept = [i for i in range(len(m.test_brightness if test else m.n_present)) if keeps(i)]
    if s.sort == ROW or (s.sort == ERROR and not p):
        return kept[::-1] if s.descending else kept
    known = [i for i in kept if not math.isnan(quantity(s.sort, i))]
    unknown = [i for i in kept if math.isnan(quantity(s.sort, i))]
    sign = -1 if s.descending else 1
    return sorted(known, key=lambda i: sign * quantity(s.sort, i)) + unknown


@st.composite
def selections(draw: st.DrawFn, ends: st.SearchStrategy[float] | None = None) -> Selection:
    """Selections that mean something, as the pages make them."""
    ends = ends if ends is not None else st.integers(-5, 5).map(float)
    part = draw(st.sampled_from(["training", "test"]))
    model = draw(st.sampled_from(["", "compact-1"]))
    flags = [key for key in FLAGS if FLAGS[key].known(part, model)]
    quantities = [key for key in QUANTITIES if QUANTITIES[key].known(part, model)]
    bounded = draw(st.sets(st.sampled_from(quantities), max_size=2))
    training = part == "training"
    pattern = st.just("") | st.text("01", min_size=K, max_size=K)
    return Selection(
        part=part,
        model=model,
        flags=tuple(draw(st.lists(st.sampled_from(flags), unique=True, max_size=2))),
        lacking=tuple(draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=training * 2))),
        tags=tuple(
            draw(st.lists(st.sampled_from(["blurred", "hat", "gone"]), unique=True, max_size=2))
            if training
            else ()
        ),
        rows=spans(draw(st.lists(st.integers(0, 50), max_size=5))) if training else "",
        pattern=draw(pattern) if training else "",
        ranges=tuple(Range(key, draw(ends), draw(ends)) for key in QUANTITIES if key in bounded),
        sort=draw(st.sampled_from([ROW, *quantities])),
        descending=draw(st.booleans()),
    )


# Links


@given(selections(st.integers(-99_999, 99_999).map(lambda n: n / 1000)))
def test_a_link_brings_back_the_selection(selection: Selection) -> None:
    query = selection.to_query()
    assert Selection.from_query(query, KAGGLE_15) == selection
    assert all(isinstance(value, str) and value for value in query.values())


def test_a_link_brings_back_the_very_bounds() -> None:
    bound = float(np.float32(127.43219))
    selection = Selection(ranges=(Range("brightness", bound, bound),))
    assert Selection.from_query(selection.to_query(), KAGGLE_15) == selection


def test_defaults_make_an_empty_link() -> None:
    assert Selection().to_query() == {}
    assert Selection.from_query({}, KAGGLE_15) == Selection()


KEYS = [*QUERY_KEYS]
PIECES = [*FLAGS, *NAMES[:2], *QUANTITIES, "test", "desc", "0" * K, "1..2", "nan..1", "-inf..inf"]
PIECES += ["blurred", "3-5", "9-1", "0-999999999999"]
HOSTILE = st.text() | st.lists(st.sampled_from([*PIECES, ",", "..", " ", "\0"])).map("".join)


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from(KEYS) | st.text(), HOSTILE | st.sampled_from(PIECES)),
    st.integers(0, 2),
)
def test_hostile_links_select_something(query: dict[str, str], seed: int) -> None:
    selection = Selection.from_query(query, KAGGLE_15)
    measures = random_measures(seed)
    for predicted in (None, random_predicted(seed)):
        found = select(measures, KAGGLE_15, selection, predicted, TAGS).tolist()
        assert found == reference(measures, selection, predicted)
    selection.describe(KAGGLE_15)
    assert selection.of_part(selection.part) == selection


@pytest.mark.parametrize(
    "query",
    [
        {"part": "validation"},
        {"filter": "no-such-flag,,"},
        {"lacking": "left_ear"},
        {"pattern": "1" * (K - 1)},
        {"pattern": "2" * K},
        {"brightness": "dark"},
        {"brightness": "1"},
        {"brightness": "1..2..3"},
        {"brightness": "nan..2"},
        {"brightness": "0..inf"},
        {"sort": "name"},
        {"order": "down"},
        {"part": "", "sort": ""},
        {"model": "", "sort": "error", "error": "1..2", "filter": "heldback"},
    ],
)
def test_what_a_link_does_not_know_is_left_out(query: dict[str, str]) -> None:
    assert Selection.from_query(query, KAGGLE_15) == Selection()


def test_repeated_flags_count_once() -> None:
    found = Selection.from_query({"filter": "few,outlier,few"}, KAGGLE_15)
    assert found.flags == ("few", "outlier")


def test_a_link_to_test_images_asks_them_nothing_they_lack() -> None:
    query = {
        "part": "test",
        "filter": "outlier,duplicate",
        "lacking": NAMES[0],
        "pattern": "1" * K,
        "missing": "0..3",
        "brightness": "1..2",
        "sort": "outlier",
        "order": "desc",
    }
    assert Selection.from_query(query, KAGGLE_15) == Selection(
        part="test", flags=("duplicate",), ranges=(Range("brightness", 1, 2),), descending=True
    )


# Parts and words


@given(selections())
def test_the_other_part_drops_what_does_not_apply(selection: Selection) -> None:
    test = selection.of_part("test")
    assert test.part == "test"
    assert set(test.flags) == set(selection.flags) & {"duplicate"}
    assert (test.lacking, test.pattern) == ((), "")
    assert {r.quantity for r in test.ranges} <= {"brightness", "contrast", "sharpness"}
    assert test.sort not in {"missing", "outlier", "error"}
    assert (test.descending, test.model) == (selection.descending, selection.model)
    assert not test.asks_model
    back = test.of_part("training")
    assert back == replace(test, part="training")
    assert back.of_part("test") == test


@given(selections())
def test_without_a_model_nothing_asks_for_one(selection: Selection) -> None:
    bare = selection.with_model("")
    assert not bare.asks_model
    assert bare.with_model(selection.model) == replace(bare, model=selection.model)
    if not selection.asks_model:
        assert bare == replace(selection, model="")


@pytest.mark.parametrize(
    "asks",
    [{"sort": ERROR}, {"flags": ("heldback",)}, {"ranges": (Range(ERROR, 2, 5),)}],
)
def test_what_asks_for_a_model(asks: dict[str, object]) -> None:
    selection = Selection(model="compact-1", **asks)
    assert selection.asks_model
    assert Selection.from_query(selection.to_query(), KAGGLE_15) == selection
    assert selection.with_model("") == Selection()


@given(selections())
def test_unfiltered_keeps_part_and_order_only(selection: Selection) -> None:
    bare = selection.unfiltered()
    assert not bare.filtered
    assert (bare.part, bare.sort, bare.descending) == (
        selection.part,
        selection.sort,
        selection.descending,
    )
    assert selection.filtered == (bare != selection)
    assert bool(selection.describe(KAGGLE_15)) == selection.filtered


MENTIONED = ("nose_tip", "mouth_left_corner")


def test_filters_are_told_in_words() -> None:
    nose, mouth = (k.label for k in KAGGLE_15.keypoints if k.name in MENTIONED)
    selection = Selection(
        flags=("outlier", "complete", "swapped"),
        lacking=MENTIONED,
        tags=("hat", "excluded"),
        ranges=(Range("brightness", 10, 20.5), Range("missing", 2, 2)),
        rows="3",
    )
    assert selection.describe(KAGGLE_15) == (
        f"complete, unusual shape or left and right swapped, missing {nose} or missing {mouth}, "
        "tag hat or excluded from training, brightness 10–20.5, missing points 2, chosen images"
    )


def test_a_label_source_is_called_after_its_points() -> None:
    measures = random_measures(0, rows=30)
    for key, source in (("many", 1), ("few", 0)):
        points = measures.n_present[measures.source == source]
        usual = np.bincount(points).argmax()
        assert FLAGS[key].words(measures) == f"{usual}-point source"
    assert FLAGS["few"].words(random_measures(0, rows=0)) == "source of few points"


def test_patterns_are_told_by_the_shorter_list() -> None:
    only = ["0"] * K
    only[0] = only[K - 1] = "1"
    words = "left eye center + mouth center bottom lip"
    assert pattern_words("".join(only), KAGGLE_15) == words
    but = "".join("10"[int(bit)] for bit in only)
    assert pattern_words(but, KAGGLE_15) == f"all but {words.replace(' + ', ', ')}"
    assert pattern_words("1" * K, KAGGLE_15) == "all points"
    assert pattern_words("0" * K, KAGGLE_15) == "no points"


# Selecting


@settings(max_examples=60)
@given(selections(), st.integers(0, 5))
def test_selecting_agrees_with_looking_at_each_image(selection: Selection, seed: int) -> None:
    measures = random_measures(seed)
    for predicted in (None, random_predicted(seed)):
        found = select(measures, KAGGLE_15, selection, predicted, TAGS)
        assert found.tolist() == reference(measures, selection, predicted)


@settings(max_examples=40)
@given(selections(), st.integers(0, 5))
def test_an_option_counts_what_choosing_it_alone_of_its_kind_would_show(
    selection: Selection, seed: int
) -> None:
    measures, predicted = random_measures(seed), random_predicted(seed)
    found = counts(measures, KAGGLE_15, selection, predicted, TAGS)
    for option, count in found.items():
        alone = selection
        for other in selection.options:
            if kind_of(other) == kind_of(option):
                alone = alone.without_option(other)
        chosen = alone.with_option(option)
        assert len(select(measures, KAGGLE_15, chosen, predicted, TAGS)) == count, option


@given(selections())
def test_options_are_added_and_taken_away(selection: Selection) -> None:
    bare = selection
    for option in selection.options:
        bare = bare.without_option(option)
    assert bare == selection.unfiltered()
    for option in selection.options:
        if option in FLAGS or option.startswith(("lacks:", "tag:")):
            bare = bare.with_option(option)
    chosen = (set(bare.flags), bare.lacking, bare.tags)
    assert chosen == (set(selection.flags), selection.lacking, selection.tags)


def test_rows_are_those_of_the_source() -> None:
    measures = random_measures(0, rows=4)
    rows = np.array([5, 7, 9, 11])
    found = select(measures, KAGGLE_15, Selection(rows="6-9"), rows=rows)
    assert found.tolist() == [1, 2]
    tags = Tags(1, {"hat": np.array([5, 11])})
    found = select(measures, KAGGLE_15, Selection(tags=("hat",)), None, tags, rows)
    assert found.tolist() == [0, 3]


@given(selections())
def test_without_measures_nothing_asks_for_them(selection: Selection) -> None:
    bare = selection.without_measures()
    assert not bare.asks_measures
    assert (bare.lacking, bare.tags, bare.model) == (
        selection.lacking,
        selection.tags,
        selection.model,
    )
    if not selection.asks_measures:
        assert bare == selection


@given(st.integers(0, 20), st.integers(0, 39))
def test_the_pattern_of_an_image_finds_that_image(seed: int, i: int) -> None:
    measures = random_measures(seed)
    pattern = "".join(str(int(bit)) for bit in measures.present[:, i])
    found = select(measures, KAGGLE_15, Selection(pattern=pattern))
    assert i in found
    assert (measures.present[:, found] == measures.present[:, [i]]).all()


@pytest.mark.parametrize("descending", [False, True])
def test_unknown_scores_come_last_and_ties_keep_their_order(descending: bool) -> None:
    measures = random_measures(0, rows=6)
    columns = {f.name: getattr(measures, f.name) for f in fields(measures)}
    columns = {name: values for name, values in columns.items() if not name.endswith("order")}
    scores = np.array([2, np.nan, 5, 2, np.nan, 5], np.float32)
    measures = Measures.of(**{**columns, "outlier": scores})
    found = select(measures, KAGGLE_15, Selection(sort="outlier", descending=descending))
    assert found.tolist() == ([2, 5, 0, 3, 1, 4] if descending else [0, 3, 2, 5, 1, 4])


def test_rows_in_reverse() -> None:
    found = select(random_measures(0, rows=4), KAGGLE_15, Selection(descending=True))
    assert found.tolist() == [3, 2, 1, 0]


def test_both_ends_of_a_range_count() -> None:
    measures = random_measures(3)
    found = select(measures, KAGGLE_15, Selection(ranges=(Range("brightness", 1, 3),)))
    np.testing.assert_array_equal(
        found, np.flatnonzero((measures.brightness >= 1) & (measures.brightness <= 3))
    )
    assert {1.0, 3.0} <= set(measures.brightness[found].tolist())
    assert not len(select(measures, KAGGLE_15, Selection(ranges=(Range("brightness", 3, 1),))))


def test_nothing_is_selected_from_nothing() -> None:
    nothing = random_measures(0, rows=0, test_rows=0)
    for part in ("training", "test"):
        for key in (ROW, "brightness"):
            chosen = Selection(part=part, flags=("duplicate",), sort=key, descending=True)
            assert select(nothing, KAGGLE_15, chosen).tolist() == []
