"""Real servers: whom they answer, however they are started and whatever lies beside them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kaggle_helper import ROOT
from serving_helper import LOOPBACK, Dashboard, serving

STREAMLIT = ("-m", "streamlit", "run", "{app}", "--server.headless", "true", "--server.port")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_drawn: Path) -> Path:
    """A workspace with a dataset, so that none is drawn first."""
    folder = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(tiny_drawn, folder / "datasets" / "tiny")
    return folder


@pytest.fixture(scope="module")
def dashboard(home: Path) -> Iterator[Dashboard]:
    with serving(home) as started:
        yield started


def assert_closed(dashboard: Dashboard) -> None:
    """It listens to this machine only, answers to its names only, and tells nobody."""
    own, evil = f"localhost:{dashboard.port}", f"evil.test:{dashboard.port}"
    assert dashboard.addresses == LOOPBACK
    assert dashboard.connect() == 101
    assert dashboard.connect(own, f"http://{own}") == 101
    assert dashboard.connect(evil, f"http://{evil}") == 403
    assert dashboard.connect(own, f"http://{evil}") == 403
    assert "usage statistics" not in dashboard.said
    assert "Traceback" not in dashboard.said


@linux
def test_it_listens_to_this_machine_only(dashboard: Dashboard) -> None:
    assert_closed(dashboard)


@pytest.mark.parametrize("host", ["localhost:{}", "127.0.0.1:{}", "[::1]:{}", "LOCALHOST"])
def test_its_own_names_open_a_connection(dashboard: Dashboard, host: str) -> None:
    name = host.format(dashboard.port)
    assert dashboard.connect(name) == 101
    assert dashboard.connect(name, f"http://{name}") == 101


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.test:{}", "http://evil.test:{}"),
        ("evil.test:{}", None),
        ("localhost.evil.test:{}", "http://localhost.evil.test:{}"),
        ("localhost:{}", "http://evil.test"),
        ("localhost:{}", "http://localhost:3000"),
        ("localhost:{}", "null"),
    ],
)
def test_other_names_and_pages_open_none(
    dashboard: Dashboard, host: str, origin: str | None
) -> None:
    port = dashboard.port
    assert dashboard.connect(host.format(port), origin and origin.format(port)) == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/browse"),
        ("GET", "/_stcore/health"),
        ("GET", "/_stcore/host-config"),
        ("GET", "/media/0.png"),
        ("PUT", "/_stcore/upload_file/session/file"),
        ("POST", "/_stcore/upload_file/session/file"),
        ("DELETE", "/_stcore/upload_file/session/file"),
        ("POST", "/_stcore/agent/interact"),
        ("GET", "/component/streamlit_drawable_canvas.st_canvas/index.html"),
        ("OPTIONS", "/_stcore/upload_file/session/file"),
    ],
)
def test_nothing_is_served_under_other_names(dashboard: Dashboard, method: str, path: str) -> None:
    evil = f"evil.test:{dashboard.port}"
    body = b"" if method in {"GET", "OPTIONS"} else b"x" * 1000
    for headers in ({"Host": evil}, {"Origin": f"http://{evil}"}, {"Host": None}):
        status, found, said = dashboard.ask(path, method, body, **headers)
        assert status in {400, 403}, (headers, status)  # a request without a host is malformed
        assert "access-control-allow-origin" not in found
        assert "set-cookie" not in found
        if status == 403:
            assert b"FKD_ALLOWED_HOSTS" in said


def test_two_hosts_in_one_request_are_none(dashboard: Dashboard) -> None:
    assert dashboard.ask("/", HOST="evil.test")[0] in {400, 403}


def test_no_other_site_shows_it_in_a_frame(dashboard: Dashboard) -> None:
    status, headers, _ = dashboard.ask("/")
    assert status == 200
    assert headers["content-security-policy"] == "frame-ancestors 'self'"


def test_an_upload_needs_a_session_and_its_token(dashboard: Dashboard) -> None:
    status, _, _ = dashboard.ask("/_stcore/upload_file/session/file", "PUT", b"x" * 1000)
    assert status in {400, 403}


@linux
@pytest.mark.slow
def test_from_another_folder_with_settings_against_it(home: Path, tmp_path: Path) -> None:
    """Neither the folder, nor the user's own settings, nor the environment open it."""
    settings = '[server]\naddress = "0.0.0.0"\nallowedHosts = ["*"]\nenableCORS = false\n'
    settings += "enableXsrfProtection = false\n[browser]\ngatherUsageStats = true\n"
    for folder in (tmp_path, home):  # where it is started, and the user's own
        (folder / ".streamlit").mkdir()
        (folder / ".streamlit" / "config.toml").write_text(settings)
    try:
        environment = {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0", "STREAMLIT_SERVER_ENABLE_CORS": "0"}
        with serving(home, folder=tmp_path, **environment) as dashboard:
            assert_closed(dashboard)
    finally:
        shutil.rmtree(home / ".streamlit")


def copied(to: Path) -> Path:
    for name in ("dashboard", "fkd", "pages", "pyproject.toml"):
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, to / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, to / name)
    return to


@linux
@pytest.mark.slow
def test_a_checkout_without_its_settings(home: Path, tmp_path: Path) -> None:
    source = copied(tmp_path / "checkout")
    shutil.rmtree(source / "dashboard" / ".streamlit")
    with serving(home, source=source, folder=source) as dashboard:
        assert_closed(dashboard)


