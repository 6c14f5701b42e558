"""What matters of a comparison: one sentence, the metrics, and what to bear in mind."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import predictions
from dashboard.evaluation import comparison, truth
from dashboard.evaluation.controls import Compared
from dashboard.evaluation.metrics import METRICS
from dashboard.words import compact, count_share, plain
from fkd.evaluation.gain import UNCLEAR, Gain
from fkd.evaluation.learned import not_scored
from fkd.evaluation.parts import ALL
from fkd.evaluation.results import UNFLAGGED
from fkd.evaluation.scores import ALL_ROWS, Scores
from fkd.models.sources import model_phrase


def headline(compared: Compared) -> None:
    """The sentence, the row of metrics for each model, and the notes below them."""
    scores = [result.scores[ALL_ROWS] for result in compared.results]
    found = comparison.between(compared, 0, 1) if len(scores) > 1 else None
    st.markdown(f"## {_sentence(compared, scores, found)}")
    _warnings(compared)
    for which, score in enumerate(scores):
        if len(scores) > 1:
            st.markdown(f"**{plain(compared.names[which])}**")
        _metrics(score, scores[0] if which else None, found)
    if found is not None and found.overall.points:
        what = f"Change from {plain(compared.names[0])} to {plain(compared.names[1])}"
        st.caption(
            f"{comparison.change_in_words(found.overall, what)} "
            f"{comparison.interval_in_words(compared, found)}"
        )
    st.caption(" ".join(_notes(compared, scores)))
    _floor(compared)


def _sentence(compared: Compared, scores: list[Scores], found: Gain | None) -> str:
    """What matters; one of two models is called closer only where chance does not explain it."""
    if not scores[0].n_points:
        return "These images have no label of a point that can be scored"
    images = compact(scores[0].n_images)
    names = [plain(name) for name in compared.names]
    rmse = [f"{score.rmse_px:.2f}" for score in scores]
    if found is None:
        new = " not seen in training" if compared.part.seen[0] == 0 else ""
        return f"{names[0]}: {rmse[0]} px RMSE on {images} images{new}"
    if found.overall.verdict == UNCLEAR:
        return (
            f"No clear difference between {names[0]} and {names[1]}: {rmse[0]} and {rmse[1]} px "
            f"RMSE on {images} images"
        )
    near, far = sorted((0, 1), key=lambda which: scores[which].rmse_px)
    return (
        f"{names[near]} is more accurate than {names[far]}: {rmse[near]} and {rmse[far]} px RMSE "
        f"on {images} images"
    )


def _metrics(score: Scores, first: Scores | None, found: Gain | None) -> None:
    """One row; what differs from ``first`` is added, without praise or blame where chance may
    explain it."""
    unclear = found is not None and found.overall.verdict == UNCLEAR
    for cell, metric in zip(st.columns(len(METRICS)), METRICS, strict=True):
        value = getattr(score, metric.key)
        delta = None if first is None else metric.difference(getattr(first, metric.key), value)
        same = delta is not None and not any(digit in delta for digit in "123456789")
        cell.metric(
            metric.label,
            metric.words(value),
            "same" if same else delta,
            delta_color="off" if same or unclear else "inverse" if metric.lower else "normal",
            delta_arrow="off" if same else "auto",
            help=metric.help,
        )


def _warnings(compared: Compared) -> None:
    """What makes scores look better than they are, or means other points than usual."""
    whole = len(compared.part.at)
    phrases = [plain(model_phrase(model.name)) for model in compared.models]
    flattered = [
        f"{name} has learned from {count_share(seen, whole)} of these images"
        for name, seen in zip(phrases, compared.part.seen, strict=True)
        if seen
    ]
    if flattered:
        st.warning(
            f"{'; '.join(flattered)}, so {'its' if len(flattered) == 1 else 'their'} errors "
            "here are lower than on new faces. The validation split shows how good a model is on "
            "those.",
            icon=":material/school:",
        )
    schema = compared.current.dataset.schema
    if unscored := not_scored(compared.counted, schema, len(compared.models)):
        st.info(unscored, icon=":material/visibility_off:")
    if compared.part.differ:
        st.info(
            "The two runs have different validation images; only those that neither has seen in "
            "training are scored.",
            icon=":material/join_inner:",
        )
    unknown = [name for name, seen in zip(phrases, compared.part.seen, strict=True) if seen is None]
    if unknown:
        st.warning(
            f"It is not known whether {' or '.join(unknown)} has seen these images in training. If "
            "so, its errors here are lower than on new faces.",
            icon=":material/school:",
        )
    dataset = compared.current.dataset
    if compared.split == ALL and not any(
        predictions.has_validation(model, dataset) for model in compared.models
    ):
        who = "This model has" if len(compared.models) == 1 else "These models have"
        st.caption(f"{who} no validation split here, so all images are scored.")


def _notes(compared: Compared, scores: list[Scores]) -> list[str]:
    score = scores[0]
    notes = [f"Scored on {compact(score.n_points)} labels in {compact(score.n_images)} images."]
    if left_out := compared.part.excluded:
        images = "image that is" if left_out == 1 else "images that are"
        notes.append(f"Without {compact(left_out)} {images} excluded from training.")
    if words := truth.in_words(compared.current):
        notes.append(words)
    if score.nme_images < score.n_images:
        notes.append(
            f"NME, AUC and FR: on the {compact(score.nme_images)} images with both eye centers "
            "labelled."
        )
    flagged = compared.results[0].flagged
    if flagged:
        without = [result.scores[UNFLAGGED].rmse_px for result in compared.results]
        numbers = " and ".join(f"{rmse:.2f}" for rmse in without if not math.isnan(rmse))
        images = "image" if flagged == 1 else "images"
        notes.append(
            f"Without the {compact(flagged)} {images} with an unusual shape or swapped sides: "
            f"{numbers or '–'} px RMSE."
        )
    else:
        notes.append("None of these images has an unusual shape or swapped sides.")
    return notes


def _floor(compared: Compared) -> None:
    """The error that a perfect model would still have, as the labels are not exact."""
    current = compared.current
    noise = predictions.noise(current.dataset, current.measures)
    if not noise.pairs:
        return
    low, high = (end / 2**0.5 for end in noise.rms_interval_px)
    between = "" if math.isnan(low) else f" ({low:.1f} to {high:.1f})"
    st.caption(
        f"Label noise: even a perfect model would have an RMSE of about "
        f"**{noise.overall.floor_rmse_px:.1f} px**{between}.",
        help=f"Estimated from {compact(noise.pairs)} duplicate pairs ({compact(noise.groups)} "
        "duplicate groups), whose images were labelled twice: the distance between the two labels "
        "of a point, once one image is aligned with the other, divided by √2; in brackets the "
        "95 % interval. A rough guide: similar frames that are not quite equal make it too high, "
        "labels copied from one image to the other too low.",
    )
