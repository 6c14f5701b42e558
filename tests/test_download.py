"""Downloading with Kaggle's own client from a server on this machine that stands in for Kaggle."""

from __future__ import annotations

import base64
import errno
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import NoReturn

import numpy as np
import pytest
from kaggle_helper import Tables, competition_zip, run_fkd

from fkd.download import COMPETITION, download_competition
from fkd.errors import UserError
from fkd.ingest import ingest
from fkd.registry import dataset_names, open_named

PORT = 7777  # where the client looks for Kaggle when KAGGLE_API_ENVIRONMENT is TEST
USER, KEY = "somebody", "0123456789abcdef"
GOOD = {"KAGGLE_USERNAME": USER, "KAGGLE_KEY": KEY}


@dataclass
class Kaggle:
    """What the stand-in answers with, and the requests it got."""

    archive: bytes
    status: int = 200
    cut: int = 0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answer(self, authorization: str) -> tuple[int, bytes]:
        basic = "Basic " + base64.b64encode(f"{USER}:{KEY}".encode()).decode()
        if authorization not in {basic, "Bearer token-of-somebody"}:
            return 401, b"{}"
        return self.status, self.archive if self.status == 200 else b"{}"


def _handler(kaggle: Kaggle) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kaggle.requests.append((self.path, asked))
            status, body = kaggle.answer(self.headers.get("Authorization", ""))
            self.send_response(status)
            # A charset, as the client's test mode prints the body and would guess one for long.
            kind = "application/zip; charset=latin-1" if status == 200 else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) - kaggle.cut])

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def cannot(reason: str) -> NoReturn:
    """Skip the test; on a continuous integration server, where all must run, fail it."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def _listen(kaggle: Kaggle) -> ThreadingHTTPServer:
    # The port is fixed, and another run of these tests may have it for a moment.
    for _ in range(100):
        try:
            return ThreadingHTTPServer(("127.0.0.1", PORT), _handler(kaggle))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            time.sleep(0.3)
    return cannot(f"port {PORT} is in use")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, tables: Tables) -> bytes:
    return competition_zip(tmp_path_factory.mktemp("served") / "all.zip", tables).read_bytes()


@pytest.fixture
def kaggle(archive: bytes) -> Iterator[Kaggle]:
    kaggle = Kaggle(archive)
    server = _listen(kaggle)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield kaggle
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without credentials, Kaggle's server replaced and no proxy: nothing gets out."""
    home = tmp_path / "stranger"
    (home / ".kaggle").mkdir(parents=True)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(home / ".kaggle"))
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    return home


def check(result: CompletedProcess[str], name: str, tables: Tables) -> None:
    assert (result.returncode, "Traceback" in result.stderr) == (0, False), result.stderr
    dataset = open_named(name)
    np.testing.assert_array_equal(dataset.images, tables.images)
    np.testing.assert_array_equal(dataset.keypoints, tables.keypoints)
    np.testing.assert_array_equal(dataset.test_images, tables.test_images)
    assert dataset.lookup is not None


