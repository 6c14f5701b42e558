from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from fkd.log import log_unexpected


def failure(text: str) -> ValueError:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_an_error_is_appended_with_its_traceback(fkd_home: Path) -> None:
    first = log_unexpected("page %s browse", failure("one"))
    second = log_unexpected("page stats", failure("two"))
    assert first == second == fkd_home / "logs" / "fkd.log"
    text = first.read_text()
    assert text.index("ERROR page %s browse") < text.index("ERROR page stats")
    for line in ("ValueError: one", "ValueError: two", "raise ValueError(text)"):
        assert text.count(line) == (2 if line.startswith("raise") else 1)


def test_an_error_that_was_never_raised_is_logged_too() -> None:
    assert "KeyError: 'x'" in log_unexpected("here", KeyError("x")).read_text()


def test_the_log_stays_below_its_limit(fkd_home: Path) -> None:
    for i in range(50):
        log_unexpected(f"error {i}", failure("x" * 100_000))
    files = list((fkd_home / "logs").iterdir())
    assert sum(file.stat().st_size for file in files) <= 3_000_000
    assert "error 49" in (fkd_home / "logs" / "fkd.log").read_text()


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_the_log_is_its_owner_s_alone(fkd_home: Path) -> None:
    """It quotes names and paths; whatever the umask, and also after it was turned."""
    before = os.umask(0)
    try:
        for i in range(15):
            log_unexpected(f"error {i}", failure("x" * 100_000))
    finally:
        os.umask(before)
    files = list((fkd_home / "logs").iterdir())
    assert len(files) > 1
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert {f.stat().st_mode & 0o777 for f in (fkd_home, fkd_home / "logs")} == {0o700}


def test_without_a_place_to_write_the_record_goes_to_stderr(
    fkd_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fkd_home.mkdir()
    (fkd_home / "logs").write_text("a file where the folder should be")
    said = log_unexpected("page browse", failure("lost otherwise"))
    assert said == "the program's output"
    shown = capsys.readouterr().err
    assert "ERROR page browse" in shown
    assert "ValueError: lost otherwise" in shown


def test_threads_log_each_error_once() -> None:
    together = threading.Barrier(8)

    def work(thread: int) -> None:
        together.wait()
        for i in range(20):
            log_unexpected(f"error {thread}-{i}", failure("x"))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = log_unexpected("last", failure("x")).read_text().splitlines()
    assert sum(" ERROR error " in line for line in lines) == 8 * 20
