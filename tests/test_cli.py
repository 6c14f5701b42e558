from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kaggle_helper import ROOT, Tables, run_fkd, run_python

from fkd import __version__
from fkd.cli import build_parser, main
from fkd.keypoints import KAGGLE_15
from fkd.registry import dataset_names, datasets_folder, open_named
from fkd.settings import home

Capture = pytest.CaptureFixture[str]


def verbs() -> dict[str, argparse.ArgumentParser]:
    (action,) = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(action.choices)


VERBS = sorted(verbs())


def fkd(capsys: Capture, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command line, run in this process."""
    capsys.readouterr()
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as exit_:  # argparse leaves by itself
        code = int(exit_.code or 0)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def one_line(text: str) -> str:
    """The one line that a user's error is."""
    assert text.startswith("fkd: ")
    assert text.count("\n") == 1
    return text


@pytest.fixture
def faces(tables: Tables, capsys: Capture) -> str:
    assert fkd(capsys, "ingest", "faces", tables.folder)[0] == 0
    return "faces"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(capsys: Capture, verb: str) -> None:
    code, out, err = fkd(capsys, verb, "--help")
    assert (code, err) == (0, "")
    assert f"fkd {verb}" in out
    _, overview, _ = fkd(capsys, "--help")
    assert re.search(rf"^ +{verb}\s+\w", overview, re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_readme(verb: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    # In a command, or in the table of verbs.
    assert re.search(rf"(\bfkd |\| `){verb}\b", readme)


def test_without_a_verb_the_usage_is_shown() -> None:
    result = run_fkd()
    assert (result.returncode, result.stdout) == (2, "")
    assert "usage: fkd" in result.stderr
    assert "VERB" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["dance"], ["ingest"], ["info"], ["demo", "--rows", "many"], ["info", "a", "b"]]
)
def test_wrong_arguments_exit_with_2(capsys: Capture, arguments: list[str]) -> None:
    code, out, err = fkd(capsys, *arguments)
    assert (code, out) == (2, "")
    assert "error:" in err


def test_the_version_is_told(capsys: Capture) -> None:
    assert fkd(capsys, "--version")[:2] == (0, f"fkd {__version__}\n")


# ingest, datasets, info


def test_ingest_registers(capsys: Capture, tables: Tables) -> None:
    arguments = ("faces", tables.training, "--test", tables.test, "--lookup", tables.lookup)
    code, out, err = fkd(capsys, "ingest", *arguments)
    assert (code, err) == (0, "")
    assert "faces: 7 rows" in out
    assert "3 test images" in out
    assert out.endswith("ready\n")
    code, out, _ = fkd(capsys, "ingest", *arguments)
    assert (code, out.count("nothing to do")) == (0, 1)


def test_other_content_needs_overwrite(capsys: Capture, faces: str, other_tables: Tables) -> None:
    code, out, err = fkd(capsys, "ingest", faces, other_tables.folder)
    assert (code, out) == (2, "")
    assert "remove that one first" in one_line(err)
    assert len(open_named(faces)) == 7
    assert fkd(capsys, "ingest", faces, other_tables.folder, "--overwrite")[0] == 0
    assert len(open_named(faces)) == 5


def test_a_bad_file_is_told_problem_by_problem(tables: Tables, tmp_path: Path) -> None:
    lines = tables.training.read_text().splitlines()
    lines[2] = lines[2].rsplit(",", 1)[0] + ",1 2 3"
    lines[5] = "1,2"
    bad = tmp_path / "training.csv"
    bad.write_text("\n".join(lines))
    result = run_fkd("ingest", "faces", bad, "--test", tables.lookup)
    assert (result.returncode, result.stdout) == (2, "")
    *problems, last = result.stderr.splitlines()
    assert "Traceback" not in result.stderr
    assert [p for p in problems if p.startswith("training.csv, row 1 (line 3), column Image: ")]
    assert [p for p in problems if p.startswith("training.csv, row 4 (line 6): ")]
    assert "IdLookupTable.csv: missing column Image; it has RowId" in last
    assert last.startswith("fkd: 2 bad rows of 7 in training.csv")
    assert "Nothing was ingested." in last
    assert "--skip-bad" not in last  # the other file has the wrong columns
    assert dataset_names() == []


def test_skipping_bad_rows_says_where_they_are_listed(
    capsys: Capture, tables: Tables, tmp_path: Path
) -> None:
    bad = tmp_path / "training.csv"
    bad.write_text(tables.training.read_text() + "1,2\n")
    code, out, err = fkd(capsys, "ingest", "faces", bad)
    assert (code, out) == (2, "")
    assert "keep the good rows (--skip-bad)" in err
    code, out, err = fkd(capsys, "ingest", "faces", bad, "--skip-bad")
    assert (code, err) == (0, "")
    path = datasets_folder() / "faces" / "rejected.csv"
    assert f"Skipped 1 bad rows; reasons in {path}" in out
    assert path.is_file()


def test_missing_files_and_bad_names_are_one_line(capsys: Capture, tables: Tables) -> None:
    code, out, err = fkd(capsys, "ingest", "faces", tables.folder / "gone.csv")
    assert (code, out) == (2, "")
    assert "gone.csv does not exist" in one_line(err)
    code, _, err = fkd(capsys, "ingest", "../faces", tables.training)
    assert code == 2
    assert "cannot name a dataset" in one_line(err)


def test_info_as_json(capsys: Capture, faces: str, tables: Tables) -> None:
    code, out, err = fkd(capsys, "info", faces, "--json")
    assert (code, err) == (0, "")
    about = json.loads(out)
    here = ~np.isnan(tables.keypoints[:, :, 0])
    assert about["name"] == "faces"
    assert (about["rows"], about["test_rows"]) == (7, 3)
    assert about["complete_rows"] == here.all(axis=1).sum()
    assert about["present"] == dict(zip(KAGGLE_15.names, here.sum(axis=0).tolist(), strict=True))
    assert about["content_hash"] == open_named("faces").content_hash


def test_info_in_words(capsys: Capture, faces: str) -> None:
    code, out, _ = fkd(capsys, "info", faces)
    assert code == 0
    for name in (*KAGGLE_15.names, open_named(faces).content_hash):
        assert name in out


def test_datasets_are_listed(capsys: Capture, faces: str) -> None:
    fkd(capsys, "demo", "--rows", 4, "--name", "drawn")
    code, out, _ = fkd(capsys, "datasets", "--json")
    assert code == 0
    found = {about["name"]: about["rows"] for about in json.loads(out)}
    assert found == {"drawn": 4, "faces": 7}
    code, out, _ = fkd(capsys, "datasets")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["name", "drawn", "faces"]


def test_without_datasets_the_list_says_what_to_do(capsys: Capture) -> None:
    code, out, _ = fkd(capsys, "datasets")
    assert code == 0
    assert "fkd demo" in out
    assert fkd(capsys, "datasets", "--json")[1] == "[]\n"


def test_a_damaged_dataset_does_not_hide_the_others(capsys: Capture, faces: str) -> None:
    fkd(capsys, "demo", "--rows", 4, "--name", "broken")
    (datasets_folder() / "broken" / "manifest.json").write_text("{")
    code, out, err = fkd(capsys, "datasets", "--json")
    assert code == 0
    assert [about["name"] for about in json.loads(out)] == ["faces"]
    assert "'broken' cannot be read" in one_line(err)


@pytest.mark.parametrize("verb", [["info"], ["info", "--json"], ["remove"], ["remove", "--yes"]])
def test_an_unknown_dataset_is_one_line(capsys: Capture, faces: str, verb: list[str]) -> None:
    code, out, err = fkd(capsys, *verb, "other")
    assert (code, out) == (2, "")
    assert "no dataset 'other'. Registered: faces." in one_line(err)


# remove


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "maybe\n"])
def test_remove_asks_and_keeps(
    capsys: Capture, faces: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    code, out, err = fkd(capsys, "remove", faces)
    assert code == 2
    assert "Delete dataset 'faces' with 7 rows?" in out
    assert "not removed" in err
    assert dataset_names() == ["faces"]


@pytest.mark.parametrize("answer", ["y\n", "Yes\n", " Y "])
def test_remove_asks_and_removes(
    capsys: Capture, faces: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    code, out, _ = fkd(capsys, "remove", faces)
    assert (code, out.endswith("Removed 'faces'.\n")) == (0, True)
    assert dataset_names() == []


def test_remove_does_as_told(capsys: Capture, faces: str) -> None:
    assert fkd(capsys, "remove", faces, "--yes") == (0, "Removed 'faces'.\n", "")
    assert dataset_names() == []


@pytest.mark.parametrize("text", ["{", '{"format": 99, "schema": "kaggle-15"}'])
def test_a_damaged_dataset_can_be_removed_as_its_message_says(
    capsys: Capture, faces: str, text: str
) -> None:
    (datasets_folder() / faces / "manifest.json").write_text(text)
    assert "remove" in fkd(capsys, "info", faces)[2]
    assert fkd(capsys, "remove", faces, "--yes")[0] == 0
    assert dataset_names() == []


# demo


def test_demo_registers_under_its_name(capsys: Capture) -> None:
    code, out, err = fkd(capsys, "demo", "--rows", 6, "--seed", 2)
    assert (code, err) == (0, "")
    assert "demo: 6 rows" in out
    dataset = open_named("demo")
    assert dataset.manifest["sources"]["seed"] == 2
    assert "nothing to do" in fkd(capsys, "demo", "--rows", 6, "--seed", 2)[1]
    code, _, err = fkd(capsys, "demo", "--rows", 6)
    assert code == 2
    assert "remove that one first" in one_line(err)
    assert fkd(capsys, "demo", "--rows", 6, "--overwrite")[0] == 0
    assert open_named("demo").content_hash != dataset.content_hash


def test_demo_writes_files_and_registers_only_when_named(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "files"
    code, said, _ = fkd(capsys, "demo", "--rows", 4, "--out", out)
    assert code == 0
    assert "training.csv, test.csv, IdLookupTable.csv, SampleSubmission.csv" in said
    assert len(list(out.iterdir())) == 4
    assert dataset_names() == []
    assert fkd(capsys, "demo", "--rows", 4, "--out", out, "--name", "drawn")[0] == 0
    assert fkd(capsys, "ingest", "read", out)[0] == 0
    assert open_named("read").content_hash == open_named("drawn").content_hash


@pytest.mark.parametrize("arguments", [["--rows", "0"], ["--rows", "-5"], ["--seed", "-1"]])
def test_impossible_demos_are_one_line(capsys: Capture, arguments: list[str]) -> None:
    code, out, err = fkd(capsys, "demo", *arguments)
    assert (code, out) == (2, "")
    assert arguments[1] in one_line(err)


def test_a_folder_that_cannot_be_made_is_one_line(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = fkd(capsys, "demo", "--rows", 1, "--out", tmp_path / "file" / "folder")
    assert code == 2
    assert str(tmp_path / "file") in one_line(err)


# Processes


IMPORTED = """
import sys
from fkd.cli import main
code = main(sys.argv[1:])
heavy = {"tensorflow", "streamlit", "kagglehub", "matplotlib"} & set(sys.modules)
print(sorted(heavy), file=sys.stderr)
sys.exit(code)
"""


def test_no_verb_imports_what_is_heavy(tables: Tables) -> None:
    for arguments in (("ingest", "faces", tables.folder), ("info", "faces"), ("datasets",)):
        result = run_python("-c", IMPORTED, *arguments)
        assert (result.returncode, result.stderr) == (0, "[]\n"), arguments


def test_help_needs_no_numpy() -> None:
    code = "import sys, fkd.cli\nfkd.cli.build_parser()\nprint('numpy' in sys.modules)"
    assert run_python("-c", code).stdout == "False\n"


@pytest.mark.parametrize("arguments", [("datasets",), ("info", "faces", "--json")])
def test_a_reader_that_leaves_early_is_no_error(faces: str, arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(
        [sys.executable, "-m", "fkd", *arguments],
        stdout=write,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        check=False,
    )
    os.close(write)
    assert b"Traceback" not in result.stderr
    assert result.stderr == b""
    assert result.returncode == 0


@pytest.mark.parametrize("port", ["99999", "0", "http"])
def test_a_port_that_is_none_is_told_at_once(port: str) -> None:
    result = run_fkd("dashboard", "--headless", "--port", port)
    assert result.returncode == 2
    assert "port" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_what_nobody_foresaw_goes_to_the_log(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> list[str]:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("fkd.registry.dataset_names", fail)
    assert main(["datasets"]) == 1
    stderr = capsys.readouterr().err
    assert "unexpected" in stderr
    assert "Traceback" not in stderr
    assert "secret detail" not in stderr
    log = home() / "logs" / "fkd.log"
    assert str(log) in stderr
    assert "secret detail" in log.read_text()
