"""What the dashboard is started with, and who passes its door."""

from __future__ import annotations

import re

import pytest
from kaggle_helper import ROOT

from dashboard.door import may_pass
from fkd.cli import main
from fkd.cli.app import entry_point, safe_options
from fkd.errors import UserError
from fkd.settings import address, allowed_hosts, is_local, named_hosts

OWN = ("localhost", "127.0.0.1", "::1")


def flags() -> dict[str, list[str]]:
    options = safe_options()
    found: dict[str, list[str]] = {}
    for name, value in zip(options[::2], options[1::2], strict=True):
        found.setdefault(name.removeprefix("--"), []).append(value)
    return found


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FKD_ADDRESS", raising=False)
    monkeypatch.delenv("FKD_ALLOWED_HOSTS", raising=False)


def test_what_safety_needs_is_passed_as_flags() -> None:
    found = flags()
    assert found["server.address"] == ["localhost"]
    assert found["server.allowedHosts"] == list(OWN)
    assert found["browser.gatherUsageStats"] == ["false"]
    assert found["client.showErrorDetails"] == ["none"]
    assert found["server.enableCORS"] == found["server.enableXsrfProtection"] == ["true"]
    assert "server.corsAllowedOrigins" not in found
    assert entry_point().name == "server.py"


def test_every_flag_is_one_that_streamlit_has() -> None:
    from streamlit import config

    known = config.get_config_options()
    for name, values in flags().items():
        assert name in known
        assert len(values) == 1 or known[name].multiple


def test_a_deployment_names_its_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FKD_ALLOWED_HOSTS", " Faces.Example.com., *.example.org,, [2001:DB8::1] ")
    assert named_hosts() == ("faces.example.com", "*.example.org", "2001:db8::1")
    assert allowed_hosts() == (*OWN, *named_hosts())
    assert flags()["server.corsAllowedOrigins"][::2] == [
        "https://faces.example.com",
        "https://[2001:db8::1]",
    ]


@pytest.mark.parametrize(
    "names", ["*", "https://faces.example.com", "faces.example.com:443", "a/b", "a b", "-a", "a..b"]
)
def test_what_is_no_name_of_a_host_is_refused(
    names: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FKD_ALLOWED_HOSTS", names)
    assert main(["dashboard", "--headless"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"fkd: FKD_ALLOWED_HOSTS names '{names}'")
    assert said.count("\n") == 1


def test_another_address_is_served_only_where_a_setting_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FKD_ADDRESS", "192.168.1.20")
    assert flags()["server.address"] == ["192.168.1.20"]
    assert allowed_hosts() == (*OWN, "192.168.1.20")
    for every in ("0.0.0.0", "::", "[::]"):
        monkeypatch.setenv("FKD_ADDRESS", every)
        with pytest.raises(UserError, match="by which names browsers call it"):
            safe_options()
    monkeypatch.setenv("FKD_ALLOWED_HOSTS", "faces.example.com")
    assert flags()["server.address"] == ["::"]
    assert allowed_hosts() == (*OWN, "faces.example.com")
    for wrong in ("http://x", "1.2.3.4:80", "*", "unix:///run/x"):
        monkeypatch.setenv("FKD_ADDRESS", wrong)
        with pytest.raises(UserError, match="no address to listen to"):
            address()


def test_what_only_this_machine_reaches() -> None:
    assert all(map(is_local, (*OWN, "127.0.0.53", "Localhost")))
    assert not any(map(is_local, ("0.0.0.0", "::", "", "192.168.1.20", "localhost.example.com")))


@pytest.mark.parametrize(
    ("host", "origin", "passes"),
    [
        ("localhost:8501", None, True),
        ("LOCALHOST.:8501", None, True),
        ("127.0.0.1", "http://127.0.0.1", True),
        ("[::1]:8501", "http://[::1]:8501", True),
        ("localhost:8501", "http://localhost:8501", True),
        ("faces.example.com", "https://faces.example.com", True),
        ("a.example.org", "https://a.example.org:8443", True),
        ("localhost:8501", "https://faces.example.com", True),  # a proxy that names itself
        (None, None, False),
        ("", None, False),
        ("evil.test:8501", "http://evil.test:8501", False),  # DNS rebinding
        ("evil.test:8501", None, False),
        ("localhost.evil.test", None, False),
        ("127.0.0.1.evil.test:8501", None, False),
        ("example.org", None, False),  # only what lies below it
        ("badexample.org", None, False),
        ("localhost@evil.test", None, False),
        ("evil.test#localhost", None, False),
        ("localhost/..", None, False),
        ("localhost:x", None, False),
        ("[::1", None, False),
        ("2130706433", None, False),  # 127.0.0.1 as one number
        ("0.0.0.0:8501", "http://0.0.0.0:8501", False),
        ("localhost:8501", "http://evil.test", False),
        ("localhost:8501", "http://localhost:3000", False),  # another server on this machine
        ("localhost:8501", "http://127.0.0.1:8501", False),
        ("localhost:8501", "null", False),  # a sandboxed frame, a file
        ("localhost:8501", "file://", False),
        ("localhost:8501", "http://localhost:8501@evil.test", False),
        ("faces.example.com", "https://evil.test", False),
    ],
)
def test_who_passes(host: str | None, origin: str | None, passes: bool) -> None:
    assert may_pass(host, origin, (*OWN, "faces.example.com", "*.example.org")) is passes


def test_the_documentation_names_only_what_is_called() -> None:
    """It spoke of a login that nothing calls."""
    sources = "\n".join(p.read_text() for p in (ROOT / "dashboard").rglob("*.py"))
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for name in re.findall(r"\bst\.(\w+)", page.read_text()):
            assert f"st.{name}(" in sources, (page.name, name)
