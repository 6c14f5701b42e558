"""A trained model made ready to look at photos. The first call loads TensorFlow."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fkd.errors import UserError
from fkd.inference import compiled
from fkd.inference.pipeline import Pipeline
from fkd.inference.reference import Reference
from fkd.keypoints import SCHEMAS, KeypointSchema
from fkd.log import log_unexpected
from fkd.models.sources import BUNDLED, TrainedModel, trained_model
from fkd.progress import Progress, silent

if TYPE_CHECKING:
    from fkd.models.predictor import Compiled


def open_pipeline(model: TrainedModel, progress: Progress = silent) -> Pipeline:
    """The pipeline around ``model``: compiled for any number of faces, safe to share by threads.

    The compiled model is kept on disk: from the second time on Keras has nothing to build.

    Raises:
        UserError: if the model cannot be read, or its images or keypoints are of no known kind.
    """
    progress("loading TensorFlow", 0, 0)
    _import()
    progress("loading the model", 0, 0)
    compiled.forget_old(model)
    name = compiled.name_of(model)
    predictor = _from_disk(name)
    if predictor is None:
        predictor = _from_keras(model, name)
    schema = _schema(predictor, model)
    progress("compiling the model", 0, 0)
    predictor(np.zeros((1, *schema.image_size), np.uint8))
    return Pipeline(predictor, schema, _reference(model, schema))


def _import() -> None:
    """Import TensorFlow. A million objects come with it that stay: to look through them for
    garbage, now and ever after, would take a fifth of the time."""
    if "tensorflow" in sys.modules:
        return
    collecting = gc.isenabled()
    gc.disable()
    try:
        import fkd.models.predictor  # noqa: F401

        gc.freeze()
    finally:
        if collecting:
            gc.enable()


def _from_disk(name: str) -> Compiled | None:
    from fkd.models.predictor import from_graph

    if (graph := compiled.read(name)) is None:
        return None
    try:
        return from_graph(graph)
    except ValueError as error:
        log_unexpected(f"a compiled model is made anew: {name}", error)
        return None


def _from_keras(model: TrainedModel, name: str) -> Compiled:
    from fkd.models.predictor import Predictor, keeps
    from fkd.models.saving import load_model

    predictor = Predictor(load_model(model.path), frozen=True)
    if keeps(predictor.graph):
        with suppress(OSError):  # it is only there to save time
            compiled.keep(name, predictor.graph)
    return predictor


def _schema(predictor: Compiled, model: TrainedModel) -> KeypointSchema:
    for schema in SCHEMAS.values():
        if predictor.takes == schema.image_size and predictor.gives[0] == len(schema):
            return schema
    raise UserError(
        f"Model '{model.name}' takes images of {predictor.takes} and gives {predictor.gives[0]} "
        "keypoints, which is no schema that is known here."
    )


def _reference(model: TrainedModel, schema: KeypointSchema) -> Reference:
    """The model's own; that of the bundled model for one that was trained before models had one."""
    if (found := Reference.read(model.path, schema)) is not None:
        return found
    if (found := Reference.read(trained_model(BUNDLED).path, schema)) is not None:
        # What the bundled model learned says nothing of what this one did.
        return replace(found, score=float("nan"), rmse_px=float("nan"), learned=None)
    raise UserError(
        f"Model '{model.name}' does not say what its images look like, and this installation has "
        "no bundled model to go by; train it anew."
    )
