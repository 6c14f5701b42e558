"""Models as ``.keras`` files: written in one step, read in Keras' safe mode only, once they have
been looked through."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

# The public function takes paths only, and what was looked through is in memory. Keras is pinned.
from keras.src.saving import saving_lib

from fkd import stored
from fkd.errors import UserError
from fkd.files import replacing
from fkd.keypoints import KeypointSchema
from fkd.models import zoo
from fkd.models.screening import screened


def save_model(
    model: keras.Model, path: Path, *, optimizer: bool, notes: Mapping[str, str] | None = None
) -> None:
    """Write ``model`` to ``path``, a ``.keras`` file, in one step as seen from outside. ``notes``
    are texts by name that are put into the file besides; Keras passes them over."""
    with replacing(path) as beside:
        keras.saving.save_model(model, beside, include_optimizer=optimizer)
        with zipfile.ZipFile(beside, "a") as file:
            for name, text in (notes or {}).items():
                file.writestr(name, text)


def load_model(path: Path, *, compile: bool = False) -> keras.Model:
    """The model in the ``.keras`` file at ``path``; with ``compile``, its optimizer as well.

    Raises:
        UserError: if there is none, it cannot be read, is absurdly large, or has layers that are
            not known to do nothing but compute (see ``screening``).
    """
    if not path.is_file():
        raise UserError(f"There is no model at {path}; its training has no finished epoch yet.")
    try:
        model = saving_lib.load_model(screened(path), compile=compile, safe_mode=True)
        _check_ends(model.input_shape, model.output_shape)
    except Exception as error:  # whatever Keras, h5py or zipfile raise on a damaged file
        reason = stored.reason(error)[:200]
        raise UserError(
            f"The model in {path} cannot be read ({reason}); train it anew or take another."
        ) from None
    return model


def _check_ends(takes: Any, gives: Any) -> None:
    """Whether a model is one of those in ``zoo``: grey images in, points out."""
    ends = f"it takes {takes} and gives {gives}, not grey images and points"[:200]
    if not isinstance(takes, tuple) or not isinstance(gives, tuple):
        raise ValueError(ends)
    if len(takes) != 4 or takes[3] != 1 or len(gives) != 3 or gives[2] not in (2, 3):
        raise ValueError(ends)


def float32_twin(model: keras.Model, name: str, schema: KeypointSchema) -> keras.Model:
    """A model of the same architecture that computes in float32: what is validated and kept, so
    that a saved model gives the same results on every machine."""
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("float32")
    try:
        twin = zoo.build(name, schema)
    finally:
        keras.mixed_precision.set_dtype_policy(policy)
    copy_weights(model, twin)
    return twin


def copy_weights(model: keras.Model, twin: keras.Model) -> None:
    """Give ``twin`` the weights that ``model`` is to be judged by: the moving average of those
    that were trained, where its optimizer keeps one."""
    for source, target in zip(model.variables, twin.variables, strict=True):
        target.assign(source)
    # Keras' own way to put averages in place; without averages it does nothing.
    model.optimizer.finalize_variable_values(twin.trainable_variables)
