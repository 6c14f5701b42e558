"""The process that trains one run: ``python -m fkd.training.worker FOLDER``.

Started by the supervisor, which waits for it and sees how it ended where it cannot say so itself.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from fkd.errors import UserError
from fkd.labels.at import corrected
from fkd.registry import open_named
from fkd.training.config import RunConfig
from fkd.training.examples import training_examples
from fkd.training.failures import in_words
from fkd.training.machine import give_way, quiet_libraries
from fkd.training.reporter import Reporter
from fkd.training.runs import Run
from fkd.training.status import CANCELLED, FAILED, LOADING, PREPARING, RUNNING, Status


def main(folder: Path) -> int:
    """Train the run in ``folder``. Returns the exit code: 0 however it ended, if that is written
    down."""
    quiet_libraries()
    run = Run(folder)
    reporter = Reporter(run, Status.read(folder))
    with reporter.alive():
        try:
            reporter.update(state=RUNNING, stage=LOADING, reason="")
            # Until the first batch a person waits for it; afterwards it is the training that waits.
            state, reason = _train(run, reporter, started=give_way)
        except BaseException as error:
            with suppress(OSError):  # the log may lie on the very disk that is full
                traceback.print_exc()
            state, reason = FAILED, in_words(error, run)
        reporter.end(state, reason)
    return 0


def _train(
    run: Run, reporter: Reporter, started: Callable[[], None] = lambda: None
) -> tuple[str, str]:
    config = run.config
    dataset = open_named(config.dataset)
    _check_hash(config, dataset.content_hash)
    dataset = corrected(dataset, config.label_version, accepted=config.accepted)
    # TensorFlow takes seconds to load, on one core: meanwhile others draw the faces to mix in.
    with ThreadPoolExecutor(1) as beside:
        examples = beside.submit(training_examples, dataset, config)
        from fkd.evaluation.learned import never_learned
        from fkd.training import devices
        from fkd.training.loop import Training

        reporter.update(stage=PREPARING)
        training = Training(run, config, dataset, reporter, examples.result())
    print(
        f"{config.model} on '{config.dataset}': {len(training.examples):,} training images, "
        f"{training.steps} batches an epoch, {config.epochs} epochs, "
        f"{devices.in_words(training.strategy)}",
        flush=True,
    )
    note = never_learned(training.learned > 0, dataset.schema)
    if note:
        print(note, flush=True)
    state, reason = training.go(started)
    return state, reason if state == CANCELLED else f"{reason} {note}".strip()


def _check_hash(config: RunConfig, found: str) -> None:
    if found != config.data_hash:
        raise UserError(
            f"Dataset '{config.dataset}' is not the one that this run was made for: its content "
            "changed. Start a new run."
        )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
