"""A model as a compiled function over arrays of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

# There is no public name for it; TensorFlow is pinned and a test compares the results.
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

BATCH = 128
"""Images predicted at a time."""
_TAKES, _GIVES = "images:0", "Identity:0"
"""What a frozen graph's input and output are called."""


class Compiled:
    """Predicts keypoints; compiled once for any number of images, safe to share by threads.

    Args:
        call: from a uint8 array ``(N, H, W)`` to a tensor ``(N, K, 2 or 3)``.
        takes: ``(H, W)``.
        gives: ``(K, 2 or 3)``.
    """

    def __init__(
        self,
        call: Callable[[NDArray[np.uint8]], Any],
        takes: tuple[int, int],
        gives: tuple[int, int],
    ) -> None:
        self._call, self.takes, self.gives = call, takes, gives

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(N, K, 2)`` points in px of ``(N, H, W)`` images, or ``(N, K, 3)`` with the distance
        from the truth that is to be expected of each."""
        found = list(self.batches(images))
        return np.concatenate(found) if found else np.zeros((0, *self.gives), np.float32)

    def batches(self, images: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
        """The same, ``BATCH`` images after the other."""
        for start in range(0, len(images), BATCH):
            batch = np.ascontiguousarray(images[start : start + BATCH])
            yield self._call(batch).numpy().astype(np.float32)


class Predictor(Compiled):
    """A Keras model, compiled.

    Args:
        frozen: take the weights as they are now, for good: then TensorFlow folds batch
            normalisation into convolutions, and one image takes two thirds of the time.

    Attributes:
        graph: where frozen, the model as ``from_graph`` takes it; otherwise empty.
    """

    def __init__(self, model: keras.Model, *, frozen: bool = False) -> None:
        self.model = model
        self.graph = b""
        call = tf.function(
            lambda images: model(tf.cast(images, tf.float32)[..., None], training=False),
            input_signature=[tf.TensorSpec((None, *model.input_shape[1:3]), tf.uint8, "images")],
            autograph=False,
        )
        if frozen:
            constant = convert_variables_to_constants_v2(call.get_concrete_function())
            self.graph = constant.graph.as_graph_def().SerializeToString()
            call = _first(constant)
        super().__init__(call, tuple(model.input_shape[1:3]), tuple(model.output_shape[1:]))


def from_graph(data: bytes) -> Compiled:
    """The model that ``Predictor.graph`` is; ready in half the time that Keras needs.

    Raises:
        ValueError: if ``data`` is something else.
    """
    try:
        definition = tf.compat.v1.GraphDef.FromString(data)
        whole = tf.compat.v1.wrap_function(
            lambda: tf.graph_util.import_graph_def(definition, name=""), []
        )
        constant = whole.prune([_TAKES], [_GIVES])
        (_, *takes), (_, *gives) = (
            t.shape.as_list() for t in (*constant.inputs, *constant.outputs)
        )
    except Exception as error:  # protobuf and TensorFlow raise many kinds
        raise ValueError(f"no graph of a model ({type(error).__name__})") from None
    return Compiled(_first(constant), tuple(takes), tuple(gives))


def _first(function: Any) -> Callable[[NDArray[np.uint8]], Any]:
    """The only output of a function of TensorFlow."""
    return lambda images: function(tf.constant(images))[0]
