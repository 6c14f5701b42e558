"""The queue of the Correct page: found once, kept while it is worked through."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import numpy as np
import streamlit as st

from dashboard import loaders, predictions
from dashboard.correction.view import ALL, SUSPECTS, UNLABELLED, View
from dashboard.current import Current
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.predictions import version
from fkd.labels.at import labels_at
from fkd.labels.queue import Queue, of_rows, of_suspects, unlabelled
from fkd.labels.references import references, unseen_by
from fkd.labels.states import Labels
from fkd.labels.store import LabelStore
from fkd.labels.suspects import MISSING, UNSURE, WRONG, Suspect, find_suspects
from fkd.labels.twins import Twins, find_twins
from fkd.labels.unseen import Unseen
from fkd.measures import Measures
from fkd.models.sources import TrainedModel, trained_model, trained_models
from fkd.selection import Selection

_SEEN, _BROWSED = "correct-queue-version", "correct-queue-browsed"

_KINDS = {SUSPECTS: WRONG, MISSING: MISSING, UNSURE: UNSURE}


@dataclass(frozen=True)
class Known:
    """What models that never saw an image say of it, the labels of its duplicates, and the suspects
    that follow from that, as of one version of the labels."""

    version: int
    labels: Labels
    unseen: Unseen
    twins: Twins
    suspects: tuple[Suspect, ...]


def known(current: Current, store: LabelStore) -> Known:
    """As of the version that the queue was made at: while it is worked through, its order
    stays."""
    versions = st.session_state.setdefault(_SEEN, {})
    if store.key not in versions:
        versions[store.key] = store.head()
    models = trained_models()
    stamps = tuple((model.name, *version(model, store.dataset)) for model in models)
    return _known(
        store.key, versions[store.key], stamps, store.dataset, current.measures, tuple(models)
    )


def look_again(store: LabelStore) -> Callable[[], None]:
    """Make the queue anew, with what was corrected since."""
    return lambda: st.session_state.get(_SEEN, {}).pop(store.key, None)


def corrected_since(store: LabelStore) -> int:
    """Versions that were made since the queue was."""
    return store.head() - int(st.session_state.get(_SEEN, {}).get(store.key, 0))


@st.cache_resource(show_spinner="Looking for labels that may be wrong ...", max_entries=4)
def _known(
    key: str,
    number: int,
    stamps: tuple[tuple[str | int, ...], ...],
    _dataset: Dataset,
    _measures: Measures,
    _models: tuple[TrainedModel, ...],
) -> Known:
    labels = labels_at(LabelStore(_dataset), number)
    unseen = unseen_by(references(_models, _dataset, labels.points).judging, _dataset)
    twins = find_twins(_dataset, _measures, labels.points)
    return Known(number, labels, unseen, twins, tuple(find_suspects(labels, unseen, twins)))


def queue(shown: View, found: Known, reasons: tuple[str, ...] = ()) -> Queue:
    """The images of the queue that the view names, those with one of ``reasons`` if any are
    given."""
    if shown.queue == ALL:
        return of_rows(found.labels.rows.tolist())
    if shown.queue == UNLABELLED:
        return of_rows(unlabelled(found.labels).tolist())
    kind = _KINDS[shown.queue]
    return of_suspects((s for s in found.suspects if s.kind == kind), reasons)


def browsed(of: str, store: LabelStore, found: Known) -> Queue:
    """The images that ``of``, the words of a link to Browse, selects; as it was when the queue was
    made, or images would drop out of it as they are put right."""
    kept = st.session_state.setdefault(_BROWSED, {})
    key = (store.key, found.version, of)
    if key not in kept:
        kept.clear()
        kept[key] = of_rows(_selected(of, store.dataset.name))
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


def prediction(found: Known, position: int) -> tuple[np.ndarray, str]:
    """``(K, 2)`` px, NaN where unknown: what a model that never saw the image says of it, and
    which."""
    return found.unseen.points[position], found.unseen.source_of(position).name
