"""A ``.keras`` file is looked through before Keras gets any of it, as if anybody could have
written it.

Keras' safe mode keeps code out. It does not keep out layers that read files, nor sizes that take
all memory: it makes what ``config.json`` says first and compares it with the weights afterwards.
So only kinds of layers that compute are taken here, and how large all of it is follows from its
numbers before anything is made. What Keras gets in the end is a file written anew, of what was
looked at and nothing else.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np

from fkd.files import open_plain
from fkd.models import layers, losses  # noqa: F401  registers what a saved model may hold

MAX_MODEL_BYTES = 512 << 20
"""Largest model file read."""

MAX_LAYERS = 1000
"""Most layers, and most places where one is used; ``compact`` has 141."""

MAX_VALUES = 1 << 20
"""Most numbers that a layer gives for an image; ``baseline`` has 282,752."""

MAX_WEIGHTS = 1 << 27
"""Most weights; ``baseline`` has 6.7 million."""

MAX_WORK = 1 << 34
"""Most multiplications and additions for an image, about a second of them; ``baseline`` has 76
million."""

_CONFIG, _META, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LIMITS = {_CONFIG: 2 << 20, _META: 1 << 16, _WEIGHTS: MAX_MODEL_BYTES}
_MAX_DIRECTORY = 1 << 16
"""Bytes of a zip's list of its files; ours have three to five."""
_MAX_EXPANSION = {_CONFIG: 200, _META: 200, _WEIGHTS: 20}
"""Unpacked to packed bytes, at most: text repeats itself, weights hardly do."""
_MAX_DEPTH = 32
_MAX_PARTS = 20_000
"""Groups and arrays among the weights, at most."""

