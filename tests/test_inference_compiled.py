"""A graph of TensorFlow is a program: none is run that this installation has not written itself,
and none that does anything but compute."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from inference_helper import drawn

from fkd.inference import compiled, loading
from fkd.inference.loading import open_pipeline
from fkd.models.predictor import from_graph, keeps
from fkd.models.sources import BUNDLED, TrainedModel, trained_model


@pytest.fixture
def model(tmp_path, monkeypatch) -> TrainedModel:
    """A copy of the bundled model, in a home of its own."""
    monkeypatch.setenv("FKD_HOME", str(tmp_path / "home"))
    path = Path(shutil.copy(trained_model(BUNDLED).path, tmp_path / "copy.keras"))
    return TrainedModel(BUNDLED, path)


@pytest.fixture(scope="module")
def right() -> np.ndarray:
    return open_pipeline(trained_model(BUNDLED)).predict(drawn()[0][:2])


def graph(act) -> bytes:
    """A graph that takes images and gives points as a model's does, and does ``act`` meanwhile."""
    with tf.Graph().as_default() as made:
        images = tf.compat.v1.placeholder(tf.uint8, (None, 96, 96), "images")
        with tf.control_dependencies([done for done in [act()] if done is not None]):
            points = tf.cast(images[:, :15, :3], tf.float32) * 0 + 7
        tf.identity(points, "Identity")
    return made.as_graph_def().SerializeToString()


def evil(secret: Path, target: Path) -> dict[str, object]:
    """By name: reads ``secret``, or writes ``target``, or worse."""

    def python():
        return tf.compat.v1.py_func(lambda: target.write_text("python") and 1, [], tf.int64)

    def function():
        @tf.function
        def inner():
            tf.io.write_file(str(target), "function")

        return inner()

    def branch():
        return tf.compat.v1.cond(
            tf.constant(True),
            lambda: tf.group(tf.io.write_file(str(target), "branch")),
            tf.no_op,
        )

    raw = tf.raw_ops
    return {
        "ReadFile": lambda: raw.WriteFile(
            filename=str(target), contents=tf.io.read_file(str(secret))
        ),
        "WriteFile": lambda: tf.io.write_file(str(target), "written"),
        "MatchingFiles": lambda: raw.MatchingFiles(pattern=f"{secret.parent}/*"),
        "SaveV2": lambda: raw.SaveV2(
            prefix=str(target), tensor_names=["x"], shape_and_slices=[""], tensors=[tf.ones(1)]
        ),
        "PyFunc": python,
        "function": function,
        "branch": branch,
        "PrintV2": lambda: tf.print("x", output_stream=f"file://{target}"),
        "Assert": lambda: tf.debugging.Assert(tf.constant(False), ["x"]),
        "dataset": lambda: raw.TextLineDataset(
            filenames=[str(secret)], compression_type="", buffer_size=0
        ),
        "summary": raw.SummaryWriter,
        "Fill": lambda: tf.fill([10**5, 10**5], 1.0),
    }


NAMES = list(evil(Path("a"), Path("b")))


@pytest.fixture
def planted(tmp_path):
    secret, target = tmp_path / "secret.txt", tmp_path / "target.txt"
    secret.write_text("secret")
    return secret, target


def places(model: TrainedModel) -> list[Path]:
    """Wherever this or an older version looked for a compiled model."""
    now = compiled.folder() / compiled.name_of(model)
    content = now.name[:16]
    old = model.storage.parent / "compiled" / f"{content}-{tf.__version__}.graph"
    return [now, old, model.path.parent / "compiled" / old.name]


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_graph_is_never_run(model, planted, right, name):
    secret, target = planted
    data = graph(evil(secret, target)[name])
    for place in places(model):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    access = secret.stat().st_atime_ns
    assert open_pipeline(model).predict(drawn()[0][:2]) == pytest.approx(right, abs=1e-4)
    assert list(target.parent.glob("target*")) == []
    assert secret.stat().st_atime_ns == access
    assert not (model.storage.parent / "compiled").exists()
    assert "a compiled model is made anew" in log()
    assert places(model)[0].read_bytes()[32:] != data


@pytest.mark.parametrize("name", NAMES)
def test_even_with_the_right_key_it_is_not_run(planted, name):
    """Should someone have the key, as in a copy of the whole workspace."""
    secret, target = planted
    data = graph(evil(secret, target)[name])
    with pytest.raises(ValueError, match="no graph of a model"):
        from_graph(data)
    assert not keeps(data)
    assert list(target.parent.glob("target*")) == []


def test_what_was_sealed_and_is_not_known_to_compute_is_made_anew(model, planted, right):
    compiled.keep(compiled.name_of(model), graph(evil(*planted)["WriteFile"]))
    assert open_pipeline(model).predict(drawn()[0][:2]) == pytest.approx(right, abs=1e-4)
    assert not planted[1].exists()
    assert "it has the operation 'WriteFile'" in log()


def log() -> str:
    return (compiled.home() / "logs" / "fkd.log").read_text()


