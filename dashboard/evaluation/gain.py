"""Before and after: two runs on different labels, scored with the same truth on the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import loaders
from dashboard.chart import chart
from dashboard.evaluation import gained_faces
from dashboard.evaluation.charts import gain_chart
from dashboard.evaluation.controls import Compared
from dashboard.evaluation.gained_faces import Learned
from dashboard.evaluation.view import View
from dashboard.training.settings_table import differing
from dashboard.widgets import download_table, show_table
from dashboard.words import compact, plain
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.corrections import WORDS, association, corrections, counts
from fkd.evaluation.gain import BETTER, UNCLEAR, Difference, Gain, gain
from fkd.evaluation.parts import VALIDATION
from fkd.evaluation.predictions import version
from fkd.labels.at import labels_at
from fkd.labels.states import Labels
from fkd.labels.store import LabelStore
from fkd.splits import positions
from fkd.training.config import RunConfig


@dataclass(frozen=True)
class Pair:
    """Which of the models compared came before, by the labels it learned from, and which after;
    what each was told."""

    before: int
    after: int
    configs: tuple[RunConfig, RunConfig]


def known(compared: Compared) -> bool:
    """Whether there is a before and an after: two runs that held images of this dataset back and
    learned from different labels."""
    return _pair(compared) is not None


def _pair(compared: Compared) -> Pair | None:
    if len(compared.models) != 2 or compared.split != VALIDATION:
        return None
    try:
        told = [loaders.run_config(model.run) for model in compared.models if model.run]
    except UserError:
        return None
    here = [config.data_hash == compared.current.dataset.content_hash for config in told]
    if len(told) != 2 or not all(here) or told[0].learns_from == told[1].learns_from:
        return None
    first, second = sorted((0, 1), key=lambda i: told[i].learns_from)
    return Pair(first, second, (told[first], told[second]))


def section(compared: Compared, shown: View) -> None:
    pair = _pair(compared)
    assert pair is not None  # otherwise the page does not offer it
    found = _gain(compared, pair)
    st.markdown("#### Before and after")
    if not found.overall.points:
        st.info("No label on these images is of a point that both models have learned.")
        return
    st.markdown(_sentence(compared, pair, found.overall))
    st.caption(_what_it_means(compared, found))
    _caveats(compared, pair)
    learned = _learned(compared, pair)
    _chart_and_sources(compared, pair, found)
    _keypoints(compared, pair, found, learned)
    gained_faces.section(compared, shown, (pair.before, pair.after), found, learned)


def _gain(compared: Compared, pair: Pair) -> Gain:
    dataset = compared.current.dataset
    chosen = [compared.models[i] for i in (pair.before, pair.after)]
    stamps = tuple((model.name, *version(model, dataset)) for model in chosen)
    return _of_models(stamps, dataset.labels_key, compared, pair)


@st.cache_resource(show_spinner="Comparing before and after ...", max_entries=8)
def _of_models(
    stamps: tuple[tuple[str | int, ...], ...], labels_key: str, _compared: Compared, _pair: Pair
) -> Gain:
    dataset = _compared.current.dataset
    before, after = (_compared.results[i].points for i in (_pair.before, _pair.after))
    truth = np.asarray(dataset.keypoints[_compared.part.at])
    return gain(before, after, truth, dataset.schema, taught=_compared.counted)


def _sentence(compared: Compared, pair: Pair, overall: Difference) -> str:
    before, after = (
        f"{plain(compared.names[i])} (labels {config.labels_in_words})"
        for i, config in zip((pair.before, pair.after), pair.configs, strict=True)
    )
    went = f"{overall.before_px:.2f} px RMSE with {before}, {overall.after_px:.2f} px with {after}"
    change, between = overall.change_px, _between(overall)
    if overall.verdict == UNCLEAR:
        return (
            f"**No change that can be told from chance**: {went}, on the same "
            f"{compact(overall.images)} images. {change:+.2f} px{between}."
        )
    word = "closer" if overall.verdict == BETTER else "farther off"
    return (
        f"**{abs(change):.2f} px {word}** after the corrections: {went}, on the same "
        f"{compact(overall.images)} images{between}."
    )


def _between(one: Difference) -> str:
    if np.isnan(one.low_px):
        return ""
    return f" (95 % interval of the change: {one.low_px:+.2f} to {one.high_px:+.2f} px)"


def _what_it_means(compared: Compared, found: Gain) -> str:
    after_closer, before_closer = compact(found.better), compact(found.worse)
    return (
        f"The error fell on {after_closer} images and rose on {before_closer}. The interval says "
        "how far the change might be another with other validation images (bootstrap over the "
        "images). It does not know that the same labels with another seed give another model: "
        "small changes need several runs to be believed."
    )


def _caveats(compared: Compared, pair: Pair) -> None:
    """What else may have made the difference."""
    before, after = pair.configs
    others = [name for name in differing([before, after]) if name not in {"labels", "split"}]
    if others:
        names = ", ".join(others)
        st.warning(
            f"The two runs were told more things differently than their labels ({names}), so the "
            "change is not that of the labels alone.",
            icon=":material/call_split:",
        )
    if before.split.digest != after.split.digest:
        st.warning(
            "The two runs do not have the same split: they learned from other images too, not "
            "only from other labels.",
            icon=":material/call_split:",
        )


def _learned(compared: Compared, pair: Pair) -> Learned | None:
    """What was corrected, in the training part of the later run, between the labels that the two
    learned from. Says so where that is not known any more, or where it is nothing."""
    after = pair.configs[1]
    dataset = loaders.ingested(compared.current.dataset.name)
    try:
        was, now = (_labels(*_key(dataset), config.learns_from, dataset) for config in pair.configs)
    except UserError as error:
        st.info(plain(f"What was corrected is not known: {error}"), icon=":material/help:")
        return None
    at = positions(dataset, after.split.training)
    learned = Learned(was.take(at), now.take(at))
    kinds = corrections(learned.before, learned.after)
    total, images = int((kinds > 0).sum()), int((kinds > 0).any(axis=1).sum())
    if not total:
        st.info(
            "No label of the training part lies elsewhere than before, so the change is chance.",
            icon=":material/casino:",
        )
        return None
    of_kind = counts(kinds).sum(axis=0).tolist()
    parts = [f"{compact(n)} {word}" for n, word in zip(of_kind, WORDS.values(), strict=True) if n]
    noun, verb = ("label", "was") if total == 1 else ("labels", "were")
    st.markdown(
        f"Between the two, **{compact(total)} {noun}** on {compact(images)} of the "
        f"{compact(len(at))} training images {verb} corrected: {', '.join(parts)}."
    )
    return learned


def _key(dataset: Dataset) -> tuple[str, str]:
    return dataset.name, dataset.content_hash


@st.cache_resource(show_spinner=False, max_entries=8)
def _labels(
    name: str, content_hash: str, learns_from: tuple[int, bool], _dataset: Dataset
) -> Labels:
    number, accepted = learns_from
    return labels_at(LabelStore(_dataset), number, accepted=accepted)


def _file(compared: Compared, pair: Pair, what: str) -> str:
    names = [compared.names[i] for i in (pair.before, pair.after)]
    return "-".join([*names, compared.current.dataset.name, what])


def _chart_and_sources(compared: Compared, pair: Pair, found: Gain) -> None:
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        st.markdown("#### Change of each keypoint")
        st.caption("Left of the line the error fell. Bars are 95 % intervals.")
        chart(gain_chart(found.keypoints, compared.current.dataset.schema), "gain", select=False)
    with right:
        st.markdown("#### By label source")
        lines = [_line("rows", one.what, one) for one in (found.overall, *found.sources)]
        show_table(pd.DataFrame(lines), _file(compared, pair, "gain-sources"), column_config=_STYLE)
        errors = {
            f"{compared.names[i]} error px": compared.results[i].error
            for i in (pair.before, pair.after)
        }
        rows = compared.results[0].rows
        st.caption("The change of every image:")
        download_table(
            pd.DataFrame({"row": rows, **errors, "change px": found.change}),
            _file(compared, pair, "gain-images"),
        )


_STYLE = {
    name: st.column_config.NumberColumn(format="%.2f")
    for name in ("before px", "after px", "change px", "from px", "to px")
}


def _line(heading: str, what: str, one: Difference) -> dict[str, object]:
    return {
        heading: what,
        "images": one.images,
        "before px": one.before_px,
        "after px": one.after_px,
        "change px": one.change_px,
        "from px": one.low_px,
        "to px": one.high_px,
        "verdict": one.verdict,
    }


def _keypoints(compared: Compared, pair: Pair, found: Gain, learned: Learned | None) -> None:
    """Each keypoint, with how many of its labels were corrected, and how."""
    schema = compared.current.dataset.schema
    st.markdown("#### By keypoint")
    lines = [
        _line("keypoint", point.label, one)
        for point, one in zip(schema.keypoints, found.keypoints, strict=True)
    ]
    frame = pd.DataFrame(lines)
    if learned is not None:
        of_kind = counts(corrections(learned.before, learned.after))
        st.markdown(_association(association(found, of_kind.sum(axis=1))))
        frame["corrected"] = of_kind.sum(axis=1)
        for number, word in enumerate(WORDS.values()):
            frame[word] = of_kind[:, number]
    show_table(
        frame,
        _file(compared, pair, "gain-keypoints"),
        height=36 + 33 * len(schema),
        column_config=_STYLE,
    )


def _association(rank: float) -> str:
    caveat = (
        "What goes together need not be cause and effect: correcting one point can help others, "
        "and some points are harder than others."
    )
    if np.isnan(rank):
        return f"All keypoints were corrected about as often, so they tell nothing apart. {caveat}"
    if abs(rank) < 0.3:
        word = "Keypoints that were corrected more often did not gain more or less than others"
    else:
        more = "more" if rank > 0 else "less"
        word = f"Keypoints that were corrected more often tended to gain {more}"
    return f"{word} (rank correlation {rank:+.2f}). {caveat}"