LAYERS = {
    *("Activation", "Add", "Average", "AveragePooling2D", "BatchNormalization", "Concatenate"),
    *("Conv2D", "Conv2DTranspose", "Cropping2D", "Dense", "DepthwiseConv2D", "Dropout", "ELU"),
    *("Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "InputLayer"),
    *("LayerNormalization", "LeakyReLU", "MaxPooling2D", "Maximum", "Multiply", "PReLU", "ReLU"),
    *("Rescaling", "Reshape", "SeparableConv2D", "Softmax", "SpatialDropout2D", "Subtract"),
    *("UpSampling2D", "ZeroPadding2D"),
}
"""Keras' layers that a model may have: those that compute, and whose sizes follow from numbers."""

_ARITHMETIC_IN = "keras.src.ops.numpy"
_ARITHMETIC = {
    *("Absolute", "Add", "Divide", "Exp", "Maximum", "Minimum", "Multiply", "Negative", "Sqrt"),
    *("Square", "Subtract", "TrueDivide"),
}
"""What stands among the layers where a model is written with operators, as in ``x / 64 - 2``."""

_OWN_LAYERS = {"fkd>HeatmapReadout", "fkd>MeanOfTowers"}

_PARTS = {
    "keras": {"DTypePolicy"},
    "keras.initializers": {
        *("Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal"),
        *("LecunUniform", "Ones", "RandomNormal", "RandomUniform", "TruncatedNormal", "Zeros"),
        "VarianceScaling",
    },
    "keras.regularizers": {"L1", "L1L2", "L2"},
    "keras.constraints": {"MaxNorm", "NonNeg", "UnitNorm"},
    "keras.optimizers": {"Adam", "AdamW", "SGD", "RMSprop"},
    "keras.optimizers.schedules": {"CosineDecay", "ExponentialDecay", "PiecewiseConstantDecay"},
}
"""What else of Keras a model may have, by module."""

_OWN_PARTS = {"fkd>KeypointLoss", "fkd>SquaredError", "fkd>PixelError"}

_SHORTCUTS = {"shared_object_id", "build_config"}
"""What Keras would rather believe than what a part says of itself: whose twin it is, and what
shape it was built for. Without them it goes by what was looked at."""

Shape = tuple[int, ...]


class Refused(ValueError):
    """A model file is not taken; the message says why in part of a sentence."""


def screened(path: Path) -> io.BytesIO:
    """What is in the ``.keras`` file at ``path``, in a file that is safe to be given to Keras.

    Raises:
        Refused: if it is no model, or one that is too large or may do more than compute.
        Exception: whatever zipfile, zlib or h5py raise on a damaged file.
    """
    entries = _entries(path)
    config = _config(entries[_CONFIG])
    kept = _kept_weights(entries[_WEIGHTS])
    needed = _measure(config["config"])
    if needed > kept:
        raise Refused(f"its layers need {needed:,} weights and it holds {kept:,}")
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr(_META, entries[_META])
        file.writestr(_CONFIG, json.dumps(config))
        file.writestr(_WEIGHTS, entries[_WEIGHTS])
    whole.seek(0)
    return whole


# The zip ---------------------------------------------------------------------------------------


def _entries(path: Path) -> dict[str, bytes]:
    """The files within the zip at ``path`` that make a model, by name."""
    with open_plain(path) as file:
        size = file.seek(0, io.SEEK_END)
        if size > MAX_MODEL_BYTES:
            raise Refused(f"it is larger than {MAX_MODEL_BYTES >> 20} MB")
        _check_directory(file, size)
        with zipfile.ZipFile(file) as whole:
            return {name: _entry(whole, name, size) for name in _LIMITS}


def _check_directory(file: Any, size: int) -> None:
    """That the list of files is short: Python would make an object of each, however many."""
    file.seek(max(0, size - (1 << 16) - 22))
    end = file.read()
    at = len(end) - 22
    # As zipfile looks for it: at the very end, else wherever it is last.
    if at < 0 or end[at : at + 4] != b"PK\5\6" or end[-2:] != b"\0\0":
        at = end.rfind(b"PK\5\6")
    if at < 0 or len(end) < at + 22:
        raise Refused("it is no zip, as .keras files are")
    if end[max(0, at - 20) : at].startswith(b"PK\6\7"):
        raise Refused("it is a zip of more than 4 GB")
    if int.from_bytes(end[at + 12 : at + 16], "little") > _MAX_DIRECTORY:
        raise Refused("it is a zip of too many files")


def _entry(whole: zipfile.ZipFile, name: str, size: int) -> bytes:
    found = [info for info in whole.infolist() if info.filename == name]
    if len(found) != 1:
        raise Refused(f"it has {len(found)} files {name} and should have one")
    [info] = found
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused(f"its {name} is compressed in an unknown way")
    if info.flag_bits & 1:
        raise Refused(f"its {name} is encrypted")
    packed = min(info.compress_size, size)
    if info.file_size > min(_LIMITS[name], _MAX_EXPANSION[name] * packed):
        raise Refused(f"its {name} would unpack to {info.file_size:,} bytes")
    with whole.open(info) as entry:
        # Never more than was said: what is said may be wrong.
        data = b"".join(iter(lambda: entry.read(1 << 20), b""))
    if len(data) != info.file_size:
        raise Refused(f"its {name} is cut off")
    return data


# The weights -----------------------------------------------------------------------------------


def _kept_weights(data: bytes) -> int:
    """How many numbers the HDF5 file ``data`` holds; ``Refused`` unless it holds them itself, each
    of them once."""
    numbers, taken = 0, 0
    try:
        opened = h5py.File(io.BytesIO(data), "r")
    except OSError:
        raise Refused(f"its {_WEIGHTS} is cut off or no HDF5 file") from None
    with opened as file:
        for array in _arrays(file):
            numbers += array.size
            taken += array.nbytes
    if taken > len(data):
        raise Refused(
            f"its weights would take {taken:,} bytes and its {_WEIGHTS} has {len(data):,}"
        )
    return numbers


def _arrays(file: Any) -> Iterator[Any]:
    """Every array in an HDF5 file. Groups can hold one another, so it is counted."""
    waiting, seen = [(file, 0)], 0
    while waiting:
        group, depth = waiting.pop()
        for name in group:
            seen += 1
            if seen > _MAX_PARTS or depth > _MAX_DEPTH:
                raise Refused(f"its {_WEIGHTS} has too many parts")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise Refused(f"its {_WEIGHTS} refers to other places")
            part = group[name]
            if isinstance(part, h5py.Group):
                waiting.append((part, depth + 1))
            else:
                yield _checked(part)


def _checked(array: Any) -> Any:
    """``array``, if it is one of plain numbers that lie in its own file as they are."""
    if not isinstance(array, h5py.Dataset) or array.dtype.kind not in "fiubV" or array.dtype.names:
        raise Refused(f"its {_WEIGHTS} holds something that is no number")
    plan = array.id.get_create_plist()
    if array.is_virtual or array.external or plan.get_nfilters():
        raise Refused(f"its {_WEIGHTS} has weights that lie elsewhere or are compressed")
    if array.nbytes > array.id.get_storage_size():
        raise Refused(f"its {_WEIGHTS} has an array of {array.nbytes:,} bytes that are not there")
    return array


# What the model is made of ---------------------------------------------------------------------


def _config(data: bytes) -> Any:
    """What ``config.json`` says, without what Keras is not to go by."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused(f"its {_CONFIG} is no JSON") from None
    if not isinstance(value, dict) or value.get("class_name") != "Functional":
        raise Refused("it is no model of layers, each with its inputs ('Functional')")
    inside = value.get("config")
    if not isinstance(inside, dict) or not isinstance(inside.get("layers"), list):
        raise Refused("it has no layers")
    if len(inside["layers"]) > MAX_LAYERS:
        raise Refused(f"it has {len(inside['layers']):,} layers, more than {MAX_LAYERS:,}")
    made = {name: part for name, part in inside.items() if name != "layers"}
    clean: dict[str, Any] = _clean(made)
    clean["layers"] = [_clean_layer(layer) for layer in inside["layers"]]
    compiled = value.get("compile_config")
    return {
        # As Keras writes it, whatever the file says.
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "registered_name": "Functional",
        "config": clean,
        "compile_config": _clean(compiled) if isinstance(compiled, dict) else None,
    }


def _clean_layer(layer: Any) -> dict[str, Any]:
    if not isinstance(layer, dict):
        raise Refused("it has a layer that is none")
    kind, registered = layer.get("class_name"), layer.get("registered_name")
    match layer.get("module"), registered:
        case "keras.layers", None:
            known = isinstance(kind, str) and kind in LAYERS
        case str(), str() if registered in _OWN_LAYERS:
            known = kind == registered.partition(">")[2]
        case module, _:
            known = module == _ARITHMETIC_IN and kind == registered and kind in _ARITHMETIC
    if not known:
        raise Refused(f"it has a layer of the kind {_short(kind)}, which no model here may have")
    nodes = layer.get("inbound_nodes")
    if not isinstance(nodes, list):
        raise Refused("it has a layer that nothing leads to")
    return {
        "module": layer.get("module"),
        "class_name": kind,
        "registered_name": registered,
        "name": layer.get("name"),
        "config": _clean(layer.get("config")),
        "inbound_nodes": [_clean(node, tensors=True) for node in nodes],
    }


def _clean(value: Any, depth: int = 0, *, tensors: bool = False) -> Any:
    """``value`` without shortcuts; ``Refused`` if something in it is of no kind that is known.
    Places of ``tensors`` are known where layers say what leads to them."""
    if depth > _MAX_DEPTH:
        raise Refused(f"its {_CONFIG} is nested too deeply")
    if isinstance(value, list):
        return [_clean(part, depth + 1, tensors=tensors) for part in value]
    if not isinstance(value, dict):
        return value
    if "class_name" in value and not (tensors and value["class_name"] == "__keras_tensor__"):
        _check_part(value)
    return {
        name: _clean(part, depth + 1, tensors=tensors)
        for name, part in value.items()
        if name not in _SHORTCUTS
    }


def _check_part(part: dict[str, Any]) -> None:
    kind, registered = part["class_name"], part.get("registered_name")
    if registered is not None:
        known = registered in _OWN_PARTS and kind == registered.partition(">")[2]
    else:
        known = isinstance(kind, str) and kind in _PARTS.get(str(part.get("module")), ())
    if not known:
        raise Refused(f"it has a part of the kind {_short(kind)}, which no model here may have")


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**15 else "too many"


def _short(value: Any) -> str:
    return repr(str(value)[:60])


# How large it is -------------------------------------------------------------------------------


def _measure(config: dict[str, Any]) -> int:
    """How many weights the layers of a cleaned ``config`` need. Shapes are followed from the input
    through every layer, in numbers alone.

    Raises:
        Refused: if a layer gives or needs too much, or is not what it says.
    """
    made = {}
    waiting = []
    for layer in config["layers"]:
        name = layer["name"]
        if not isinstance(name, str) or name in made:
            raise Refused(f"it has two layers {_short(name)}, or one without a name")
        made[name] = layer
        waiting += [(name, number, node) for number, node in enumerate(layer["inbound_nodes"])]
        if len(waiting) > MAX_LAYERS:
            raise Refused(f"its layers are used more than {MAX_LAYERS:,} times")
    sizes = _Sizes()
    for name, layer in made.items():
        if layer["class_name"] == "InputLayer":
            sizes.take_in(name, layer)
    while waiting:
        left = [use for use in waiting if not sizes.follow(*use, made[use[0]])]
        if len(left) == len(waiting):
            raise Refused(f"nothing leads to its layer {_short(left[0][0])}")
        waiting = left
    return sizes.weights


class _Sizes:
    """What is known of the shapes in a model, and how large it is as far as that."""

    def __init__(self) -> None:
        self.shapes: dict[tuple[str, int], Shape] = {}
        self.weights = 0
        self.work = 0
        self._made: dict[str, Any] = {}

    def take_in(self, name: str, layer: dict[str, Any]) -> None:
        shape = (layer["config"] or {}).get("batch_shape")
        if not isinstance(shape, list) or not shape or shape[0] is not None:
            raise Refused("its input is not any number of images")
        self.shapes[name, 0] = self._given(name, tuple(shape))

    def follow(self, name: str, number: int, node: Any, layer: dict[str, Any]) -> bool:
        """Work out what the layer gives where it is used for the ``number``-th time; False where
        what it takes is not known yet."""
        arithmetic = layer["module"] == _ARITHMETIC_IN
        places = _places(node, name, arithmetic)
        flat = places if isinstance(places, list) else [places]
        if not all(place in self.shapes for place in flat):
            return False
        known = [self.shapes[place] for place in flat]
        if arithmetic:
            self.shapes[name, number] = self._given(name, _joined(name, known))
            self.work += math.prod(self.shapes[name, number])
            return True
        taken = [(None, *one) for one in known]
        shape: Any = taken if isinstance(places, list) else taken[0]
        made = _tried(name, lambda: self._layer(name, layer, shape))
        given = self._given(name, _tried(name, lambda: tuple(made.compute_output_shape(shape))))
        self.shapes[name, number] = given
        self.work += sum(math.prod(one) for one in known) + math.prod(given)
        self.work += math.prod(given[:-1]) * made.needed
        if self.work > MAX_WORK:
            raise Refused(f"it computes too much for an image (up to its layer {_short(name)})")
        return True

    def _layer(self, name: str, layer: dict[str, Any], shape: Any) -> Any:
        """The layer, without its weights, and how many it needs."""
        if name in self._made:
            return self._made[name]
        made = keras.saving.deserialize_keras_object(
            {key: part for key, part in layer.items() if key != "inbound_nodes"}, safe_mode=True
        )
        asked: list[int] = []

        def note(shape: Any = (), *_: Any, **__: Any) -> None:
            asked.append(math.prod(shape))

        made.add_weight = note
        made.build(shape)
        made.needed = sum(asked)
        self.weights += made.needed
        if self.weights > MAX_WEIGHTS:
            raise Refused(f"its layer {_short(name)} would need {_count(made.needed)} weights")
        self._made[name] = made
        return made

    def _given(self, name: str, shape: tuple[Any, ...]) -> Shape:
        inside = shape[1:]
        if not all(type(length) is int and length > 0 for length in inside):
            raise Refused(f"its layer {_short(name)} has no fixed size")
        if math.prod(inside) > MAX_VALUES:
            sizes = " x ".join(str(length)[:20] for length in inside[:6])
            raise Refused(f"its layer {_short(name)} gives {sizes} numbers for an image")
        return inside


def _joined(name: str, shapes: list[Shape]) -> Any:
    """The shape of what is computed number by number of tensors of ``shapes``."""
    if len({len(shape) for shape in shapes}) == 1:
        with suppress(ValueError):
            return (None, *np.broadcast_shapes(*shapes))
    raise Refused(f"its layer {_short(name)} takes shapes that do not go together")


def _places(node: Any, name: str, arithmetic: bool) -> Any:
    """Which tensors, one or a list, a layer takes: layer and number of its use."""
    wrong = Refused(f"its layer {_short(name)} does not take what layers give")
    if not isinstance(node, dict) or set(node) - {"args", "kwargs"}:
        raise wrong
    options = node.get("kwargs") or {}
    if not isinstance(options, dict) or any(
        not isinstance(value, bool | None) for value in options.values()
    ):
        raise wrong
    match node.get("args"):
        case [dict() as one]:
            return _place(one, wrong)
        case [[*several]] if several:
            return [_place(one, wrong) for one in several]
        case [one, other] if arithmetic:
            tensors = [part for part in (one, other) if not isinstance(part, int | float)]
            return [_place(part, wrong) for part in tensors or [None]]
    raise wrong


def _place(tensor: Any, wrong: Refused) -> tuple[str, int]:
    match tensor:
        case {
            "class_name": "__keras_tensor__",
            "config": {"keras_history": [str() as layer, int() as use, 0]},
        }:
            return layer, use
    raise wrong


def _tried(name: str, act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Refused:
        raise
    except Exception as error:  # whatever Keras raises where settings do not fit together
        reason = type(error).__name__
        raise Refused(
            f"its layer {_short(name)} cannot be made with its settings: {reason}"
        ) from None
