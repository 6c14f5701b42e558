"""Before and after: two runs on different labels, scored with the same truth on the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import loaders, routes
from dashboard.chart import chart
from dashboard.evaluation import comparison, gained_faces
from dashboard.evaluation.charts import gain_chart
from dashboard.evaluation.controls import Compared
from dashboard.evaluation.gained_faces import Learned
from dashboard.evaluation.view import View
from dashboard.keypoint_table import keypoint_table
from dashboard.widgets import download_table, show_table
from dashboard.words import compact, plain
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.corrections import ENOUGH, FAR_PX, WORDS, Association, Correction, association
from fkd.evaluation.gain import BETTER, UNCLEAR, Difference, Gain
from fkd.evaluation.parts import VALIDATION
from fkd.evaluation.scores import ALL_ROWS
from fkd.labels.at import labels_at
from fkd.labels.states import Labels
from fkd.labels.store import LabelStore
from fkd.splits import positions
from fkd.statistics.missing import source_words
from fkd.training.config import SETTINGS, RunConfig

_COMPARED = {"label_version", "accepted"}
"""The settings that before and after differ in."""


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
    found = comparison.between(compared, pair.before, pair.after)
    st.markdown("#### Before and after")
    if not found.overall.points:
        st.info("These images have no label of a point that both models have learned.")
        return
    same = _same_otherwise(pair)
    learned, unknown = _learned(compared, pair)
    corrected = learned.total if learned is not None else 0
    claims = same and corrected >= ENOUGH
    st.markdown(_sentence(compared, pair, found.overall, claims))
    st.caption(_what_it_means(found))
    if unknown:
        st.info(plain(unknown), icon=":material/help:")
    elif same and not claims:
        _too_few(compared, corrected)
    if learned is not None and corrected:
        st.markdown(_what_was_corrected(learned))
    _chart_and_sources(compared, pair, found, claims)
    _keypoints(compared, pair, found, learned, claims)
    gained_faces.section(
        compared, shown, (pair.before, pair.after), found, learned if corrected else None
    )


def _same_otherwise(pair: Pair) -> bool:
    """Whether nothing but their labels tells the two runs apart. Otherwise that comes first."""
    before, after = pair.configs
    names = [name for name in before.differences(after) if name not in _COMPARED]
    if not names:
        return True
    split = "split" in names
    others = [SETTINGS[name] for name in names if name != "split"]
    found = [f"different settings ({', '.join(others)})"] if others else []
    found += ["different training and validation images"] if split else []
    st.warning(
        f"The two runs also have {' and '.join(found)}, so a change cannot be put down to the "
        "corrected labels. Train both with the same settings to find out.",
        icon=":material/call_split:",
    )
    return False


def _too_few(compared: Compared, corrected: int) -> None:
    """No conclusion yet: how many corrections there are, how many it takes, and where to go on."""
    if corrected:
        text = (
            f"**{corrected} of at least {ENOUGH} corrected labels.** With fewer, the change cannot "
            "be told from chance: training again with another seed changes the error more. "
            "Correct more labels, then train again."
        )
    else:
        text = (
            f"**0 of at least {ENOUGH} corrected labels.** No label of the training images was "
            "changed between the two, so any difference is chance."
        )
    st.info(text, icon=":material/casino:")
    st.page_link(
        routes.CORRECT,
        label="Correct more labels",
        icon=":material/edit:",
        query_params={"dataset": compared.current.dataset.name},
    )


def _sentence(compared: Compared, pair: Pair, overall: Difference, claims: bool) -> str:
    """The numbers; where one may be drawn (``claims``), with the conclusion before them."""
    before, after = (
        f"{plain(compared.names[i])} (labels {config.labels_in_words})"
        for i, config in zip((pair.before, pair.after), pair.configs, strict=True)
    )
    names = [plain(compared.names[i]) for i in (pair.before, pair.after)]
    numbers = (
        f"RMSE {overall.before_px:.2f} px with {before}, {overall.after_px:.2f} px with {after}, "
        f"on the same {compact(overall.images)} images. "
        f"{comparison.change_in_words(overall, f'Change from {names[0]} to {names[1]}')}"
    )
    if not claims:
        return numbers
    change = f"by {abs(overall.change_px):.2f} px after the corrections"
    said = {
        UNCLEAR: "No change that can be told from chance",
        BETTER: f"The error fell {change}",
    }.get(overall.verdict, f"The error rose {change}")
    return f"**{said}.** {numbers}"


def _what_it_means(found: Gain) -> str:
    return (
        f"The error fell on {compact(found.better)} images and rose on {compact(found.worse)}. "
        "The interval covers the chance in which images are validated, not the chance within "
        "training: the same labels with another seed give another model."
    )


def _learned(compared: Compared, pair: Pair) -> tuple[Learned | None, str]:
    """What was corrected, in the training part of the later run, between the labels that the two
    learned from; None with the reason where that is not known any more."""
    after = pair.configs[1]
    dataset = loaders.ingested(compared.current.dataset.name)
    try:
        was, now = (_labels(*_key(dataset), config.learns_from, dataset) for config in pair.configs)
        at = positions(dataset, after.split.training)
    except UserError as error:
        return None, f"What was corrected is not known, so nothing is put down to it: {error}"
    return Learned(was.take(at), now.take(at)), ""


def _key(dataset: Dataset) -> tuple[str, str]:
    return dataset.name, dataset.content_hash


@st.cache_resource(show_spinner=False, max_entries=8)
def _labels(
    name: str, content_hash: str, learns_from: tuple[int, bool], _dataset: Dataset
) -> Labels:
    number, accepted = learns_from
    return labels_at(LabelStore(_dataset), number, accepted=accepted)


def _what_was_corrected(learned: Learned) -> str:
    of_kind = learned.counts.sum(axis=0).tolist()
    parts = [f"{compact(n)} {word}" for n, word in zip(of_kind, WORDS.values(), strict=True) if n]
    noun, verb = ("label", "was") if learned.total == 1 else ("labels", "were")
    images = compact(int((learned.kinds > 0).any(axis=1).sum()))
    return (
        f"Between the two, **{compact(learned.total)} {noun}** on {images} of the "
        f"{compact(len(learned.kinds))} training images {verb} corrected: {', '.join(parts)}."
    )


def _file(compared: Compared, pair: Pair, what: str) -> str:
    names = [compared.names[i] for i in (pair.before, pair.after)]
    return "-".join([*names, compared.current.dataset.name, what])


def _chart_and_sources(compared: Compared, pair: Pair, found: Gain, claims: bool) -> None:
    schema = compared.current.dataset.schema
    st.markdown("#### Change of each keypoint")
    st.caption(
        "Left of the dashed line the error fell. The lines through the points are intervals that "
        "hold for all keypoints together with 95 % confidence."
    )
    chart(
        gain_chart(found.keypoints, schema),
        "gain",
        "Change of the RMSE of each keypoint with its interval; the numbers are in the table "
        "by keypoint below.",
        select=False,
    )
    st.markdown("#### By label source")
    words = {ALL_ROWS: "all images"}
    words |= source_words(compared.current.measures.n_present, len(schema))
    lines = [
        _line("images of", words[one.what], one, claims) for one in (found.overall, *found.sources)
    ]
    show_table(
        pd.DataFrame(lines),
        _file(compared, pair, "gain-sources"),
        column_config=_STYLE,
        alt="RMSE before and after by label source",
    )
    errors = {
        f"{compared.names[i]} error (px)": compared.results[i].error
        for i in (pair.before, pair.after)
    }
    st.caption("The change of every image:")
    download_table(
        pd.DataFrame({"row": compared.results[0].rows, **errors, "change (px)": found.change}),
        _file(compared, pair, "gain-images"),
    )


_STYLE: dict[str, object] = {
    name: st.column_config.NumberColumn(name.removesuffix(" (px)"), format="%.2f", help=meaning)
    for name, meaning in (
        ("before (px)", "RMSE in px of the model trained before the corrections"),
        ("after (px)", "RMSE in px of the model trained after the corrections"),
        ("change (px)", "After minus before, in px: below 0 the error fell"),
        ("from (px)", "Lower end of the 95 % interval of the change, in px"),
        ("to (px)", "Upper end of the 95 % interval of the change, in px"),
    )
}

_VERDICTS = {BETTER: "fell", UNCLEAR: "no clear change"}


def _line(heading: str, what: str, one: Difference, claims: bool) -> dict[str, object]:
    line = {
        heading: what,
        "images": one.images,
        "before (px)": one.before_px,
        "after (px)": one.after_px,
        "change (px)": one.change_px,
        "from (px)": one.low_px,
        "to (px)": one.high_px,
    }
    return line | ({"error": _VERDICTS.get(one.verdict, "rose")} if claims else {})


def _keypoints(
    compared: Compared, pair: Pair, found: Gain, learned: Learned | None, claims: bool
) -> None:
    """Each keypoint, with how many of its labels were corrected, and how."""
    schema = compared.current.dataset.schema
    st.markdown("#### By keypoint")
    lines = [
        _line("keypoint", point.label, one, claims)
        for point, one in zip(schema.keypoints, found.keypoints, strict=True)
    ]
    frame = pd.DataFrame(lines)
    known = learned is not None and learned.total
    if known:
        frame["corrected"] = learned.counts.sum(axis=1)
        together = association(found, learned.counts.sum(axis=1)) if claims else None
        if together is not None:
            st.markdown(_association(together))
    keypoint_table(
        frame,
        schema,
        range(len(schema)),
        _file(compared, pair, "gain-keypoints"),
        "RMSE before and after, its change and the corrected labels of each keypoint",
        marks=comparison.rose_most(found),
        column_config={
            **_STYLE,
            "corrected": st.column_config.NumberColumn(help="Corrected labels in training"),
        },
    )
    if known:
        _corrected_labels(compared, pair, learned)


def _corrected_labels(compared: Compared, pair: Pair, learned: Learned) -> None:
    """How many labels of each keypoint were corrected in which way."""
    schema = compared.current.dataset.schema
    st.markdown("#### Corrected labels by keypoint")
    kinds = dict(zip(WORDS.values(), learned.counts.T, strict=True))
    total = learned.counts.sum(axis=1)
    keypoint_table(
        pd.DataFrame({"keypoint": [k.label for k in schema.keypoints], "all": total, **kinds}),
        schema,
        range(len(schema)),
        _file(compared, pair, "gain-corrections"),
        "Corrected training labels of each keypoint",
        # Where several have as many, none stands out.
        marks={int(total.argmax()): "most"} if (total == total.max()).sum() == 1 else {},
        column_config={
            WORDS[Correction.FAR]: st.column_config.NumberColumn(help=f"By {FAR_PX:g} px or more"),
        },
    )


def _association(found: Association) -> str:
    caveat = (
        "This does not show cause and effect: correcting one point can help others, and some "
        "points are harder than others."
    )
    if np.isnan(found.rank):
        return f"All keypoints were corrected about as often, so they cannot be compared. {caveat}"
    if not found.significant:
        said = "Whether keypoints with more corrections improved more cannot be told from chance"
    else:
        more = "more" if found.rank > 0 else "less"
        said = f"Keypoints with more corrections improved {more}"
    chance = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.2g}"
    return f"{said} (rank correlation {found.rank:+.2f}, {chance}). {caveat}"
