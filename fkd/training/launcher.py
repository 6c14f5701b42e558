"""Starting a run: the one seam between who wants a training and where it takes place.

``launch`` starts a supervisor on this computer that outlives whoever asked for it. Another engine
(a cluster's queue) takes its place by doing the same: run ``python -m fkd train FOLDER`` somewhere
that sees the run folder and the dataset.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from fkd.child import environment
from fkd.errors import UserError
from fkd.training.runs import Run
from fkd.training.status import ACTIVE, QUEUED, RESUMABLE, Status


def put_into_queue(run: Run) -> None:
    """Let ``run``, new or resumable, wait for a process that trains it.

    Raises:
        UserError: if it is active already, or over for good.
    """
    status = run.status
    if status.state in ACTIVE and not status.unattended:
        raise UserError(f"Run '{run.name}' is {status.state} already.")
    if not status.unattended and status.state not in RESUMABLE:
        raise UserError(f"Run '{run.name}' is {status.state}; it cannot go on. Start a new one.")
    run.clear_requests()
    run.queue()
    queued = replace(Status.read(run.folder), state=QUEUED, reason="")
    queued.waiting().write(run.folder)


def launch(run: Run) -> None:
    """Queue ``run``, new or resumable, and start its supervisor.

    Raises:
        UserError: if it is active already, or over for good.
    """
    put_into_queue(run)
    with run.log.open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "fkd", "train", str(run.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(),
            cwd=run.folder,
            start_new_session=True,
        )


resume = launch
"""Going on from the last checkpoint is the same as starting: the run folder says where it is."""
