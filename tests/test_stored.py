"""Whatever becomes of stored files, what is read of them is right or one sentence says why not."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_helper import put_tiny, tiny_config

from fkd import measures, stored
from fkd.cli import main
from fkd.errors import UserError
from fkd.evaluation.parts import held_back
from fkd.evaluation.predictions import _store as store_predictions
from fkd.evaluation.predictions import stored as stored_predictions
from fkd.evaluation.predictions import stored_validation
from fkd.models.sources import trained_model, trained_models
from fkd.offset import known_offset
from fkd.registry import dataset_names, manifest, open_named, remove
from fkd.storage import read_fields
from fkd.training import history
from fkd.training.checkpoint import Best, Place
from fkd.training.runs import Run, all_runs, create_run, open_run
from fkd.training.status import FINISHED, Status

VALUES = ["null", "[]", "{}", "3", "1.5", '"x"', "true"]
HUGE = ["9" * 400, "9" * 5000, "1e300", "-1"]

KINDS = 22
"""Ways to damage a file, see ``damaged``."""


@pytest.fixture
def workspace(fkd_home: Path, tiny_drawn: Path) -> Path:
    """Two datasets, one of them with measures, and two runs, one of them with all that a run has
    but for weights that TensorFlow reads."""
    dataset = put_tiny(tiny_drawn)
    measures.measure(dataset)
    shutil.copytree(fkd_home / "datasets" / "tiny", fkd_home / "datasets" / "other")
    n, k = len(dataset), len(dataset.schema)
    numbers = {"px": 1, "error": 1, "n": 9}
    (dataset.folder / "label_offset.json").write_text(
        json.dumps({"version": 1, "content_hash": dataset.content_hash} | numbers)
    )
    for name in ("mine", "other"):
        run = create_run(tiny_config(dataset), name, "a note")
        Status(FINISHED, heartbeat=1.0, epoch=2, epochs=2, steps=3, best_epoch=2).write(run.folder)
        for step in (3, 6):
            history.append(run.folder, history.Row(step / 3, step, 2.0, 5.0, 2.5, 6.0))
        (run.folder / "samples").mkdir()
        (run.folder / "samples" / "rows.json").write_text("[0, 4]")
        for epoch in (1, 2):
            points = np.full((2, k, 2), 40, np.float32)
            np.save(run.folder / "samples" / f"epoch-{epoch:05d}.npy", points)
        Best(2, 6.0).write(run)
        run.log.write_text("line\n")
        run.best.write_bytes(b"weights")
        rows = run.config.split.validation
        np.savez_compressed(
            run.validation, rows=rows, predicted=np.full((len(rows), k, 2), 40, np.float32)
        )
        model = trained_model(name)
        folder = model.storage / dataset.content_hash[:16]
        folder.mkdir(parents=True)
        about = {"model": model.stamp, "dataset": dataset.content_hash}
        store_predictions(np.full((n, k, 2), 40, np.float32), folder, about)
    return fkd_home


def damaged(path: Path, kind: int, rng: random.Random) -> str:
    """Damage the file at ``path`` in one of ``KINDS`` ways; returns which."""
    whole = path.read_bytes()
    text = path.suffix == ".json"

    def put(data: bytes) -> None:
        path.write_bytes(data)

    def flipped(times: int) -> bytes:
        data = bytearray(whole)
        for _ in range(times):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(data)

    def value_changed(new: str) -> None:
        if not text:
            put(new.encode())
            return
        value = json.loads(whole)
        if isinstance(value, dict):
            value[rng.choice(sorted(value))] = "<new>"
        else:
            value = ["<new>", *value]
        put(json.dumps(value).replace('"<new>"', new).encode())

    def instead(make: Callable[[], object]) -> None:
        path.unlink()
        make()

    def array_of(array: np.ndarray) -> None:
        with path.open("wb") as file:
            np.save(file, array)

    def key_gone() -> None:
        value = json.loads(whole) if text else None
        if isinstance(value, dict):
            value.pop(rng.choice(sorted(value)))
        put(json.dumps(value).encode())

    ways: list[tuple[str, Callable[[], object]]] = [
        ("one bit", lambda: put(flipped(1))),
        ("bits", lambda: put(flipped(20))),
        ("cut off", lambda: put(whole[: rng.randrange(len(whole))])),
        ("empty", lambda: put(b"")),
        ("zeros", lambda: put(bytes(len(whole)))),
        ("longer", lambda: put(whole + bytes(100))),
        ("not UTF-8", lambda: put(b"\xff\xfe" + whole)),
        ("another JSON value", lambda: put(rng.choice(VALUES).encode())),
        ("a key less", key_gone),
        ("NaN", lambda: value_changed("NaN")),
        ("Infinity", lambda: value_changed(rng.choice(["Infinity", "-Infinity", "1e999"]))),
        ("a huge number", lambda: value_changed(rng.choice(HUGE))),
        ("another type", lambda: value_changed(rng.choice(VALUES))),
        ("deep", lambda: put(b"[" * 100_000 + b"]" * 100_000)),
        ("deep within", lambda: value_changed("[" * 50_000 + "]" * 50_000)),
        ("another shape", lambda: array_of(np.zeros((3, 5), np.float32))),
        ("another dtype", lambda: array_of(np.zeros(24, np.complex128))),
        ("huge shape", lambda: put(
            b"\x93NUMPY\x01\x00v\x00"
            + b"{'descr': '<f4', 'fortran_order': False, 'shape': (999999999, 99999), }".ljust(117)
            + b"\n"
        )),
        ("infinite numbers", lambda: array_of(np.full((2, 15, 2), np.inf, np.float32))),
        ("a folder", lambda: instead(path.mkdir)),
        ("a link in a circle", lambda: instead(lambda: path.symlink_to(path))),
        ("a pipe", lambda: instead(lambda: os.mkfifo(path))),
    ]  # fmt: skip
    assert len(ways) == KINDS
    what, make = ways[kind]
    make()
    return what


def stored_files(root: Path) -> list[str]:
    return sorted(
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file()
        and ("/tiny" in str(path) or "/mine" in str(path))
        and path.suffix in {".json", ".npy", ".csv", ".npz", ".txt"}
    )


def look_at_dataset(name: str) -> Iterator[Callable[[], object]]:
    yield lambda: manifest(name)
    yield lambda: open_named(name)
    yield lambda: measures.load(open_named(name))
    yield lambda: known_offset(open_named(name))
    yield lambda: read_fields(open_named(name))
    yield lambda: stored_predictions(trained_model("other"), open_named(name))


def look_at_run(run: Run) -> Iterator[Callable[[], object]]:
    yield lambda: run.config
    yield lambda: run.status
    yield lambda: run.history
    yield lambda: run.note
    yield run.read_log
    yield run.sample_rows
    yield lambda: [run.samples(epoch) for epoch in run.sample_epochs()]
    yield lambda: Best.read(run)
    yield lambda: Place.read(run)
    yield lambda: held_back(trained_model(run.name), open_named("other"))
    yield lambda: stored_predictions(trained_model(run.name), open_named("other"))
    yield lambda: stored_validation(trained_model(run.name), open_named("other"))


def used(found: object) -> None:
    """What was read is of the kind that pages go on with."""
    if isinstance(found, measures.Measures):
        assert found.order.max() < found.present.shape[1]
    if isinstance(found, list):
        for row in found:
            if isinstance(row, history.Row):
                assert np.isfinite(row.epoch)
                assert row.step >= 0
    if isinstance(found, Status):
        json.dumps(vars(found), allow_nan=False)


def check_words(told: str) -> None:
    assert "\n" not in told
    assert "tiny" in told or "mine" in told, told
    assert len(told) < 700


def check_all(said: Counter[str]) -> None:
    """Everything opens or says why not, in one line; what is not damaged opens."""
    assert dataset_names() == ["other", "tiny"]
    assert {run.name for run in all_runs()} == {"mine", "other"}
    assert {"mine", "other"} <= {model.name for model in trained_models()}
    for acts in (*map(look_at_dataset, ("tiny", "other")), *map(look_at_run, all_runs())):
        for act in acts:
            try:
                used(act())
            except UserError as error:
                check_words(str(error))
                said["told"] += 1


@pytest.mark.slow
def test_no_damage_does_more_than_be_told(workspace, tmp_path, capsys):
    """Every stored file, damaged in every way: several hundred times."""
    copy, rng, said = tmp_path / "copy", random.Random(0), Counter()
    shutil.copytree(workspace, copy)
    for name in stored_files(copy):
        for kind in range(KINDS):
            path = workspace / name
            what = damaged(path, kind, rng)
            said["damaged"] += 1
            try:
                check_all(said)
            except Exception as error:
                raise AssertionError(f"{name}: {what}: {error!r}") from error
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            os.utime(shutil.copy2(copy / name, path))
            shutil.copystat(copy / name, path)
    check_all(last := Counter())
    assert not last["told"]
    assert said["damaged"] > 700
    assert said["told"] > 300
    with capsys.disabled():
        print(f"\n{said['damaged']} times damaged, {said['told']} times told why", end=" ")


FOR_EVERYBODY = ["manifest.json", "images.npy", "keypoints.npy", "rows.npy", "test_images.npy"]


@pytest.mark.parametrize("name", FOR_EVERYBODY)
def test_the_verbs_list_a_damaged_dataset_with_the_reason_and_remove_it(workspace, name, capsys):
    (workspace / "datasets" / "tiny" / name).write_bytes(b"x")
    assert main(["datasets"]) == 0
    out, err = capsys.readouterr()
    assert "other" in out
    assert "'tiny'" in err
    assert err.count("\n") == 1
    assert main(["info", "tiny"]) == 2
    assert main(["info", "other"]) == 0
    assert main(["remove", "tiny", "--yes"]) == 0
    assert dataset_names() == ["other"]


@pytest.mark.parametrize("name", ["config.json", "status.json"])
def test_the_verbs_list_a_damaged_run_with_the_reason(workspace, name, capsys):
    (workspace / "runs" / "mine" / name).write_bytes(b"x")
    assert main(["runs"]) == 0
    out, err = capsys.readouterr()
    assert "other" in out
    assert "'mine'" in err
    open_run("mine").delete()
    assert [run.name for run in all_runs()] == ["other"]


def test_what_lost_its_most_important_file_can_be_removed_too(workspace):
    (workspace / "datasets" / "tiny" / "manifest.json").unlink()
    assert "tiny" in dataset_names()
    with pytest.raises(UserError, match="manifest of dataset 'tiny' cannot be read"):
        open_named("tiny")
    remove("tiny")
    (workspace / "runs" / "mine" / "config.json").unlink()
    with pytest.raises(UserError, match=r"Run 'mine' has no config\.json"):
        _ = open_run("mine").config
    open_run("mine").delete()
    assert dataset_names() == [run.name for run in all_runs()] == ["other"]


def test_measures_that_are_damaged_are_made_again(workspace):
    dataset = open_named("tiny")
    for name in ("order", "duplicate", "present"):
        expected = np.array(getattr(measures.load(dataset), name))
        path = dataset.folder / "measures" / f"{name}.npy"
        data = bytearray(path.read_bytes())
        data[-1] = 0x7F  # an index that there is not; neither true nor false
        path.write_bytes(data)
        assert measures.load(dataset) is None
        measures.measure(dataset)
        found = measures.load(dataset)
        np.testing.assert_array_equal(getattr(found, name), expected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
CHECKS = [
    *(stored.whole(), stored.number(), stored.text(), stored.flag, stored.one_of("a", 1)),
    *(stored.maybe(stored.whole()), stored.list_of(stored.text()), stored.table_of(stored.flag)),
    stored.record({"a": stored.whole()}, {"b": stored.text()}),
]


@given(JSON, st.sampled_from(CHECKS))
def test_checks_pass_or_say_why_in_one_short_line(value, check):
    told = ""
    try:
        check(value, "it")
    except ValueError as error:
        told = str(error)
    assert "\n" not in told
    assert len(told) < 200


@given(st.binary(max_size=300))
def test_any_bytes_are_a_value_or_a_reason(data):
    with contextlib.suppress(ValueError):
        stored.parse_json(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_array_or_a_reason(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "a.npy"
    for start in (b"", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00v\x00{'descr': '<f4', "):
        path.write_bytes(start + data)
        with contextlib.suppress(ValueError):
            stored.load_array(path)


def test_arrays_come_back(tmp_path):
    for array in (
        np.arange(6, dtype=np.int16).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.zeros((0, 4), np.uint8),
        np.float32(3).reshape(()),
        np.array([True, False]),
    ):
        np.save(tmp_path / "a.npy", array)
        np.testing.assert_array_equal(stored.load_array(tmp_path / "a.npy"), array)


def test_sizes_are_limited(tmp_path):
    (tmp_path / "a.json").write_text("[1, 2, 3]")
    with pytest.raises(ValueError, match="it has 9 bytes, more than 8"):
        stored.read_json(tmp_path / "a.json", limit=8)
    with (tmp_path / "big.json").open("wb") as file:
        file.truncate(10 << 30)
    with pytest.raises(ValueError, match="more than"):
        stored.read_json(tmp_path / "big.json")
    assert stored.read_end(tmp_path / "a.json", 3) == " 3]"
