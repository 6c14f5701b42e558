"""Models as ``.keras`` files: written in one step, read in Keras' safe mode only."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import keras

from fkd.errors import UserError
from fkd.files import replacing
from fkd.keypoints import KeypointSchema
from fkd.models import layers, losses, zoo  # noqa: F401  registers what a saved model may hold

MAX_MODEL_BYTES = 512 << 20
"""Largest model file read."""


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
        UserError: if there is none or it cannot be read.
    """
    if not path.is_file():
        raise UserError(f"There is no model at {path}; its training has no finished epoch yet.")
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise UserError(f"{path} is larger than {MAX_MODEL_BYTES >> 20} MB; it is not read.")
    try:
        return keras.saving.load_model(path, compile=compile, safe_mode=True)
    except Exception as error:  # whatever Keras, h5py or zipfile raise on a damaged file
        reason = next(iter(str(error).splitlines()), "")[:200] or type(error).__name__
        raise UserError(f"The model in {path} cannot be read ({reason}).") from None


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
