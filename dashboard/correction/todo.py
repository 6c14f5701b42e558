"""The queue of the Correct page: a snapshot, which stays as it is while it is worked through.

What a rerun of the page needs lies in memory. Whether a queue made now would hold more is found out
in the background, every now and then.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

import numpy as np
import streamlit as st

from dashboard import loaders, predictions
from dashboard.correction.view import ALL, SUSPECTS, UNLABELLED, View
from dashboard.current import Current
from fkd.errors import UserError
from fkd.labels import snapshots
from fkd.labels.queue import Queue, of_rows, of_suspects
from fkd.labels.snapshots import Snapshot
from fkd.labels.store import LabelStore
from fkd.labels.suspects import MISSING, UNSURE, WRONG
from fkd.log import log_unexpected
from fkd.measures import Measures
from fkd.models.sources import trained_model, trained_models
from fkd.selection import Selection

Known = Snapshot

_HERE, _BROWSED, _ANEW = "correct-snapshot", "correct-queue-browsed", "correct-queue-anew"

_KINDS = {SUSPECTS: WRONG, MISSING: MISSING, UNSURE: UNSURE}

_OPEN = 24
"""Snapshots that are held in memory."""

_JOIN_S = 600.0
"""Whoever comes without a link joins the queue that others began so recently, in seconds."""

_CHECK_S = 15.0
"""How often it is looked whether other models could judge, in seconds."""


@dataclass
class _Newest:
    """The latest snapshot of a dataset, and what is known of the models since."""

    making: threading.Lock = field(default_factory=threading.Lock)
    snapshot: Snapshot | None = None
    made: float = 0.0
    checked: float = 0.0
    checking: bool = False


class _Memory:
    """The snapshots that are worked through, for all users."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: OrderedDict[tuple[str, str], Snapshot] = OrderedDict()
        self._newest: dict[tuple[str, str], _Newest] = {}

    def newest(self, store: LabelStore) -> _Newest:
        with self._lock:
            return self._newest.setdefault((store.key, store.dataset.content_hash), _Newest())

    def opened(self, store: LabelStore, name: str) -> Snapshot | None:
        key = name, store.dataset.content_hash
        with self._lock:
            if (found := self._opened.get(key)) is not None:
                self._opened.move_to_end(key)
            return found

    def hold(self, store: LabelStore, snapshot: Snapshot) -> Snapshot:
        with self._lock:
            self._opened[snapshot.id, store.dataset.content_hash] = snapshot
            while len(self._opened) > _OPEN:
                self._opened.popitem(last=False)
        return snapshot

    def reopened(self, store: LabelStore, measures: Measures, name: str) -> Snapshot | None:
        """The snapshot ``name``; None if there is none of this dataset."""
        with self.newest(store).making:  # for all that ask for it at once
            if (found := self.opened(store, name)) is not None:
                return found
            found = snapshots.reopen(store, measures, trained_models(), name)
            return None if found is None else self.hold(store, found)

    def fresh(self, store: LabelStore, measures: Measures, *, anew: bool = False) -> Snapshot:
        """A snapshot of now; unless it is to be made ``anew``, one that was begun just before."""
        newest = self.newest(store)
        with newest.making:
            models, head = trained_models(), store.head()
            last = newest.snapshot
            recent = time.monotonic() - newest.made < _JOIN_S and not anew
            if (
                last is not None
                and (recent or last.version == head)
                and last.version <= head
                and last.stamps == snapshots.stamps(models, store.dataset)
            ):
                return self.hold(store, last)
            newest.snapshot = snapshots.take(store, measures, models, head)
            newest.made = newest.checked = time.monotonic()
            return self.hold(store, newest.snapshot)

    def check(self, store: LabelStore, measures: Measures, shown: Snapshot) -> Snapshot | None:
        """What a queue made now would be, if other models judge than in ``shown``: found out in
        the background, and None until then."""
        newest = self.newest(store)
        with self._lock:
            due = time.monotonic() - newest.checked > _CHECK_S and not newest.checking
            newest.checking |= due
        if due:
            work = (store, measures, shown, newest)
            threading.Thread(target=self._check, args=work, name="queue", daemon=True).start()
        found = newest.snapshot
        return found if found is not None and found.stamps != shown.stamps else None

    def _check(
        self, store: LabelStore, measures: Measures, shown: Snapshot, newest: _Newest
    ) -> None:
        try:
            now = snapshots.stamps(trained_models(), store.dataset)
            if now != shown.stamps:
                self.fresh(store, measures)
        except UserError:
            pass  # the labels cannot be read just now
        except Exception as error:
            log_unexpected("looking for likely label errors", error)
        finally:
            newest.checked, newest.checking = time.monotonic(), False