def refusal(folder: Path) -> str:
    """What is said when a download into ``folder`` is refused."""
    with pytest.raises(UserError) as caught:
        download_competition(folder)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Good credentials."""
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_the_download_ends_as_a_dataset(kaggle: Kaggle, tables: Tables, tmp_path: Path) -> None:
    result = run_fkd("download", "--name", "k", **GOOD, TMPDIR=str(tmp_path))
    check(result, "k", tables)
    assert "k: 7 rows" in result.stdout
    ((path, asked),) = kaggle.requests
    assert path.endswith("/DownloadDataFiles")
    assert asked["competitionName"] == COMPETITION
    assert not list(tmp_path.glob("fkd-download-*"))


@pytest.mark.parametrize("way", ["token", "file"])
def test_other_credentials_will_do(
    kaggle: Kaggle, stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "token":
        monkeypatch.setenv("KAGGLE_API_TOKEN", "token-of-somebody")
    else:
        saved = json.dumps({"username": USER, "key": KEY})
        (stranger / ".kaggle" / "kaggle.json").write_text(saved)
    out = download_competition(tmp_path / "files")
    assert (out / "training.zip").is_file()
    assert len(kaggle.requests) == 1


def test_the_files_stay_where_they_are_asked_for(
    kaggle: Kaggle, tables: Tables, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "files"
    check(run_fkd("download", "--out", out, **GOOD), "kaggle", tables)
    assert {p.name for p in out.iterdir()} == {
        "training.zip",
        "test.zip",
        "IdLookupTable.csv",
        "SampleSubmission.csv",
    }
    assert "nothing to do" in run_fkd("ingest", "kaggle", out).stdout


@pytest.mark.usefixtures("somebody")
def test_a_folder_in_use_is_left_alone(kaggle: Kaggle, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    # Where its own mark says that a download is complete, the client would delete the folder.
    mark = out / ".complete" / "competitions" / COMPETITION / "bundle.complete"
    mark.parent.mkdir(parents=True)
    mark.touch()
    (out / "thesis.txt").write_text("years of work")
    assert f"{out} is not empty" in refusal(out)
    assert (out / "thesis.txt").read_text() == "years of work"
    assert kaggle.requests == []


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "the credentials are not valid"),
        (403, "rules must be accepted first"),
        (404, "files were not found"),
        (429, "too many requests"),
        (500, "try again later"),
    ],
)
def test_what_kaggle_refuses_is_told_with_what_to_do(
    kaggle: Kaggle, tmp_path: Path, status: int, words: str
) -> None:
    kaggle.status = status
    said = refusal(tmp_path / "files")
    assert f"Kaggle answered {status}" in said
    assert words in said
    assert f"kaggle.com/competitions/{COMPETITION}" in said
    assert list((tmp_path / "files").iterdir()) == []


@pytest.mark.usefixtures("somebody")
def test_wrong_credentials_are_told(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_KEY", "wrong")
    assert "Kaggle answered 401" in refusal(tmp_path / "files")
    assert len(kaggle.requests) == 1


@pytest.mark.usefixtures("somebody")
def test_a_page_instead_of_the_files_is_told(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.archive = b"<html>Sign in to the network of this hotel</html>"
    assert "no archive" in refusal(tmp_path / "files")
    assert list((tmp_path / "files").iterdir()) == []


@pytest.mark.usefixtures("somebody")
def test_after_a_broken_connection_the_same_again_succeeds(
    kaggle: Kaggle, tables: Tables, tmp_path: Path
) -> None:
    out = tmp_path / "files"
    kaggle.cut = 1000
    assert "cannot be reached" in refusal(out)
    assert list(out.iterdir()) == []
    kaggle.cut = 0
    assert download_competition(out) == out
    np.testing.assert_array_equal(ingest("k", out).dataset.images, tables.images)


@pytest.mark.usefixtures("somebody")
def test_without_a_connection_the_network_is_blamed(tmp_path: Path) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("localhost", PORT)) == 0:
            cannot(f"something answers on port {PORT}")
    assert "cannot be reached (ConnectionError)" in refusal(tmp_path / "files")


def test_without_credentials_nothing_is_asked(kaggle: Kaggle, tmp_path: Path) -> None:
    result = run_fkd("download", "--out", tmp_path / "files")
    assert (result.returncode, result.stdout) == (2, "")
    (said,) = result.stderr.splitlines()
    assert said.startswith("fkd: No Kaggle credentials")
    assert "KAGGLE_API_TOKEN" in said
    assert "fkd ingest" in said
    assert kaggle.requests == []
    assert dataset_names() == []
    assert not (tmp_path / "files").exists()


@pytest.mark.parametrize("text", ["{", '{"username": "somebody"}'])
def test_a_damaged_kaggle_json_is_named(stranger: Path, tmp_path: Path, text: str) -> None:
    path = stranger / ".kaggle" / "kaggle.json"
    path.write_text(text)
    said = refusal(tmp_path / "files")
    assert str(path) in said
    assert "kaggle.com/settings" in said


def test_a_bad_name_is_refused_before_anything_is_fetched(kaggle: Kaggle) -> None:
    result = run_fkd("download", "--name", "../k", **GOOD)
    assert result.returncode == 2
    assert "cannot name a dataset" in result.stderr
    assert kaggle.requests == []


def test_without_the_client_its_installation_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    said = refusal(tmp_path / "files")
    assert "pip install '.[kaggle]'" in said
    assert "fkd ingest" in said
