"""A model as a compiled function over arrays of images."""

from __future__ import annotations

import math
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

_OPERATIONS = frozenset(
    [
        *("Abs", "Add", "AddN", "AddV2", "AvgPool", "BatchMatMulV2", "BiasAdd", "Cast", "ConcatV2"),
        *("Const", "Conv2D", "Conv2DBackpropInput", "DepthwiseConv2dNative", "Einsum", "Elu"),
        *("Exp", "ExpandDims", "FusedBatchNormV3", "Identity", "LeakyRelu", "Log", "MatMul", "Max"),
        *("MaxPool", "Maximum", "Mean", "Minimum", "Mul", "Neg", "NoOp", "Pack", "Pad", "PadV2"),
        *("Placeholder", "Prod", "Range", "RealDiv", "Relu", "Relu6", "Reshape", "ResizeBilinear"),
        *("ResizeNearestNeighbor", "Rsqrt", "Shape", "Sigmoid", "Slice", "Softmax", "Softplus"),
        *("Sqrt", "Square", "SquaredDifference", "Squeeze", "StopGradient", "StridedSlice", "Sub"),
        *("Sum", "Tanh", "Transpose"),
    ]
)
"""Operations that a frozen graph may have. They compute; others read and write files, call Python
or load libraries."""

_MAX_NODES, _MAX_CONSTANTS = 20_000, 1 << 27
"""Operations of a frozen graph and numbers in its constants, at most."""


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
        ValueError: if ``data`` is something else, or may do something else than compute.
    """
    definition = _parsed(data)
    try:
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


def keeps(graph: bytes) -> bool:
    """Whether ``from_graph`` takes ``graph``: a new kind of layer may bring other operations."""
    try:
        _parsed(graph)
    except ValueError:
        return False
    return True


def _parsed(data: bytes) -> Any:
    """The graph in ``data``; ``ValueError`` unless all of it is known to do nothing but compute."""
    try:
        graph = tf.compat.v1.GraphDef.FromString(data)
    except Exception as error:  # protobuf has its own
        raise ValueError(f"no graph of a model ({type(error).__name__})") from None
    if graph.library.function or graph.library.gradient or graph.library.registered_gradients:
        raise ValueError("no graph of a model: it has functions")
    if len(graph.node) > _MAX_NODES:
        raise ValueError(f"no graph of a model: it has {len(graph.node):,} operations")
    numbers = 0
    for node in graph.node:
        if node.op not in _OPERATIONS:
            raise ValueError(f"no graph of a model: it has the operation {node.op[:60]!r}")
        for value in node.attr.values():
            if value.HasField("func") or value.list.func:
                raise ValueError("no graph of a model: it calls functions")
            if value.HasField("tensor"):
                # A single number can stand for a shape of any size.
                numbers += math.prod(abs(side.size) for side in value.tensor.tensor_shape.dim)
    if numbers > _MAX_CONSTANTS:
        raise ValueError("no graph of a model: its constants are too large")
    return graph


def _first(function: Any) -> Callable[[NDArray[np.uint8]], Any]:
    """The only output of a function of TensorFlow."""
    return lambda images: function(tf.constant(images))[0]
