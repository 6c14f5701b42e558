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
from fkd.training.config import AUGMENTATION_LIMITS, MISSING, PRECISIONS, SCHEDULES
from fkd.training.runs import MAX_NOTE

_PARTS = ("Data", "Augmentation", "Optimisation", "Name and note")

_PRECISION_WORDS = {"auto": "auto (what is fastest here)"}


def settings(current: Current, wish: Wish) -> None:
    """One part of the settings at a time."""
    part = st.segmented_control(
        "Part", _PARTS, default=_PARTS[0], required=True, label_visibility="collapsed"
    )
    {
        "Data": _data,
        "Augmentation": _augmentation,
        "Optimisation": _optimisation,
        "Name and note": _name,
    }[part](current, wish)


def _data(current: Current, wish: Wish) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        _labels(current, wish)
        st.radio("Missing labels", list(MISSING), format_func=MISSING.get, **bound(wish, "missing"))
        st.slider(
            "Held back for validation",
            MIN_FRACTION,
            MAX_FRACTION,
            step=0.05,
            format="percent",
            help="These images judge the model and are never trained on. Duplicates stay on one "
            "side, label sources in proportion.",
            **bound(wish, FRACTION),
        )
        st.slider(
            "Drawn faces mixed in",
            0.0,
            max(1.0, wish.value("demo_share")),
            step=0.05,
            format="percent",
            help="As a share of the training images. They have every point, exactly placed.",
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
            help="Nothing was corrected yet. Corrections make further versions.",
        )
        return
    words = {NEWEST: f"latest (version {latest})", 0: "as ingested"}
    words |= {number: f"version {number}" for number in range(latest - 1, 0, -1)}
    st.selectbox(
        "Labels",
        list(words),
        format_func=words.get,
        help="Every save on Correct makes a version. The run keeps the number.",
        **bound(wish, "label_version"),
    )
    st.checkbox(
        "Learn from accepted predictions too",
        help="Labels that are a model's predictions, accepted by a person as they were.",
        **bound(wish, "accepted"),
    )


def _augmentation(current: Current, wish: Wish) -> None:
    left, right = st.columns([1, 1.6], gap="large")
    with left:
        st.toggle("Mirror half of the images", **bound(wish, "augmentation.flip"))
        for name, label, step, form in (
            ("rotation", "Rotation, up to", 1.0, "±%g°"),
            ("scale", "Size, up to", 0.01, "percent"),
            ("shift", "Shift, up to", 0.5, "±%g px"),
            ("shear", "Shear and stretch, up to", 0.01, "percent"),
            ("brightness", "Brightness, up to", 1.0, "±%g grey levels"),
            ("contrast", "Contrast, up to", 0.05, "percent"),
            ("gamma", "Grey curve (gamma), up to", 0.05, "percent"),
            ("noise", "Noise, up to", 0.5, "%g grey levels"),
            ("cutout", "Images that lose a rectangle", 0.05, "percent"),
        ):
            high = float(AUGMENTATION_LIMITS[name])
            st.slider(
                label, 0.0, high, step=step, format=form, **bound(wish, f"augmentation.{name}")
            )
    with right:
        preview.varied_faces(current, wish.augmentation)


def _optimisation(current: Current, wish: Wish) -> None:
    columns = st.columns(3, gap="medium")
    with columns[0]:
        st.number_input(
            "Learning rate",
            step=1e-4,
            format="%.5f",
            help="The highest one; it is reached after a short warm-up.",
            **bound(wish, "learning_rate"),
        )
        st.selectbox(
            "Schedule",
            list(SCHEDULES),
            format_func=lambda word: f"{word}: {SCHEDULES[word]}",
            **bound(wish, "schedule"),
        )
        st.number_input(
            "Weight decay",
            step=0.01,
            format="%.4f",
            help="Of AdamW; 0 is plain Adam.",
            **bound(wish, "weight_decay"),
        )
    with columns[1]:
        st.number_input("Batch", step=8, help="Images of a step", **bound(wish, "batch_size"))
        st.number_input(
            "Patience",
            step=5,
            help="Epochs without a better validation error until training ends by itself; "
            "0 = never.",
            **bound(wish, "patience"),
        )
    with columns[2]:
        st.number_input(
            "Seed",
            step=1,
            help="Of the split, the first weights, the order and the augmentation. Runs of the "
            "same seed, share and data have the same split and compare.",
            **bound(wish, "seed"),
        )
        st.selectbox(
            "Precision",
            PRECISIONS,
            format_func=lambda word: _PRECISION_WORDS.get(word, word),
            **bound(wish, "precision"),
        )


def _name(current: Current, wish: Wish) -> None:
    for label, key, limit, hint in (
        ("Name", "name", 64, f"{wish.model}-1, {wish.model}-2, ..."),
        ("Note", "note", MAX_NOTE, "What is tried, and why"),
    ):
        st.session_state[f"train-{key}"] = getattr(wish, key)
        st.text_input(
            label,
            key=f"train-{key}",
            max_chars=limit,
            placeholder=hint,
            on_change=lambda key=key: setattr(wish, key, st.session_state[f"train-{key}"].strip()),
        )
    st.caption(f"A note has at most {compact(MAX_NOTE)} characters and can be changed later.")
