"""Run folders as trainings leave them, in every state, for tests of the Train page."""

from __future__ import annotations

import json

import numpy as np

from fkd.training import history
from fkd.training import status as states
from fkd.training.create import make_config
from fkd.training.history import Row
from fkd.training.runs import Run, create_run
from fkd.training.status import Status


def make_run(
    dataset, name: str, state: str = states.FINISHED, epochs: int = 3, note: str = "", **settings
) -> Run:
    """A run folder as a training leaves it, in ``state``."""
    seed = settings.pop("seed", 0)
    settings = {"epochs": epochs + 2, **settings}
    run = create_run(make_config(dataset, "compact", seed=seed, settings=settings), name, note)
    samples = run.folder / "samples"
    samples.mkdir()
    rows = run.config.split.validation[:5]
    (samples / "rows.json").write_text(json.dumps(rows.tolist()))
    truth = np.nan_to_num(dataset.keypoints[np.searchsorted(dataset.rows, rows)], nan=40)
    for n in range(1, epochs + 1):
        history.append(run.folder, Row(n - 0.5, 3 * n - 1, 9.0 / n, 6.0 / n, seconds=n - 0.5))
        done = Row(n, 3 * n, 8.0 / n, 5.0 / n, 7.0 / n, 6.0 / n, 4.0 / n, 0.1, seconds=float(n))
        history.append(run.folder, done)
        np.save(samples / f"epoch-{n:05d}.npy", (truth + 1.0 / n).astype(np.float32))
    status = Status(
        state=state,
        epoch=epochs,
        steps=3,
        epochs=epochs + 2,
        best_epoch=max(0, epochs - 1),
        best_rmse_px=1.25 if epochs else None,
        images_per_second=150.0,
        elapsed=75.0,
        seconds_left=125.0 if state == states.RUNNING else None,
        reason="The disk is full." if state == states.FAILED else "",
        began={states.STARTING: 1.0, states.TRAINING: 9.0} if state == states.RUNNING else {},
    )
    # An active one is alive as long as the process of the tests is.
    (status.attended() if status.active else status).write(run.folder)
    if state == states.CRASHED:  # never written, only seen
        Status(states.RUNNING, heartbeat=1.0, epoch=epochs, epochs=epochs + 2).write(run.folder)
    return run


def table(page):
    return page.at.dataframe[0].value
