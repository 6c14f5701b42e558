"""A verb in a process of its own: its progress, its words when it fails, its end when stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from evaluation_helper import make_run
from hypothesis import given
from hypothesis import strategies as st
from training_helper import put_tiny, write_tiny

from fkd import child
from fkd.child import run_verb
from fkd.errors import Cancelled, UserError
from fkd.evaluation.predictions import stored
from fkd.progress import from_line, silent, to_line


@given(st.text(), st.integers(), st.integers())
def test_a_report_as_a_line_comes_back(stage, done, total):
    line = to_line(stage, done, total)
    assert "\n" not in line
    assert from_line(line + "\n") == (stage, done, total)


@pytest.mark.parametrize(
    "line",
    ["", "fkd: no", "[1]", "3", "null", '{"stage": "x"}', '{"stage": 1, "done": [], "total": 2}'],
)
def test_other_lines_are_no_reports(line):
    assert from_line(line) is None


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "tiny"
    write_tiny(folder)
    return folder


@pytest.fixture
def dataset(drawn):
    return put_tiny(drawn)


@pytest.fixture
def children(monkeypatch):
    """The processes that were started."""
    started = []

    class Noted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(child.subprocess, "Popen", Noted)
    return started


def evaluate(progress=silent, model: str = "one") -> None:
    run_verb(["evaluate", model, "--dataset", "tiny", "--split", "all", "--json"], progress)


def test_predictions_are_made_in_a_child_wherever_it_is_started(dataset, tmp_path, monkeypatch):
    from fkd.models.saving import save_model
    from fkd.models.zoo import build

    model = make_run(dataset, "one")
    save_model(build("compact", dataset.schema), model.path, optimizer=False)
    monkeypatch.chdir(tmp_path)
    reports = []
    evaluate(lambda *report: reports.append(report))
    assert reports[0] == ("starting", 0, 0)
    assert ("loading the model", 0, 0) in reports
    assert stored(model, dataset).points.shape == (24, 15, 2)


def test_what_the_child_cannot_do_is_said_in_its_words(dataset):
    make_run(dataset, "one")  # its weights are none
    with pytest.raises(UserError, match=r"^The model in .*best\.keras cannot be read"):
        evaluate()
    with pytest.raises(UserError, match="There is no run 'two'"):
        evaluate(model="two")


def test_a_stopped_child_ends_at_once_and_leaves_nothing(dataset, children):
    model = make_run(dataset, "one")

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "loading the model":
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        evaluate(stop)
    assert children[0].poll() == -signal.SIGTERM
    assert stored(model, dataset) is None


def test_a_child_that_does_not_listen_is_killed(children):
    # A stopped process cannot answer SIGTERM, but it can be killed.
    def stop(stage: str, done: int, total: int) -> None:
        os.kill(children[0].pid, signal.SIGSTOP)
        time.sleep(0.2)
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        evaluate(stop)
    assert children[0].poll() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGKILL, "for want of memory"), (signal.SIGABRT, "signal 6")]
)
def test_a_child_that_dies_is_explained(children, number, words):
    def kill(stage: str, done: int, total: int) -> None:
        children[0].send_signal(number)

    with pytest.raises(UserError, match=words):
        evaluate(kill)
