"""The choice of the queue: what to look at, for which reasons, whose, and by which model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from dashboard.correction import sharing, todo
from dashboard.correction.view import BROWSED, QUEUES, SUSPECTS, UNLABELLED, UNSEEN, View, write
from dashboard.current import Current
from dashboard.links import bound, one_of
from dashboard.words import compact, plain
from fkd.labels.queue import Queue
from fkd.labels.reviews import Review
from fkd.labels.snapshots import Snapshot
from fkd.labels.store import LabelStore
from fkd.labels.suspects import REASONS
from fkd.models.sources import model_title


def chosen(
    store: LabelStore, shown: View, known: Snapshot, states: Mapping[int, Review]
) -> tuple[Queue, Queue]:
    """The queue in any state, and as the view asks for it."""
    if shown.queue == BROWSED:
        queue = todo.browsed(shown.of, store, known)
    else:
        queue = todo.queue(shown, known)
    return sharing.fitting(queue, shown, states, shown.row)


def controls(
    store: LabelStore,
    shown: View,
    known: Snapshot,
    states: Mapping[int, Review],
    author: str,
    queue: Queue,
) -> None:
    """The choice of the queue, which is ``queue`` now."""
    with st.popover(
        "Queue", icon=":material/checklist:", key="correct-queue-panel", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        one_of(
            st.selectbox,
            "Queue",
            {
                q: words
                for q, words in QUEUES.items()
                if q != BROWSED or q == shown.queue or shown.of
            },
            bound("correct-queue", shown.queue, lambda q: write(replace(shown, row=None, queue=q))),
        )
        _refreshing(store, shown, known)
        if shown.queue == SUSPECTS:
            _reasons(shown, known)
        sharing.filters(shown, states, author)
        sharing.assigning(store, shown, queue, states, author)
        _models(shown, known)


def _refreshing(store: LabelStore, shown: View, known: Snapshot) -> None:
    since = store.head() - known.version
    st.button(
        "Refresh queue",
        key="correct-refresh",
        icon=":material/refresh:",
        help="The queue stays as it is while it is worked through. Refreshing makes a new one, "
        f"by the labels and the models as they are now ({_versions(since)} of the labels later).",
        width="stretch",
        on_click=_refresh,
        args=(store, shown),
    )


def _versions(count: int) -> str:
    return f"{compact(count)} {'version' if count == 1 else 'versions'}"


def news(current: Current, store: LabelStore, shown: View, known: Snapshot) -> None:
    """What the queue would have, made now, and a way to it."""
    if count := todo.news(current, store, shown, known):
        images = "image" if count == 1 else "images"
        st.button(
            f"{compact(count)} new: refresh",
            key="correct-news",
            icon=":material/refresh:",
            help=f"Other models judge the labels now. A new queue would have {compact(count)} "
            f"{images} more that this one does not have.",
            on_click=_refresh,
            args=(store, shown),
        )


def nothing(shown: View, known: Snapshot) -> None:
    """Why there is no image to show, and what to do next."""
    if shown.state or shown.whose or shown.reasons:
        text = "No image of this queue fits the choice of state, person and reason."
    elif shown.queue == SUSPECTS:
        text = "No label looks wrong."
    elif not known.unseen.known.any() and shown.queue != UNLABELLED:
        text = "This queue needs a reference model: train one on this dataset."
    else:
        text = "No image is left in this queue."
    st.info(f"{text} Choose another queue under Queue.", icon=":material/done_all:")


def _reasons(shown: View, known: Snapshot) -> None:
    whole = todo.queue(replace(shown, reasons=()), known)
    counts = Counter(one.reason for one in whole.reasons.values())
    there = [reason for reason in REASONS if reason in counts or reason in shown.reasons]
    if len(there) < 2 and not shown.reasons:
        return
    st.multiselect(
        "Reasons",
        there,
        format_func=lambda r: f"{REASONS[r].capitalize()} ({compact(counts[r])})",
        placeholder="Any reason",
        **bound(
            "correct-reasons",
            list(shown.reasons),
            lambda chosen: write(replace(shown, row=None, reasons=tuple(chosen))),
        ),
    )


def _models(shown: View, known: Snapshot) -> None:
    """Whose predictions are suggested, and by which models labels were judged."""
    names = [UNSEEN, *todo.model_names()]
    st.selectbox(
        "Suggested points from",
        names if shown.model in names else [*names, shown.model],
        format_func=_title,
        help="Suggested points count as labels only once somebody accepts them.",
        **bound("correct-model", shown.model, lambda m: write(replace(shown, model=m))),
    )
    lines = [
        f"{plain(source.title)} ({plain(source.standing('them'))}): {compact(count)} "
        f"{'image' if count == 1 else 'images'}"
        for source, count in known.judged_by
    ]
    if not lines:
        lines = ["none: labels are compared with the usual shape of faces"]
    lines = [f"- {line[:1].upper()}{line[1:]}" for line in lines]
    left_out = [f"- Not used: {plain(words)}" for words in known.left_out]
    st.caption("\n".join(["Reference models", "", *lines, *left_out]))


def _title(name: str) -> str:
    if name == UNSEEN:
        return "Reference model"
    return model_title(name)


def _refresh(store: LabelStore, shown: View) -> None:
    todo.refresh(store)
    write(replace(shown, snapshot=""))
