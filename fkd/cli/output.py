"""What verbs print with: a progress bar on stderr, JSON, tables."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fkd.errors import UserError
from fkd.progress import Progress, to_line


def login_name() -> str:
    """Who this is, where nobody said so.

    Raises:
        UserError: if the system does not know either.
    """
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UserError("Say who you are with --author NAME: changes are kept with it.") from None


def confirmed(question: str, yes: bool) -> bool:
    """Whether ``yes`` was said beforehand, or is said now in answer to ``question``."""
    if yes:
        return True
    print(f"{question} [y/N] ", end="", flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print()  # nobody was there to end the line
    return answer.strip().lower() in {"y", "yes"}


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress callback that draws a bar for each stage: share, rate and time left."""
    from tqdm import tqdm

    bar: tqdm[Any] | None = None
    stage_now = ""

    def show(stage: str, done: int, total: int) -> None:
        nonlocal bar, stage_now
        if stage != stage_now:
            if bar is not None:
                bar.close()
            large = total >= 1 << 20  # bytes rather than images
            bar = tqdm(
                desc=stage,
                total=total or None,
                unit="B" if large else "",
                unit_scale=large,
                file=sys.stderr,
                leave=False,
                disable=None,
            )
            stage_now = stage
        if bar is not None:
            bar.update(done - bar.n)

    try:
        yield show
    finally:
        if bar is not None:
            bar.close()


@contextmanager
def progress_lines() -> Iterator[Progress]:
    """A progress callback that prints each report on stderr, for the process that started this."""
    yield lambda *report: print(to_line(*report), file=sys.stderr, flush=True)


def import_tensorflow() -> None:
    """Import TensorFlow without its words on processors and graphics cards, which it writes past
    every setting of its log. They are shown where the import fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            said.seek(0)
            os.write(terminal, said.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def table(rows: list[dict[str, Any]]) -> str:
    """``rows`` as aligned columns; numbers to the right."""
    columns = list(rows[0])
    cells = [[f"{r[c]:,}" if isinstance(r[c], int) else str(r[c]) for c in columns] for r in rows]
    widths = [max(len(c), *(len(row[i]) for row in cells)) for i, c in enumerate(columns)]
    right = [isinstance(rows[0][c], int | float) for c in columns]

    def line(values: list[str]) -> str:
        return "  ".join(
            v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)
        ).rstrip()

    return "\n".join([line(columns), *(line(row) for row in cells)])
