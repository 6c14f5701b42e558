"""Model files that want too much, or more than to compute: made from a small one that loads."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras.src.saving import saving_lib

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


def small_model() -> keras.Model:
    inputs = keras.Input((96, 96, 1), name="image")
    x = keras.layers.Conv2D(4, 3, strides=4, name="conv")(inputs)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(30, name="dense")(x)
    return keras.Model(inputs, keras.layers.Reshape((15, 2), name="keypoints")(x), name="small")


@lru_cache(maxsize=1)
def small_file() -> dict[str, bytes]:
    """The files within a good model file."""
    whole = io.BytesIO()
    saving_lib.save_model(small_model(), whole)
    with zipfile.ZipFile(whole) as file:
        return {name: file.read(name) for name in file.namelist()}


def written(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return path


def changed(change: Callable[[dict[str, Any]], None]) -> dict[str, bytes]:
    """A good file whose configuration was put through ``change``."""
    entries = dict(small_file())
    config = json.loads(entries[CONFIG])
    change(config)
    return {**entries, CONFIG: json.dumps(config).encode()}


def layer(config: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in config["config"]["layers"] if one["name"] == name)


def setting(name: str, **values: Any) -> dict[str, bytes]:
    """A good file in which the layer ``name`` has other settings."""
    return changed(lambda config: layer(config, name)["config"].update(values))


def kind(name: str, what: str, module: str = "keras.layers", **settings: Any) -> dict[str, bytes]:
    """A good file in which the layer ``name`` is of another kind."""

    def change(config: dict[str, Any]) -> None:
        one = layer(config, name)
        one.update(class_name=what, module=module, build_config=None)
        one["config"] = {"name": name, **settings}

    return changed(change)


def part(name: str, where: str, what: dict[str, Any]) -> dict[str, bytes]:
    return setting(name, **{where: what})


def many_layers(count: int) -> dict[str, bytes]:
    def change(config: dict[str, Any]) -> None:
        one = layer(config, "relu")
        config["config"]["layers"] += [{**deepcopy(one), "name": f"relu_{i}"} for i in range(count)]

    return changed(change)


def many_uses(count: int) -> dict[str, bytes]:
    return changed(
        lambda config: layer(config, "relu").update(
            inbound_nodes=layer(config, "relu")["inbound_nodes"] * count
        )
    )


def tower_of(what: dict[str, Any], count: int) -> dict[str, bytes]:
    """``count`` layers of one kind on top of each other, before the last."""

    def change(config: dict[str, Any]) -> None:
        before = "relu"
        layers = config["config"]["layers"]
        for number in range(count):
            one = deepcopy(layer(config, "flat"))
            one.update(class_name=what["class_name"], name=f"more_{number}", build_config=None)
            one["config"] = {**what["config"], "name": one["name"]}
            one["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = before
            before = one["name"]
            layers.append(one)

    return changed(change)


def nested(depth: int) -> dict[str, bytes]:
    def change(config: dict[str, Any]) -> None:
        inner = {k: v for k, v in config.items() if k != "compile_config"}
        for _ in range(depth):
            one = deepcopy(layer(config, "relu"))
            one.update(inner, name="relu")
            inner = deepcopy(config)
            inner["config"]["layers"][2] = one
        config.update(inner)

    return changed(change)


def misled_build() -> dict[str, bytes]:
    """Keras builds a layer for the shape that is written beside it, before it is used."""
    return changed(
        lambda config: layer(config, "dense").update(
            build_config={"input_shape": [None, 2_000_000_000]}
        )
    )


def arrays(make: Callable[[Any], None]) -> dict[str, bytes]:
    """A good file whose weights ``make`` adds to."""
    data = io.BytesIO(small_file()[WEIGHTS])
    with h5py.File(data, "a") as file:
        make(file)
    return {**small_file(), WEIGHTS: data.getvalue()}


def sparse(file: Any) -> None:
    """Takes a hundred bytes, and reads as four TB of zeros."""
    file.create_dataset("bomb", (10**6, 10**6), "f4", chunks=(1024, 1024), fillvalue=1)


def packed(file: Any) -> None:
    file.create_dataset("bomb", data=np.zeros(10**7, "f4"), compression="gzip")


def outside(file: Any) -> None:
    file.create_dataset("out", (100,), "u1", external=[("/etc/passwd", 0, 100)])


def linked(file: Any) -> None:
    file["out"] = h5py.ExternalLink("/etc/passwd", "/")


def soft(file: Any) -> None:
    file["out"] = h5py.SoftLink("/layers")


def round_and_round(file: Any) -> None:
    file["layers/again"] = file["/"]


def texts(file: Any) -> None:
    file.create_dataset("text", data=["x" * 100] * 10, dtype=h5py.string_dtype())


def grown_weights() -> dict[str, bytes]:
    """Layers and arrays agree, on sizes that are not there."""
    entries = setting("dense", units=10**7)
    data = io.BytesIO(entries[WEIGHTS])
    with h5py.File(data, "a") as file:
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", (2304, 10**7), "f4", chunks=(64, 1024))
    return {**entries, WEIGHTS: data.getvalue()}


def zip_of_many(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(30_000):
            file.writestr(f"{number}", b"")


def lying_zip(path: Path) -> None:
    """Says of what unpacks to 200 MB that it has 1000 bytes."""
    entries = {**small_file(), CONFIG: b" " * (200 << 20)}
    written(path, entries, zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<L", 200 << 20), struct.pack("<L", 1000)))


def overlapping_zip(path: Path) -> None:
    """The same name twice."""
    written(path, small_file())
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(CONFIG, setting("dense", units=10**9)[CONFIG])


LAMBDA = {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}, "module": "builtins"}
PRINT = {"module": "builtins", "class_name": "function", "config": "print", "registered_name": "p"}
SYSTEM = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}

ENTRIES: dict[str, Callable[[], dict[str, bytes]]] = {
    "dense of 10^9": lambda: setting("dense", units=10**9),
    "dense of 10^5": lambda: setting("dense", units=10**5),
    "dense of 10^300": lambda: setting("dense", units=10**300),
    "dense of -1": lambda: setting("dense", units=-1),
    "dense of text": lambda: setting("dense", units="9" * 9),
    "filters 10^8": lambda: setting("conv", filters=10**8),
    "kernel 10^5 x 10^5": lambda: setting("conv", kernel_size=[10**5] * 2, padding="same"),
    "a tensor as kernel": lambda: setting("conv", kernel_size=[[3], [3]]),
    "input 10^5 x 10^5": lambda: setting("image", batch_shape=[None, 10**5, 10**5, 1]),
    "input of any size": lambda: setting("image", batch_shape=[None, None, None, 1]),
    "10^9 images at once": lambda: setting("image", batch_shape=[10**9, 96, 96, 1]),
    "input without size": lambda: setting("image", batch_shape=None),
    "reshape": lambda: setting("keypoints", target_shape=[10**9, 10**9]),
    "embedding": lambda: kind("relu", "Embedding", input_dim=10**9, output_dim=100),
    "repeat": lambda: kind("relu", "RepeatVector", n=10**9),
    "upsampling 10^4": lambda: kind("relu", "UpSampling2D", size=[10**4] * 2),
    "padding 10^5": lambda: kind("relu", "ZeroPadding2D", padding=[10**5] * 2),
    "transposed": lambda: kind(
        "relu", "Conv2DTranspose", filters=8, kernel_size=3, strides=[10**4] * 2
    ),
    "upsampling by steps": lambda: tower_of(
        {"class_name": "UpSampling2D", "config": {"size": [2, 2]}}, 40
    ),
    "much to compute": lambda: tower_of(
        {
            "class_name": "Conv2D",
            "config": {"filters": 64, "kernel_size": [91, 91], "padding": "same"},
        },
        200,
    ),
    "1,500 layers": lambda: many_layers(1500),
    "one layer 5,000 times": lambda: many_uses(5000),
    "models in models": lambda: nested(2),
    "models in models in models": lambda: nested(6),
    "sequential": lambda: changed(lambda c: c.update(class_name="Sequential")),
    "lambda": lambda: kind("relu", "Lambda", function=LAMBDA),
    "lambda as activation": lambda: part("conv", "activation", LAMBDA),
    "a function of Python": lambda: part("conv", "activation", PRINT),
    "os.system": lambda: part("conv", "kernel_initializer", SYSTEM),
    "a class of another module": lambda: kind("relu", "Popen", module="subprocess", args="true"),
    "a layer that reads files": lambda: kind("relu", "StringLookup", vocabulary="/etc/passwd"),
    "a layer around TensorFlow": lambda: kind(
        "relu", "TFSMLayer", filepath="/tmp", call_endpoint="serve"
    ),
    "Torch": lambda: kind("relu", "TorchModuleWrapper", module={}),
    "a layer as initializer": lambda: part(
        "conv",
        "kernel_initializer",
        {"module": "keras.layers", "class_name": "Dense", "config": {"units": 10**9}},
    ),
    "a large array as initializer": lambda: part(
        "conv",
        "kernel_initializer",
        {
            "module": "keras.initializers",
            "class_name": "Constant",
            "config": {"value": {"class_name": "__numpy__", "config": {"value": 1}}},
        },
    ),
    "two names": lambda: changed(
        lambda c: layer(c, "relu").update(registered_name="fkd>MeanOfTowers", module="keras.layers")
    ),
    "another operation": lambda: changed(
        lambda c: layer(c, "relu").update(
            registered_name="Tile", class_name="Tile", module="keras.src.ops.numpy"
        )
    ),
    "an operation of another module": lambda: changed(
        lambda c: layer(c, "relu").update(registered_name="Add", class_name="Add", module="os")
    ),
    "twins": lambda: changed(lambda c: c["config"]["layers"].append(deepcopy(layer(c, "relu")))),
    "round": lambda: changed(
        lambda c: layer(c, "conv").update(inbound_nodes=layer(c, "flat")["inbound_nodes"])
    ),
    "no inputs": lambda: changed(lambda c: layer(c, "conv").update(inbound_nodes=[{"args": []}])),
    "no layers": lambda: changed(lambda c: c["config"].update(layers=[])),
    "deep": lambda: {**small_file(), CONFIG: b"[" * 10**5 + b"]" * 10**5},
    "deep within": lambda: changed(
        lambda c: layer(c, "relu")["config"].update(x=json.loads("[" * 500 + "]" * 500))
    ),
    "a configuration of 3 MB": lambda: changed(lambda c: c.update(more="x" * (3 << 20))),
    "no JSON": lambda: {**small_file(), CONFIG: b"{"},
    "a list": lambda: {**small_file(), CONFIG: b"[1]"},
    "no weights": lambda: {k: v for k, v in small_file().items() if k != WEIGHTS},
    "weights that are none": lambda: {**small_file(), WEIGHTS: b"nothing" * 100},
    "weights cut off": lambda: {**small_file(), WEIGHTS: small_file()[WEIGHTS][:5000]},
    "weights as npz": lambda: {
        ("model.weights.npz" if k == WEIGHTS else k): v for k, v in small_file().items()
    },
    "an array that is not there": lambda: arrays(sparse),
    "layers and arrays that are not there": grown_weights,
    "a packed array": lambda: arrays(packed),
    "an array in another file": lambda: arrays(outside),
    "a link to another file": lambda: arrays(linked),
    "a link": lambda: arrays(soft),
    "a group in itself": lambda: arrays(round_and_round),
    "text": lambda: arrays(texts),
}

FILES: dict[str, Callable[[Path], None]] = {
    "not a zip": lambda path: path.write_bytes(b"no model" * 1000) and None,
    "empty": lambda path: path.write_bytes(b"") and None,
    "only an end": lambda path: path.write_bytes(b"PK\5\6" + b"\0" * 18) and None,
    "weights of zeros": lambda path: (
        written(path, {**small_file(), WEIGHTS: bytes(300 << 20)}, zipfile.ZIP_DEFLATED) and None
    ),
    "a configuration of zeros": lambda path: (
        written(path, {**small_file(), CONFIG: bytes(1 << 20)}, zipfile.ZIP_DEFLATED) and None
    ),
    "packed by LZMA": lambda path: written(path, small_file(), zipfile.ZIP_LZMA) and None,
    "packed by bzip2": lambda path: written(path, small_file(), zipfile.ZIP_BZIP2) and None,
    "30,000 files": zip_of_many,
    "a size that is a lie": lying_zip,
    "one name twice": overlapping_zip,
}


def write_all(folder: Path) -> None:
    """One hostile model for each entry of ``ENTRIES`` and ``FILES``."""
    for name, make in ENTRIES.items():
        written(folder / f"{name.replace('/', '-')}.keras", make())
    for name, write in FILES.items():
        write(folder / f"{name}.keras")


def main(folder: Path) -> None:
    """Load every model in ``folder``; print what came of it, seconds, and MB of memory that the
    process took more at its peak than before."""
    import resource
    import time

    from fkd.errors import UserError
    from fkd.models.saving import load_model

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    before = peak()
    for path in sorted(folder.glob("*.keras")):
        start, said = time.monotonic(), "loaded"
        try:
            load_model(path)
        except UserError as error:
            said = str(error)
        except BaseException as error:
            said = f"raised {type(error).__name__}: {error}"
        found = [path.stem, said, time.monotonic() - start, peak() - before]
        print("RESULT " + json.dumps(found), flush=True)


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[1]))
