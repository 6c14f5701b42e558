"""What matters of a comparison: one sentence, the metrics, and what to bear in mind."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import predictions
from dashboard.evaluation import truth
from dashboard.evaluation.controls import Compared
from dashboard.evaluation.metrics import METRICS
from dashboard.words import compact, count_share, plain
from fkd.evaluation.learned import not_scored
from fkd.evaluation.parts import ALL
from fkd.evaluation.results import UNFLAGGED
from fkd.evaluation.scores import ALL_ROWS, Scores


def headline(compared: Compared) -> None:
    """The sentence, the row of metrics for each model, and the notes below them."""
    scores = [result.scores[ALL_ROWS] for result in compared.results]
    st.markdown(f"## {_sentence(compared, scores)}")
    _warnings(compared)
    for which, score in enumerate(scores):
        if len(scores) > 1:
            st.markdown(f"**{plain(compared.names[which])}**")
        _metrics(score, scores[0] if which else None)
    st.caption(" ".join(_notes(compared, scores)))
    _floor(compared)


def _sentence(compared: Compared, scores: list[Scores]) -> str:
    if not scores[0].n_points:
        return "No label on these images is of a point that can be scored"
    images = compact(scores[0].n_images)
    names = [plain(name) for name in compared.names]
    rmse = [f"{score.rmse_px:.2f}" for score in scores]
    if len(scores) == 1:
        new = " it has not seen in training" if compared.part.seen[0] == 0 else ""
        return f"{names[0]}: {rmse[0]} px RMSE on {images} images{new}"
    if rmse[0] == rmse[1]:
        return f"{names[0]} and {names[1]} are level: {rmse[0]} px RMSE on {images} images"
    near, far = sorted((0, 1), key=lambda which: scores[which].rmse_px)
    return (
        f"{names[near]} is closer than {names[far]}: {rmse[near]} against {rmse[far]} px RMSE "
        f"on {images} images"
    )


def _metrics(score: Scores, first: Scores | None) -> None:
    """One row; what differs from ``first`` is added."""
    for cell, metric in zip(st.columns(len(METRICS)), METRICS, strict=True):
        value = getattr(score, metric.key)
        delta = None if first is None else metric.difference(getattr(first, metric.key), value)
        same = delta is not None and not any(digit in delta for digit in "123456789")
        cell.metric(
            metric.label,
            metric.words(value),
            "same" if same else delta,
            delta_color="off" if same else "inverse" if metric.lower else "normal",
            delta_arrow="off" if same else "auto",
            help=metric.help,
        )


def _warnings(compared: Compared) -> None:
    """What makes scores look better than they are, or means other points than usual."""
    whole = len(compared.part.at)
    flattered = [
        f"{plain(name)} has learned from {count_share(seen, whole)} of these images"
        for name, seen in zip(compared.names, compared.part.seen, strict=True)
        if seen
    ]
    if flattered:
        st.warning(
            f"{'; '.join(flattered)}: that flatters {'it' if len(flattered) == 1 else 'them'}. "
            "The validation part tells how good a model is on new faces.",
            icon=":material/school:",
        )
    schema = compared.current.dataset.schema
    if unscored := not_scored(compared.counted, schema, len(compared.models)):
        st.info(unscored, icon=":material/visibility_off:")
    if compared.part.differ:
        st.info(
            "The two runs held different images back; these are the ones that neither has seen.",
            icon=":material/join_inner:",
        )
    unknown = [
        plain(name)
        for name, seen in zip(compared.names, compared.part.seen, strict=True)
        if seen is None
    ]
    if unknown:
        st.warning(
            f"Whether {' or '.join(unknown)} has seen these pictures in training is not known; if "
            "it has, that flatters it.",
            icon=":material/school:",
        )
    dataset = compared.current.dataset
    if compared.split == ALL and not any(
        predictions.has_validation(model, dataset) for model in compared.models
    ):
        st.caption("There is no validation part here, so all images are scored.")


def _notes(compared: Compared, scores: list[Scores]) -> list[str]:
    score = scores[0]
    notes = [f"{compact(score.n_points)} labelled points in {compact(score.n_images)} images."]
    if left_out := compared.part.excluded:
        images = "image that is" if left_out == 1 else "images that are"
        notes.append(f"Without {compact(left_out)} {images} excluded from training.")
    if words := truth.in_words(compared.current):
        notes.append(words)
    if score.nme_images < score.n_images:
        notes.append(
            f"NME, AUC and FR are over the {compact(score.nme_images)} that have both eye centres."
        )
    flagged = compared.results[0].flagged
    if flagged:
        without = [result.scores[UNFLAGGED].rmse_px for result in compared.results]
        numbers = " and ".join(f"{rmse:.2f}" for rmse in without if not math.isnan(rmse))
        images = "image" if flagged == 1 else "images"
        notes.append(
            f"Without the {compact(flagged)} {images} whose labels look wrong (shape outliers, "
            f"swapped sides), RMSE is {numbers or '–'} px."
        )
    else:
        notes.append("No label among them looks wrong (shape outliers, swapped sides).")
    return notes


def _floor(compared: Compared) -> None:
    """The error that a perfect model would still have."""
    current = compared.current
    noise = predictions.noise(current.dataset, current.measures)
    if not noise.pairs:
        return
    low, high = (end / 2**0.5 for end in noise.rms_interval_px)
    between = "" if math.isnan(low) else f" ({low:.1f} to {high:.1f})"
    st.caption(
        f"The labels themselves are not exact: they alone would leave a perfect model at roughly "
        f"**{noise.overall.floor_rmse_px:.1f} px**{between} RMSE.",
        help=f"Told by {compact(noise.pairs)} pairs of near-duplicate images in this dataset "
        f"({compact(noise.groups)} different pictures), which were labelled twice: how far the two "
        "labels of a point lie apart, once one image is laid over the other, divided by √2; in "
        "brackets the 95 % interval. Only a rough guide: neighbouring frames that are not quite "
        "equal make it too high, labels copied from one image to the other too low.",
    )
