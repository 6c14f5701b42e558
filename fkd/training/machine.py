"""The machine that a training takes place on: what it is, and how much of it a training claims."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_NICE = 10
"""Leave the processor to whatever people are waiting for."""

_CPU, _GPU = Path("/proc/cpuinfo"), Path("/dev/nvidia0")
_THREADS = Path("/proc/self/task")


@lru_cache(maxsize=1)
def machine() -> str:
    """What trainings here compute on, in words: runs of the same words are alike in pace."""
    name = "processor"
    with suppress(OSError, StopIteration):
        lines = _CPU.read_text(errors="replace").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name[:120]}, {count} cores" + (", GPU" if has_gpu() else "")


def has_gpu() -> bool:
    """Whether there is a GPU that TensorFlow could use."""
    return _GPU.exists() and os.environ.get("CUDA_VISIBLE_DEVICES", "0") not in {"", "-1"}


def quiet_libraries() -> None:
    """Keep TensorFlow, which is yet to be loaded, from looking for a GPU where there is none: all
    that comes of it is alarm in the log."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if not has_gpu():
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


def give_way() -> None:
    """Let this process, all of its threads, stand back behind others from now on."""
    if not hasattr(os, "setpriority"):
        return
    # Linux counts niceness by thread, and those of TensorFlow have started already.
    threads = [int(entry.name) for entry in _THREADS.iterdir()] if _THREADS.is_dir() else [0]
    for thread in threads:
        with suppress(OSError):  # it has ended since
            os.setpriority(os.PRIO_PROCESS, thread, _NICE)