def test_nothing_in_the_tree_is_a_link() -> None:
    """A checkout without symbolic links has files in their places."""
    listed = subprocess.run(
        ["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("no checkout")
    assert not [line for line in listed.stdout.splitlines() if line.startswith("120000")]


def build(source: Path, to: Path) -> None:
    """What a wheel of ``source`` unpacks to; a whole wheel would need a newer setuptools, and what
    it fetches from the internet."""
    script = """
import sys, tomllib
from setuptools import Distribution
about = tomllib.load(open("pyproject.toml", "rb"))["tool"]["setuptools"]
names = {"packages": "packages", "package-dir": "package_dir", "package-data": "package_data"}
made = Distribution({name: about[key] for key, name in names.items()})
made.script_name = "setup.py"
command = made.get_command_obj("build_py")
command.build_lib = sys.argv[1]
command.ensure_finalized()
command.run()
"""
    subprocess.run([sys.executable, "-c", script, str(to)], cwd=source, check=True)


@linux
@pytest.mark.slow
def test_the_wheel(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    unpacked = tmp_path / "site"
    build(copied(tmp_path / "build"), unpacked)
    with serving(home, source=unpacked, folder=tmp_path) as dashboard:
        assert_closed(dashboard)


@linux
@pytest.mark.slow
def test_streamlit_run_from_any_folder_is_closed_too(home: Path, tmp_path: Path) -> None:
    """Of other names it opens no connection; without one its pages are empty."""
    app = str(ROOT / "dashboard" / "app.py")
    command = [part.replace("{app}", app) for part in (*STREAMLIT, "{port}")]
    with serving(home, command, folder=tmp_path) as dashboard:
        own, evil = f"localhost:{dashboard.port}", f"evil.test:{dashboard.port}"
        assert dashboard.addresses == LOOPBACK
        assert dashboard.connect(own, f"http://{own}") == 101
        assert dashboard.connect(evil, f"http://{evil}") == 403
        assert dashboard.connect(own, f"http://{evil}") == 403
        assert "usage statistics" not in dashboard.said


@pytest.mark.slow
def test_streamlit_run_gives_pages_of_other_servers_nothing(home: Path) -> None:
    """It opens a connection to whatever this machine serves; the app does not go on with it."""
    app = str(ROOT / "dashboard" / "app.py")
    command = [part.replace("{app}", app) for part in (*STREAMLIT, "{port}")]
    with serving(home, command) as dashboard:
        assert "tiny" in shown(dashboard, f"http://localhost:{dashboard.port}")
        other = shown(dashboard, "http://localhost:3000")
        assert "opened by a page of another site" in other
        assert "tiny" not in other


def shown(dashboard: Dashboard, origin: str) -> str:
    """What the first page is to a page of ``origin`` that talks to the server."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.sync.client import connect
    from websockets.typing import Origin, Subprotocol

    url = f"ws://localhost:{dashboard.port}/_stcore/stream"
    said = []
    with connect(url, origin=Origin(origin), subprotocols=[Subprotocol("streamlit")]) as socket:
        wish = BackMsg()
        wish.rerun_script.query_string = ""
        socket.send(wish.SerializeToString())
        while True:
            message = ForwardMsg.FromString(socket.recv(timeout=60))
            said.append(str(message))
            if message.WhichOneof("type") == "script_finished":
                return "\n".join(said)


@linux
@pytest.mark.slow
def test_a_deployment_behind_a_proxy(home: Path) -> None:
    with serving(home, FKD_ALLOWED_HOSTS="faces.example.com") as dashboard:
        assert dashboard.addresses == LOOPBACK
        public = "https://faces.example.com"
        assert dashboard.connect("faces.example.com", public) == 101
        assert dashboard.connect(None, public) == 101  # a proxy that does not pass the name on
        assert dashboard.connect("evil.test", "https://evil.test") == 403
        assert dashboard.ask("/", Host="faces.example.com", Origin=public)[0] == 200


@linux
@pytest.mark.slow
def test_other_interfaces_where_a_setting_says_so(home: Path) -> None:
    settings = {"FKD_ADDRESS": "0.0.0.0", "FKD_ALLOWED_HOSTS": "faces.example.com"}
    with serving(home, **settings) as dashboard:
        assert dashboard.addresses == {"00000000"}
        assert dashboard.connect("faces.example.com", "http://faces.example.com") == 101
        assert dashboard.connect("192.168.1.20", "http://192.168.1.20") == 403


def test_the_settings_beside_the_app_say_what_the_launcher_says() -> None:
    """``streamlit run`` has only them."""
    import tomllib

    from fkd.cli.app import safe_options
    from fkd.settings import LOCAL_HOSTS

    file = ROOT / "dashboard" / ".streamlit" / "config.toml"
    settings = tomllib.loads(file.read_text())
    assert tuple(settings["server"]["allowedHosts"]) == LOCAL_HOSTS
    options = safe_options()
    for flag, value in zip(options[::2], options[1::2], strict=True):
        section, name = flag.removeprefix("--").split(".")
        if name in settings.get(section, {}) and name != "allowedHosts":
            written = settings[section][name]
            assert re.sub("^(True|False)$", lambda m: m[0].lower(), str(written)) == value
