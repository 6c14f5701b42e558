"""Whether two models can be told apart on the same images, in numbers and in words."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import streamlit as st

from dashboard import loaders
from dashboard.evaluation.controls import Compared
from dashboard.words import compact
from fkd.errors import UserError
from fkd.evaluation.gain import Difference, Gain, gain
from fkd.evaluation.predictions import version


def between(compared: Compared, before: int, after: int) -> Gain:
    """What becomes of the errors from model number ``before`` to model number ``after``."""
    dataset = compared.current.dataset
    chosen = [compared.models[i] for i in (before, after)]
    stamps = tuple((model.name, *version(model, dataset)) for model in chosen)
    images = compared.part.at.tobytes()
    return _between(stamps, dataset.labels_key, images, compared, before, after)


@st.cache_resource(show_spinner="Comparing the two models ...", max_entries=8)
def _between(
    stamps: tuple[tuple[str | int, ...], ...],
    labels_key: str,
    images: bytes,
    _compared: Compared,
    _before: int,
    _after: int,
) -> Gain:
    dataset, at = _compared.current.dataset, _compared.part.at
    before, after = (_compared.results[i].points for i in (_before, _after))
    return gain(
        before,
        after,
        np.asarray(dataset.keypoints[at]),
        dataset.schema,
        taught=_compared.counted,
        groups=np.asarray(_compared.current.measures.duplicate)[at],
    )


def change_in_words(one: Difference, what: str = "Change") -> str:
    """The change of the RMSE with its interval, as a sentence that begins with ``what`` it is."""
    between = ""
    if not math.isnan(one.low_px):
        between = f" (95 % interval {_signed(one.low_px)} to {_signed(one.high_px)} px)"
    return f"{what}: {_signed(one.change_px)} px{between}."


def _signed(value: float) -> str:
    return "0.00" if abs(value) < 0.005 else f"{value:+.2f}".replace("-", "\u2212")


def interval_in_words(compared: Compared, found: Gain) -> str:
    """What the intervals are of, and what they rest on."""
    apart = (
        f"; images of the same picture count as one, which leaves {compact(found.groups)} pictures"
        if found.groups < found.overall.images
        else ""
    )
    return (
        "The interval says how much the change depends on which images happen to be in validation "
        f"(paired bootstrap{apart}).{_not_told(compared)}"
    )


def _not_told(compared: Compared) -> str:
    """That the groups of a split, such as people, are not known any more, where there were some."""
    for model in compared.models:
        with suppress(UserError):  # a damaged run
            if model.run is not None and loaders.run_config(model.run).grouped:
                return (
                    " Runs do not record which images belong to one group, such as a person, so "
                    "these count one by one and the interval may be too narrow."
                )
    return ""


def rose_most(found: Gain) -> dict[int, str]:
    """The keypoint whose error rose most, marked so; none where no error rose."""
    change = np.array([one.change_px for one in found.keypoints])
    if not (change > 0).any():
        return {}
    return {int(np.nanargmax(change)): "rose most"}
