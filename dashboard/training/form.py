"""The form that starts a training: model, epochs and one button; the rest folded away."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import streamlit as st

from dashboard import loaders
from dashboard.current import Current, require_current
from dashboard.guard import guard
from dashboard.training import more, times, view
from dashboard.training.listing import Listed, Listing, listing, past
from dashboard.training.widgets import bound
from dashboard.training.wish import FRACTION, NEWEST, Wish
from dashboard.words import compact, plain
from fkd.errors import UserError
from fkd.evaluation.learned import never_learned, with_mirrored
from fkd.labels.database import StoreError
from fkd.labels.store import LabelStore
from fkd.labels.tags import excluded
from fkd.training.config import RECIPES, SETTINGS, RunConfig
from fkd.training.create import make_config
from fkd.training.estimate import Estimate, Span, estimate, images_per_epoch, remaining
from fkd.training.launcher import launch
from fkd.training.runs import check_run_name, create_run, open_run

_KEY, _STARTS = "train-wish", "train-starts"
_ABOUT = {
    "compact": "is small and accurate. It learns from every image, with augmentation.",
    "baseline": "is a plain convolutional network, seven times as large, trained on complete "
    "images only: for comparison.",
}


def new_training() -> None:
    """Draw the form for the current dataset."""
    st.markdown("## New training")
    current = require_current()
    # By itself: a moved slider redraws the form alone.
    st.fragment(_form)(current)


def like(config: RunConfig) -> None:
    """Fill the form with the settings of ``config``, and show it."""
    st.session_state[_KEY] = Wish.like(config)
    view.show()


def _form(current: Current) -> None:
    with guard("the form"):
        _draw(current, st.session_state.setdefault(_KEY, Wish()))


def _draw(current: Current, wish: Wish) -> None:
    with st.container(border=True):
        _essentials(current, wish)
        row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
        with row.container(width="stretch"):
            _expectation(current, wish)
        # A second click that comes while the first still works must not start a second run.
        starts = st.session_state.setdefault(_STARTS, 0)
        go = row.button(
            "Start training",
            key=f"train-start-{starts}",
            type="primary",
            icon=":material/play_arrow:",
        )
        with st.expander("More settings", icon=":material/tune:"):
            more.settings(current, wish)
        if wish.changed:
            _changed(wish)
        if go:
            try:
                name = _start(current, wish)
            except UserError as error:
                st.error(plain(str(error)), icon=":material/error:")
                return
            st.session_state[_STARTS] = starts + 1
            wish.name = wish.note = ""
            view.show(name)
            st.rerun()


def _essentials(current: Current, wish: Wish) -> None:
    model, dataset, epochs, words = st.columns([1.1, 1.1, 0.8, 1.6], gap="medium")
    st.session_state["train-model"] = wish.model
    model.segmented_control(
        "Model",
        sorted(RECIPES, key=lambda name: name != Wish.model),
        required=True,
        key="train-model",
        on_change=lambda: setattr(wish, "model", st.session_state["train-model"]),
    )
    dataset.markdown(
        f":small[Dataset]  \n**{plain(current.dataset.name)}** "
        f":gray[{compact(len(current.dataset))} images{_left_out(current)}]",
        help="The dataset chosen in the sidebar.",
    )
    epochs.number_input(SETTINGS["epochs"], step=10, **bound(wish, "epochs"))
    words.caption(f"**{wish.model}** {_ABOUT.get(wish.model, '')}")


def _left_out(current: Current) -> str:
    """What is said of images that somebody has excluded from training."""
    with suppress(StoreError):  # the pages say elsewhere that the labels cannot be reached
        if count := len(excluded(LabelStore(current.dataset))):
            return f", {compact(count)} of them excluded"
    return ""


def _changed(wish: Wish) -> None:
    count = len(wish.changed)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        what = "1 setting differs" if count == 1 else f"{count} settings differ"
        st.caption(f"{what} from the defaults of {wish.model}.")
        st.button(
            "Reset to defaults",
            type="tertiary",
            icon=":material/restart_alt:",
            on_click=wish.reset,
        )


def _expectation(current: Current, wish: Wish) -> None:
    """How long it will take, or what is wrong with the settings."""
    try:
        wish.check()
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    runs = listing()
    images = images_per_epoch(
        current.measures.n_present,
        len(current.dataset.schema),
        fraction=wish.value(FRACTION),
        missing=wish.value("missing"),
        demo_share=wish.value("demo_share"),
    )
    expected = estimate(wish.model, images, wish.value("epochs"), past(wish.model, images))
    st.markdown(f":material/timer: {_in_words(expected, images)}{_queue(runs)}")
    if words := _not_taught(current, wish):
        st.warning(words, icon=":material/visibility_off:")


def _not_taught(current: Current, wish: Wish) -> str:
    """Which points nothing would teach the model, as far as that can be told before the images are
    split; empty if none."""
    schema = current.dataset.schema
    labels = np.asarray(current.measures.present).sum(axis=1)
    rows = int((np.asarray(current.measures.n_present) > 0).sum())
    drawn = round(rows * (1 - wish.value(FRACTION)) * wish.value("demo_share"))
    if wish.value("missing") == "complete" or drawn or not rows:
        return ""  # complete rows and drawn faces have every point
    return never_learned(with_mirrored(labels, wish.augmentation.flip, schema) > 0, schema)


def _in_words(expected: Estimate, images: int) -> str:
    speed = f"{compact(images)} images per epoch at {expected.images_per_second:.0f} per second"
    words = f"**{times.in_words(expected.seconds)}**"
    if not expected.runs:
        return (
            f"Roughly {words} :gray[({speed}: a guess, until this model has been trained on this "
            "machine)]"
        )
    runs = "the last comparable run" if expected.runs == 1 else f"{expected.runs} comparable runs"
    return f"{words} :gray[({speed}, as in {runs})]"


def _queue(runs: Listing) -> str:
    if not runs.active:
        return ""
    spans = [_left(one) for one in runs.active]
    left = Span(sum(span.low for span in spans), sum(span.high for span in spans))
    names = ", ".join(plain(one.name) for one in runs.active)
    return f"  \n:gray[:material/hourglass_top: Starts after {names}, in {times.in_words(left)}]"


def _left(one: Listed) -> Span:
    """How long an active run will still take."""
    status, model = one.status, one.config.model
    if left := remaining(loaders.run_history(one.run), status.steps, one.config.epochs):
        return left
    return estimate(model, one.images, one.config.epochs, past(model, one.images)).seconds


def _start(current: Current, wish: Wish) -> str:
    """Make the run and start it; return its name."""
    wish.check()
    if wish.name:
        check_run_name(wish.name)
        _must_be_free(wish.name)
    groups = wish.groups
    if groups is not None and groups.data_hash != current.dataset.content_hash:
        raise UserError(
            f"The group file {groups.file} belongs to another dataset. Remove it, or upload one "
            "for this dataset."
        )
    with st.spinner("Splitting the images into training and validation ..."):
        ingested = loaders.ingested(current.dataset.name)
        version = wish.value("label_version")
        if version == NEWEST:
            version = LabelStore(ingested).head()
        config = make_config(
            ingested,
            wish.model,
            seed=wish.value("seed"),
            fraction=wish.value(FRACTION),
            groups=None if groups is None else groups.numbers,
            settings={**wish.settings, "label_version": version},
        )
    run = create_run(config, wish.name or None, wish.note)
    launch(run)
    return run.name


def _must_be_free(name: str) -> None:
    try:
        open_run(name)
    except UserError:
        return
    raise UserError(f"There is a run '{name}' already; choose another name.")