def test_a_harmless_graph_that_was_not_written_here_is_not_run_either(model, right):
    """It would only give wrong points."""
    wrong = graph(lambda: None)
    assert keeps(wrong)
    name = compiled.name_of(model)
    compiled.keep("another" + name, wrong)
    for data in (
        wrong,
        bytes(32) + wrong,
        (compiled.folder() / ("another" + name)).read_bytes(),  # sealed, for another model
    ):
        (compiled.folder() / name).write_bytes(data)
        assert compiled.read(name) is None
        assert open_pipeline(model).predict(drawn()[0][:2]) == pytest.approx(right, abs=1e-4)


def test_every_bit_of_what_is_kept_counts(model):
    compiled.keep("a.graph", b"graph")
    path = compiled.folder() / "a.graph"
    whole = path.read_bytes()
    assert compiled.read("a.graph") == b"graph"
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert compiled.read("a.graph") is None
    for cut in (0, 5, 32, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert compiled.read("a.graph") is None
    path.write_bytes(whole)
    assert compiled.read("a.graph") == b"graph"


def test_places_are_their_owners_alone(model, tmp_path):
    before = os.umask(0)
    try:
        compiled.keep("a.graph", b"graph")
    finally:
        os.umask(before)
    for folder in ("cache/compiled", "keys"):
        assert stat.S_IMODE((tmp_path / "home" / folder).stat().st_mode) == 0o700
    for file in ("cache/compiled/a.graph", "keys/compiled.key"):
        assert stat.S_IMODE((tmp_path / "home" / file).stat().st_mode) == 0o600
    assert len((tmp_path / "home" / "keys" / "compiled.key").read_bytes()) == 32


def test_a_key_that_others_may_know_is_replaced(model, tmp_path):
    compiled.keep("a.graph", b"graph")
    key = tmp_path / "home" / "keys" / "compiled.key"
    known = key.read_bytes()
    key.chmod(0o644)
    assert compiled.read("a.graph") is None
    assert key.read_bytes() != known
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize("what", ["empty", "short", "long", "link", "pipe", "folder"])
@pytest.mark.parametrize("place", ["keys/compiled.key", "graph"])
def test_what_lies_in_the_place_of_a_key_or_graph(model, tmp_path, right, place, what):
    secret = tmp_path / "secret.txt"
    secret.write_bytes(bytes(32))
    secret.chmod(0o600)
    path = tmp_path / "home" / place
    if place == "graph":
        path = compiled.folder() / compiled.name_of(model)
    path.parent.mkdir(parents=True)
    match what:
        case "link":
            path.symlink_to(secret)
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case _:
            path.write_bytes(bytes({"empty": 0, "short": 31, "long": 33}[what]))
    assert open_pipeline(model).predict(drawn()[0][:2]) == pytest.approx(right, abs=1e-4)
    assert secret.read_bytes() == bytes(32)


def test_the_last_used_are_kept(model):
    for number in range(compiled.KEPT + 3):
        compiled.keep(f"{number}.graph", b"graph")
        os.utime(compiled.folder() / f"{number}.graph", (number, number))
        assert number or compiled.read("0.graph")  # used just now: it stays longest
    kept = {path.stem for path in compiled.folder().iterdir()}
    assert len(kept) == compiled.KEPT
    assert {"10", "9"} <= kept


def test_old_places_are_cleared_but_never_through_a_link(model, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").touch()
    old = model.storage.parent / "compiled"
    old.parent.mkdir(parents=True)
    old.symlink_to(other)
    compiled.forget_old(model)
    assert not old.is_symlink()
    assert (other / "mine.txt").exists()


def test_a_model_with_other_operations_works_and_is_not_kept(model, monkeypatch, right):
    """A further model may bring some that are not known here."""
    monkeypatch.setattr("fkd.models.predictor._OPERATIONS", frozenset({"Const"}))
    assert open_pipeline(model).predict(drawn()[0][:2]) == pytest.approx(right, abs=1e-4)
    assert not compiled.folder().exists() or not list(compiled.folder().glob("*.graph"))


def test_constants_of_a_size_that_is_not_there():
    """One number can stand for as many as memory holds."""
    data = graph(lambda: None)
    definition = tf.compat.v1.GraphDef.FromString(data)
    constant = definition.node.add(name="bomb", op="Const")
    constant.attr["dtype"].type = tf.float32.as_datatype_enum
    tensor = constant.attr["value"].tensor
    tensor.dtype = tf.float32.as_datatype_enum
    tensor.float_val.append(1)
    for size in (10**5, 10**6):
        tensor.tensor_shape.dim.add(size=size)
    with pytest.raises(ValueError, match="constants are too large"):
        from_graph(definition.SerializeToString())
    del tensor.tensor_shape.dim[:]
    tensor.tensor_shape.dim.add(size=-1)
    with pytest.raises(ValueError, match="no graph of a model"):
        from_graph(definition.SerializeToString())


def test_the_second_time_keras_builds_nothing(model, monkeypatch):
    open_pipeline(model)
    monkeypatch.setattr(loading, "_from_keras", lambda *_: pytest.fail("built again"))
    open_pipeline(model)
