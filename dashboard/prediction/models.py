"""Models ready to predict: loaded once for all users of this server, in the background."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from fkd.inference.loading import open_pipeline
from fkd.inference.pipeline import Pipeline
from fkd.models.sources import TrainedModel

_KEPT = 3
"""Models kept in memory, those used last."""


@dataclass(eq=False)
class Loading:
    """A model on its way; ``stage`` says what it is waiting for."""

    stage: str = "starting"
    ready: Future[Pipeline] = field(default_factory=Future)

    def progress(self, stage: str, done: int, total: int) -> None:
        self.stage = stage


class Models:
    """The models of this server by name and file; safe to use from several threads."""

    def __init__(self) -> None:
        self._models: dict[tuple[str, str], Loading] = {}
        self._lock = threading.Lock()

    def load(self, model: TrainedModel) -> Loading:
        """Begin to load ``model``, unless that has been done. A failure is tried anew."""
        key = (model.name, model.stamp)
        with self._lock:
            found = self._models.pop(key, None)
            if found is None or (found.ready.done() and found.ready.exception() is not None):
                found = Loading()
                threading.Thread(target=_load, args=(model, found), daemon=True).start()
            self._models[key] = found
            while len(self._models) > _KEPT:
                self._models.pop(next(iter(self._models)))
        return found


def _load(model: TrainedModel, loading: Loading) -> None:
    try:
        loading.ready.set_result(open_pipeline(model, loading.progress))
    except BaseException as error:  # whoever waits for it is told
        loading.ready.set_exception(error)


MODELS = Models()
"""Those of this server."""
