"""Downloading with Kaggle's own client from a server on this machine that stands in for Kaggle."""

from __future__ import annotations

import base64
import errno
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from kaggle_helper import Tables, competition_zip, run_fkd, run_python

from fkd.download import COMPETITION, download_competition
from fkd.errors import UserError
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
        def do_POST(self) -> None:  # noqa: N802
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


def _listen(kaggle: Kaggle) -> ThreadingHTTPServer:
    # The port is fixed, and another run of these tests may have it for a moment.
    for _ in range(100):
        try:
            return ThreadingHTTPServer(("127.0.0.1", PORT), _handler(kaggle))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            time.sleep(0.3)
    return pytest.skip(f"port {PORT} is in use")


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
    home.mkdir()
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN", "KAGGLE_CONFIG_DIR"):
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


def refusal(result: CompletedProcess[str]) -> str:
    """What was said; nothing may be registered."""
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert dataset_names() == []
    last = result.stderr.splitlines()[-1]
    assert last.startswith("fkd: ")
    return last


def test_the_download_ends_as_a_dataset(
    kaggle: Kaggle, tables: Tables, tmp_path: Path
) -> None:
    result = run_fkd("download", "--name", "k", **GOOD, TMPDIR=str(tmp_path))
    check(result, "k", tables)
    assert "k: 7 rows" in result.stdout
    ((path, asked),) = kaggle.requests
    assert path.endswith("/DownloadDataFiles")
    assert asked["competitionName"] == COMPETITION
    assert not list(tmp_path.glob("fkd-download-*"))


def test_an_api_token_will_do(kaggle: Kaggle, tables: Tables) -> None:
    check(run_fkd("download", KAGGLE_API_TOKEN="token-of-somebody"), "kaggle", tables)


def test_a_saved_kaggle_json_will_do(kaggle: Kaggle, tables: Tables, stranger: Path) -> None:
    (stranger / ".kaggle").mkdir()
    (stranger / ".kaggle" / "kaggle.json").write_text(json.dumps({"username": USER, "key": KEY}))
    check(run_fkd("download"), "kaggle", tables)


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


def test_a_folder_in_use_is_left_alone(kaggle: Kaggle, tables: Tables, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    (out / ".complete" / "competitions" / COMPETITION).mkdir(parents=True)
    (out / ".complete" / "competitions" / COMPETITION / "bundle.complete").touch()
    (out / "thesis.txt").write_text("years of work")
    said = refusal(run_fkd("download", "--out", out, **GOOD))
    assert f"{out} is not empty" in said
    assert (out / "thesis.txt").read_text() == "years of work"
    assert kaggle.requests == []


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
    out = tmp_path / "files"
    said = refusal(run_fkd("download", "--out", out, **GOOD))
    assert f"Kaggle answered {status}" in said
    assert words in said
    assert f"kaggle.com/competitions/{COMPETITION}" in said
    assert list(out.iterdir()) == []


def test_wrong_credentials_are_told(kaggle: Kaggle) -> None:
    said = refusal(run_fkd("download", KAGGLE_USERNAME=USER, KAGGLE_KEY="wrong"))
    assert "Kaggle answered 401" in said


def test_a_page_instead_of_the_files_is_told(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.archive = b"<html>Sign in to the network of this hotel</html>"
    out = tmp_path / "files"
    assert "no archive" in refusal(run_fkd("download", "--out", out, **GOOD))
    assert list(out.iterdir()) == []


def test_a_connection_that_breaks_off_is_told(
    kaggle: Kaggle, tables: Tables, tmp_path: Path
) -> None:
    kaggle.cut = 1000
    out = tmp_path / "files"
    assert "cannot be reached" in refusal(run_fkd("download", "--out", out, **GOOD))
    assert list(out.iterdir()) == []
    kaggle.cut = 0
    check(run_fkd("download", "--out", out, **GOOD), "kaggle", tables)


def test_without_a_connection_the_network_is_blamed() -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("localhost", PORT)) == 0:
            pytest.skip(f"something answers on port {PORT}")
    assert "cannot be reached (ConnectionError)" in refusal(run_fkd("download", **GOOD))


def test_without_credentials_nothing_is_asked(kaggle: Kaggle, tmp_path: Path) -> None:
    said = refusal(run_fkd("download", "--out", tmp_path / "files"))
    assert "No Kaggle credentials" in said
    assert "KAGGLE_API_TOKEN" in said
    assert "fkd ingest" in said
    assert kaggle.requests == []
    assert not (tmp_path / "files").exists()


def test_a_damaged_kaggle_json_is_named(kaggle: Kaggle, stranger: Path) -> None:
    (stranger / ".kaggle").mkdir()
    path = stranger / ".kaggle" / "kaggle.json"
    for text in ("{", '{"username": "somebody"}'):
        path.write_text(text)
        said = refusal(run_fkd("download"))
        assert str(path) in said
        assert "kaggle.com/settings" in said


def test_a_bad_name_is_refused_before_anything_is_fetched(kaggle: Kaggle) -> None:
    said = refusal(run_fkd("download", "--name", "../k", **GOOD))
    assert "cannot name a dataset" in said
    assert kaggle.requests == []


def test_without_the_client_its_installation_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(UserError, match=r"pip install '\.\[kaggle\]'.*fkd ingest"):
        download_competition(tmp_path / "files")
    code = "import sys; sys.modules['kagglehub'] = None; import fkd.cli as c\n"
    said = refusal(run_python("-c", f"{code}sys.exit(c.main(['download']))", **GOOD))
    assert "pip install" in said
