"""No message quotes a file that is no table of ours: whoever may name a path on the server must not
read in an error what lies there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from kaggle_helper import Tables
from training_helper import put_tiny

from fkd.cli import main

SECRET = "hunter2secret"

OTHERS = {
    "passwd": f"root:{SECRET}:0:0:{SECRET}:/root:/bin/bash\n{SECRET}:x:1:1::/:/bin/sh\n",
    "shadow": f"root:$6${SECRET}:19000:0:99999:7:::\n{SECRET}:*:1::::::\n",
    "env": f"AWS_SECRET={SECRET}\nOTHER={SECRET}\n",
    "commas.csv": f"{SECRET},{SECRET},{SECRET}\n1,2,{SECRET}\n",
    "tabs.tsv": f"{SECRET}\t{SECRET}\n{SECRET}\t3\n",
    "semicolons.csv": f"user;{SECRET};x\n{SECRET};2;3\n",
    "quoted.csv": f'"{SECRET}","{SECRET}\n"{SECRET}\n',
    "one.csv": f"{SECRET}\n{SECRET}\n",
    "object.json": f'{{"{SECRET}": "{SECRET}", "images": "{SECRET}"}}',
    "list.json": f'["{SECRET}"]',
    "cut.json": f'{{"a": {SECRET}',
    "some.yaml": f"password: {SECRET}\nnames: {SECRET}\npath: {SECRET}\n",
    "cut.yaml": f"a: [{SECRET}\n b: {SECRET}: {SECRET}",
    "points.pts": f"version: {SECRET}\nn_points: {SECRET}\n{SECRET}\n",
    "key.pem": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n",
    "binary": f"\x00\xff{SECRET}\n",
    "x.parquet": f"PAR1{SECRET}PAR1",
    "x.npz": f"PK{SECRET}",
    "x.zip": f"PK\x03\x04{SECRET}",
    "x.gz": f"\x1f\x8b{SECRET}",
    "x.npy": f"\x93NUMPY\x01\x00\x76\x00{{'descr': '{SECRET}', 'shape': (3,), }}        \n",
}
FORMATS = ("kaggle", "coco", "yolo-pose", "pts")


@pytest.fixture
def silent(capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Runs a verb that must fail as a user's error and must not quote what it read."""

    def silent(*arguments: object) -> None:
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        said = capsys.readouterr()
        assert code == 2, (arguments, said)
        assert SECRET not in said.out + said.err, arguments

    return silent


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_that_is_no_table(
    name: str, silent: Callable[..., None], tables: Tables, tmp_path: Path, tiny_drawn: Path
) -> None:
    put_tiny(tiny_drawn)
    path = tmp_path / name
    path.write_bytes(OTHERS[name].encode("latin-1"))
    silent("ingest", "faces", path)
    silent("ingest", "faces", path, "--skip-bad")
    silent("ingest", "faces", tables.training, "--test", path)
    silent("ingest", "faces", tables.training, "--test", tables.test, "--lookup", path)
    silent("train", "--dataset", "tiny", "--groups", path)
    for format in FORMATS:
        silent("import", "tiny", path, "--format", format, "--dry-run")


@pytest.mark.parametrize("name", OTHERS)
def test_a_folder_with_it(name: str, silent: Callable[..., None], tmp_path: Path) -> None:
    path, folder = tmp_path / name, tmp_path / "folder"
    path.write_bytes(OTHERS[name].encode("latin-1"))
    (folder / "labels").mkdir(parents=True)
    (folder / "images").mkdir()
    for place in ("training.csv", "data.yaml", "a.pts", "annotations.json", "labels/a.txt"):
        shutil.copy(path, folder / place)
    for place in ("a.png", "images/a.png"):
        cv2.imwrite(str(folder / place), np.zeros((96, 96), np.uint8))
    silent("ingest", "faces", folder)
    for format in FORMATS:
        silent("import", "faces", folder, "--format", format, "--dry-run")