@st.cache_resource(show_spinner=False)
def _memory() -> _Memory:
    return _Memory()


def known(current: Current, store: LabelStore, asked: str) -> Snapshot:
    """The snapshot that the link ``asked`` for; without one, the one that was looked at last, else
    a fresh one."""
    memory = _memory()
    here = st.session_state.setdefault(_HERE, {})
    anew = st.session_state.pop(_ANEW, None) == store.key
    name = asked or here.get(store.key, "")
    found = None if anew or not name else memory.opened(store, name)
    with st.container():  # a place of its own, whether it says something or not
        if found is None:
            with st.spinner("Looking for likely label errors ..."):
                if name and not anew:
                    found = memory.reopened(store, current.measures, name)
                if found is None:
                    lost = bool(asked) and not anew
                    found = memory.fresh(store, current.measures, anew=anew)
                else:
                    lost = False
            if lost:
                st.info(
                    "The queue in this link does not exist any more, so this is a new one.",
                    icon=":material/refresh:",
                )
    here[store.key] = found.id
    return found


def refresh(store: LabelStore) -> None:
    """Let the next drawing of the page begin with a new snapshot."""
    st.session_state[_ANEW] = store.key


def news(current: Current, store: LabelStore, shown: View, found: Snapshot) -> int:
    """How many images the queue that ``shown`` names would have, made now, that it does not have
    in ``found``."""
    if (kind := _KINDS.get(shown.queue)) is None:
        return 0
    now = _memory().check(store, current.measures, found)
    return 0 if now is None else len(now.queues[kind].reasons.keys() - found.queues[kind].reasons)


@st.cache_data(show_spinner=False, ttl=_CHECK_S)
def model_names() -> list[str]:
    """Models that can be asked, as they were a moment ago: every rerun of the page lists them."""
    return [model.name for model in trained_models()]


def queue(shown: View, found: Snapshot) -> Queue:
    """The images of the queue that the view names, those with one of its reasons if it names
    any."""
    if shown.queue == ALL:
        return of_rows(found.rows)
    if shown.queue == UNLABELLED:
        return of_rows(found.unlabelled)
    whole = found.queues[_KINDS[shown.queue]]
    return of_suspects(whole.reasons.values(), shown.reasons) if shown.reasons else whole


def browsed(of: str, store: LabelStore, found: Snapshot) -> Queue:
    """The images that ``of``, the words of a link to Browse, selects; as it was when it was first
    asked for in the snapshot, or images would drop out of it as they are put right."""
    kept = st.session_state.setdefault(_BROWSED, {})
    key = (store.key, found.id, of)
    if key not in kept:
        kept.clear()
        rows = snapshots.kept_rows(store, found.id, of)
        if rows is None:
            rows = tuple(_selected(of, store.dataset.name))
            snapshots.keep_rows(store, found.id, of, rows)
        kept[key] = of_rows(row for row in rows if store.dataset.position(row) is not None)
    return kept[key]


def _selected(of: str, name: str) -> list[int]:
    dataset = loaders.dataset(name)
    measures = loaders.measures(dataset)
    selection = replace(Selection.from_query(dict(parse_qsl(of)), dataset.schema), part="training")
    predicted = None
    if selection.asks_model:
        with suppress(UserError):
            predicted = predictions.predicted(trained_model(selection.model), dataset)
    if measures is None:
        return []
    return dataset.rows[loaders.positions(dataset, measures, selection, predicted)].tolist()


def prediction(found: Snapshot, position: int) -> tuple[np.ndarray, str]:
    """``(K, 2)`` px, NaN where unknown: what the reference model says of the image, and its
    name."""
    return found.unseen.points[position], found.unseen.source_of(position).name
