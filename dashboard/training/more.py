"""Everything about a training that has a sensible default."""

from __future__ import annotations

import streamlit as st

from dashboard import loaders
from dashboard.current import Current
from dashboard.training import groups, preview
from dashboard.training.widgets import bound
from dashboard.training.wish import FRACTION, NEWEST, Wish
from dashboard.words import compact
from fkd.labels.store import LabelStore
from fkd.splits import MAX_FRACTION, MIN_FRACTION
from fkd.training.config import AUGMENTATION_LIMITS, MISSING, PRECISIONS, SCHEDULES, SETTINGS
from fkd.training.runs import MAX_NOTE

_PARTS = ("Data", "Augmentation", "Optimization", "Name and note")

_PRECISION_WORDS = {"auto": "auto (fastest on this machine)"}


def settings(current: Current, wish: Wish) -> None:
    """One part of the settings at a time."""
    part = st.segmented_control(
        "Part", _PARTS, default=_PARTS[0], required=True, label_visibility="collapsed"
    )
    {
        "Data": _data,
        "Augmentation": _augmentation,
        "Optimization": _optimization,
        "Name and note": _name,
    }[part](current, wish)


def _data(current: Current, wish: Wish) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        _labels(current, wish)
        st.radio(
            SETTINGS["missing"],
            list(MISSING),
            format_func=lambda word: MISSING[word].capitalize(),
            **bound(wish, "missing"),
        )
        st.slider(
            "Validation share",
            MIN_FRACTION,
            MAX_FRACTION,
            step=0.05,
            format="percent",
            help="Share of the images that are held back to validate the model and never trained "
            "on. Duplicates stay together; label sources keep their proportion.",
            **bound(wish, FRACTION),
        )
        st.slider(
            SETTINGS["demo_share"],
            0.0,
            max(1.0, wish.value("demo_share")),
            step=0.05,
            format="percent",
            help="Computer-drawn faces that are mixed in, as a share of the training images. All "
            "of their points are labelled exactly.",
            **bound(wish, "demo_share"),
        )
    with right:
        groups.uploader(current, wish)


def _labels(current: Current, wish: Wish) -> None:
    """Which state of the labels to learn from."""
    latest = LabelStore(loaders.ingested(current.dataset.name)).head()
    if wish.value("label_version") > latest:  # chosen for another dataset
        wish.change("label_version", NEWEST)
    if not latest:
        st.markdown(
            ":small[Labels]  \nas ingested",
            help="No label has been corrected yet. Each save on Correct adds a version.",
        )
        return
    words = {NEWEST: f"latest (version {latest})", 0: "as ingested"}
    words |= {number: f"version {number}" for number in range(latest - 1, 0, -1)}
    st.selectbox(
        SETTINGS["labels"],
        list(words),
        format_func=words.get,
        help="The version of the labels to train on. Each save on Correct adds one.",
        **bound(wish, "label_version"),
    )
    st.checkbox(
        "Include accepted predictions",
        help="Labels that a person accepted from a model without moving them.",
        **bound(wish, "accepted"),
    )


def _augmentation(current: Current, wish: Wish) -> None:
    left, right = st.columns([1, 1.6], gap="large")
    with left:
        st.toggle(
            SETTINGS["augmentation.flip"],
            help="Mirrors half of the images; left and right points swap names.",
            **bound(wish, "augmentation.flip"),
        )
        for name, step, form in (
            ("rotation", 1.0, "±%g°"),
            ("scale", 0.01, "percent"),
            ("shift", 0.5, "±%g px"),
            ("shear", 0.01, "percent"),
            ("brightness", 1.0, "±%g grey levels"),
            ("contrast", 0.05, "percent"),
            ("gamma", 0.05, "percent"),
            ("noise", 0.5, "%g grey levels"),
            ("cutout", 0.05, "percent"),
        ):
            label = SETTINGS[f"augmentation.{name}"]
            high = float(AUGMENTATION_LIMITS[name])
            st.slider(
                label, 0.0, high, step=step, format=form, **bound(wish, f"augmentation.{name}")
            )
    with right:
        preview.varied_faces(current, wish.augmentation)


def _optimization(current: Current, wish: Wish) -> None:
    columns = st.columns(3, gap="medium")
    with columns[0]:
        st.number_input(
            SETTINGS["learning_rate"],
            step=1e-4,
            format="%.5f",
            help="The peak, reached after a short warm-up.",
            **bound(wish, "learning_rate"),
        )
        st.selectbox(
            SETTINGS["schedule"],
            list(SCHEDULES),
            format_func=lambda word: f"{word}: {SCHEDULES[word]}",
            **bound(wish, "schedule"),
        )
        st.number_input(
            SETTINGS["weight_decay"],
            step=0.01,
            format="%.4f",
            help="Used by AdamW; 0 selects plain Adam.",
            **bound(wish, "weight_decay"),
        )
    with columns[1]:
        st.number_input(
            SETTINGS["batch_size"],
            step=8,
            help="Images per training step.",
            **bound(wish, "batch_size"),
        )
        st.number_input(
            SETTINGS["patience"],
            step=5,
            help="The training ends after this many epochs without a lower validation error; "
            "0 turns early stopping off.",
            **bound(wish, "patience"),
        )
    with columns[2]:
        st.number_input(
            SETTINGS["seed"],
            step=1,
            help="Decides the split, the initial weights, the order of the images and the "
            "augmentation. Runs with the same seed, validation share and dataset have the same "
            "split and can be compared.",
            **bound(wish, "seed"),
        )
        st.selectbox(
            SETTINGS["precision"],
            PRECISIONS,
            format_func=lambda word: _PRECISION_WORDS.get(word, word),
            **bound(wish, "precision"),
        )


def _name(current: Current, wish: Wish) -> None:
    for label, key, limit, hint in (
        ("Name", "name", 64, f"{wish.model}-1, {wish.model}-2, ..."),
        ("Note", "note", MAX_NOTE, "What this run tries, and why"),
    ):
        st.session_state[f"train-{key}"] = getattr(wish, key)
        st.text_input(
            label,
            key=f"train-{key}",
            max_chars=limit,
            placeholder=hint,
            on_change=lambda key=key: setattr(wish, key, st.session_state[f"train-{key}"].strip()),
        )
    st.caption(f"A note can have {compact(MAX_NOTE)} characters and be edited later.")
