"""A trained model made ready to look at photos. The first call loads TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fkd.errors import UserError
from fkd.inference.pipeline import Pipeline
from fkd.inference.reference import Reference
from fkd.keypoints import SCHEMAS, KeypointSchema
from fkd.models.sources import BUNDLED, TrainedModel, trained_model
from fkd.progress import Progress, silent


def open_pipeline(model: TrainedModel, progress: Progress = silent) -> Pipeline:
    """The pipeline around ``model``: compiled for any number of faces, safe to share by threads.

    Raises:
        UserError: if the model cannot be read, or its images or keypoints are of no known kind.
    """
    progress("loading TensorFlow", 0, 0)
    from fkd.models.predictor import Predictor
    from fkd.models.saving import load_model

    progress("loading the model", 0, 0)
    network = load_model(model.path)
    schema = _schema(network.input_shape, network.output_shape, model)
    predictor = Predictor(network, frozen=True)
    progress("compiling the model", 0, 0)
    predictor(np.zeros((1, *schema.image_size), np.uint8))
    return Pipeline(predictor, schema, _reference(model, schema))


def _schema(takes: tuple[Any, ...], gives: tuple[Any, ...], model: TrainedModel) -> KeypointSchema:
    for schema in SCHEMAS.values():
        if tuple(takes[1:3]) == schema.image_size and gives[1] == len(schema):
            return schema
    raise UserError(
        f"Model '{model.name}' takes images of {takes[1:3]} and gives {gives[1]} keypoints, which "
        "is no schema that is known here."
    )


def _reference(model: TrainedModel, schema: KeypointSchema) -> Reference:
    """The model's own; that of the bundled model for one that was trained before models had one."""
    if (found := Reference.read(model.path, schema)) is not None:
        return found
    if (found := Reference.read(trained_model(BUNDLED).path, schema)) is not None:
        return replace(found, score=float("nan"), rmse_px=float("nan"))
    raise UserError(
        f"Model '{model.name}' does not say what its images look like, and this installation has "
        "no bundled model to go by; train it anew."
    )
