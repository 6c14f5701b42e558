"""What a training says of its machine, asks of it and hides of its libraries' alarm."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fkd.settings import PACKAGE
from fkd.training import machine, runs
from fkd.training.machine import has_gpu, quiet_libraries
from fkd.training.runs import Run

NOISE = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795624702.904828   13184 port.cc:153] oneDNN custom operations are on. You may",
    "I0000 00:00:1795624702.905801   13184 cudart_stub.cc:31] Could not find cuda drivers on",
    "E0000 00:00:1795624705.629747   13184 cuda_platform.cc:52] failed call to cuInit: INTERNAL",
]
KEPT = ["compact on 'faces': 3,853 training images", "E0000 00:00:17 1 tensor.cc:1] out of memory"]


@pytest.mark.parametrize("gpu", [False, True])
def test_the_log_is_without_alarm_about_a_gpu_where_there_is_none(tmp_path, monkeypatch, gpu):
    monkeypatch.setattr(runs, "has_gpu", lambda: gpu)
    run = Run(tmp_path)
    run.log.write_text("\n".join([*NOISE, *KEPT]))
    assert run.read_log().splitlines() == ([*NOISE, *KEPT] if gpu else KEPT)


def test_without_a_gpu_none_is_looked_for(tmp_path, monkeypatch):
    told: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", told)
    monkeypatch.setattr(machine, "_GPU", tmp_path / "gpu")
    assert not has_gpu()
    quiet_libraries()
    assert told.pop("CUDA_VISIBLE_DEVICES") == "-1"
    (tmp_path / "gpu").touch()
    assert has_gpu()
    quiet_libraries()
    assert "CUDA_VISIBLE_DEVICES" not in told


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is counted by thread on Linux only")
def test_all_threads_stand_back():
    script = """
import os, threading
from fkd.training.machine import give_way
ready = threading.Event()
thread = threading.Thread(target=ready.wait, daemon=True)
thread.start()
give_way()
print({os.getpriority(os.PRIO_PROCESS, int(t)) for t in os.listdir("/proc/self/task")})
ready.set()
"""
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    assert said.stdout.strip() in {"{10}", "{19}"}  # whoever runs the tests may be nice already
