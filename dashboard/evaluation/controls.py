"""What is compared, and on which images: the row of controls, and what the choice comes to."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import loaders, predictions, routes
from dashboard.current import Current
from dashboard.evaluation import truth, view
from dashboard.evaluation.making import offer_predictions
from dashboard.evaluation.view import View, linked
from dashboard.links import one_of
from dashboard.words import compact, plain
from fkd.columns import ERROR
from fkd.errors import UserError
from fkd.evaluation.parts import ALL, VALIDATION, Part
from fkd.evaluation.results import Result
from fkd.models.sources import TrainedModel, model_phrase, model_title, trained_models
from fkd.selection import Selection
from fkd.training.runs import run_names

_SPLITS = {VALIDATION: "Validation split", ALL: "All images"}


@dataclass(frozen=True)
class Compared:
    """One or two models on the same images.

    Attributes:
        models: the models.
        split: ``VALIDATION`` or ``ALL``.
        part: the images.
        results: one for each model.
    """

    current: Current
    models: tuple[TrainedModel, ...]
    split: str
    part: Part
    results: tuple[Result, ...]

    @property
    def counted(self) -> NDArray[np.bool_]:
        """``(K,)`` the keypoints that are scored: those that each of the models has learned."""
        return np.all([result.counted for result in self.results], axis=0)

    @property
    def names(self) -> list[str]:
        """What the models are called, in words."""
        return [model_title(model.name) for model in self.models]

    def selection(self, which: int, worst_first: bool = True) -> Selection:
        """The images that were scored, by the error of ``models[which]``, for Browse."""
        model = self.models[which]
        known = predictions.has_validation(model, self.current.dataset)
        flags = ("heldback",) if known and self.split != ALL else ()
        return Selection(model=model.name, flags=flags, sort=ERROR, descending=worst_first)


def require_models() -> list[TrainedModel]:
    """The trained models; without any, say what to do next and end the page."""
    if not (models := trained_models()):
        _no_model()
    return models


def _no_model() -> NoReturn:
    if run_names():
        st.info(
            "No run has finished an epoch yet, so there is no model to evaluate. It appears here "
            "after its first epoch.",
            icon=":material/hourglass_top:",
        )
    else:
        st.info(
            "There is no trained model yet. Start a training on the Train page.",
            icon=":material/model_training:",
        )
    st.page_link(routes.TRAIN, label="Go to Train", icon=":material/arrow_forward:")
    st.stop()


def controls(shown: View, current: Current, models: list[TrainedModel]) -> View:
    """Draw the controls; return the view as shown, with models that are there."""
    shown = truth.existing(_existing(shown, current, models), current)
    chosen = [m for m in models if m.name in {shown.model, shown.other}]
    split = shown.split if _any_held_back(chosen, current) else ALL
    names = [model.name for model in models]
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    row.selectbox("Model", names, format_func=model_title, width=260, **linked(shown, "model"))
    others = ["", *(name for name in names if name != shown.model)]
    if len(others) > 1:
        row.selectbox(
            "Compare with",
            others,
            format_func=lambda name: model_title(name) or "No other model",
            width=260,
            **linked(shown, "other", page=1),
        )
    offered = [VALIDATION, ALL] if split != ALL or shown.split == ALL else [ALL]
    one_of(
        row.segmented_control,
        "Images",
        {key: _SPLITS[key] for key in offered},
        linked(replace(shown, split=split), "split", page=1),
        help="The validation split are the images that a run did not train on: only there do "
        "scores show how good a model is on new faces.",
    )
    truth.choice(row, shown, current, _learned(chosen))
    return shown


def _learned(models: list[TrainedModel]) -> list[int]:
    """The versions of the labels that ``models`` have learned from, as far as that is known."""
    found = []
    for model in models:
        if model.run is not None:
            with suppress(UserError):  # a damaged run
                found.append(loaders.run_config(model.run).label_version)
    return found


def _existing(shown: View, current: Current, models: list[TrainedModel]) -> View:
    names = {model.name for model in models}
    for asked in (shown.model, shown.other):
        if asked and asked not in names:
            st.warning(
                f"There is no model named `{asked.replace('`', '')}`. Choose another one.",
                icon=":material/search_off:",
            )
    model = shown.model if shown.model in names else _suggested(current, models).name
    other = shown.other if shown.other in names - {model} else ""
    return replace(shown, model=model, other=other)


def _suggested(current: Current, models: list[TrainedModel]) -> TrainedModel:
    """The newest run of this dataset, else the first model there is."""
    of_this = (m for m in models if predictions.has_validation(m, current.dataset))
    return next(of_this, models[0])


def _any_held_back(models: list[TrainedModel], current: Current) -> bool:
    return any(predictions.has_validation(model, current.dataset) for model in models)


def compare(shown: View, current: Current, models: list[TrainedModel]) -> Compared:
    """Score the models of the view; where that cannot be done yet, say why and end the page."""
    current = truth.scored_against(current, shown.labels)
    dataset = current.dataset
    by_name = {model.name: model for model in models}
    chosen = tuple(by_name[name] for name in (shown.model, shown.other) if name)
    if not current.measures.n_present.any():
        st.info(
            f"Dataset {plain(dataset.name)} has no labelled images, so predictions cannot be "
            "scored. Browse can show them.",
            icon=":material/image_not_supported:",
        )
        st.stop()
    split = shown.split if _any_held_back(list(chosen), current) else ALL
    part = predictions.part(chosen, dataset, split)
    if not len(part.at):
        st.info(
            "The two runs have no validation image in common, so one of them has trained on each. "
            "You can score them on all images instead."
            if part.differ
            else f"{plain(model_title(shown.model))} has no validation images.",
            icon=":material/join_inner:",
        )
        st.button("Score all images", type="primary", on_click=_score_all, args=(shown,))
        st.stop()
    results = tuple(
        predictions.result(chosen, which, dataset, current.measures, split)
        for which in range(len(chosen))
    )
    missing = [m for m, result in zip(chosen, results, strict=True) if result is None]
    for model in missing:
        offer_predictions(model, dataset, _why(model, current, split), primary=model is missing[0])
    if missing:
        st.stop()
    in_words = tuple(replace(r, model=model_title(r.model)) for r in results if r is not None)
    return Compared(current, chosen, split, part, in_words)


def _score_all(shown: View) -> None:
    view.write(replace(shown, split=ALL, page=1))


def _why(model: TrainedModel, current: Current, split: str) -> str:
    """Why predictions have to be made, in one sentence."""
    name, run = plain(model_phrase(model.name)), model.run
    back = predictions.has_validation(model, current.dataset)
    if split == VALIDATION and back and run is not None and run.validation.is_file():
        return (
            f"The stored predictions of {name} for its validation split cannot be read. They can "
            "be made again."
        )
    images = compact(len(current.dataset))
    return (
        f"There are no predictions of {name} for the {images} images of "
        f"{plain(current.dataset.name)} yet."
    )
