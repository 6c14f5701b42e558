"""The verb that opens the dashboard."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fkd.cli.output import progress_bar
from fkd.errors import UserError
from fkd.scratch import read_only
from fkd.settings import MAX_UPLOAD_MB, PACKAGE, address, allowed_hosts, named_hosts

# In a checkout the dashboard lies beside the package; a wheel carries it beside it as well.
_ENTRIES = (
    PACKAGE.parent / "dashboard" / "server.py",
    PACKAGE.parent / "fkd_app" / "dashboard" / "server.py",
)


def add_verbs(verbs: Any) -> None:
    dashboard = verbs.add_parser("dashboard", help="open the dashboard in the browser")
    dashboard.add_argument("--port", type=_port, default=8501, help="port on localhost (8501)")
    dashboard.add_argument("--headless", action="store_true", help="do not open a browser")
    dashboard.set_defaults(run=run_dashboard)


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is no port; ports go from 1 to 65535")
    return number


def entry_point() -> Path:
    """The script that Streamlit runs.

    Raises:
        UserError: if this installation has no dashboard.
    """
    for path in _ENTRIES:
        if path.is_file():
            return path
    raise UserError("This installation has no dashboard; run it from a checkout of the project.")


def safe_options() -> list[str]:
    """What safety needs of Streamlit, as flags: they hold whatever settings lie in the folder that
    it is started from, in the user's own folder or in the environment, and where none lie at all.

    Raises:
        UserError: if ``FKD_ADDRESS`` or ``FKD_ALLOWED_HOSTS`` cannot be meant.
    """
    options = {
        "server.address": address(),
        "server.enableCORS": "true",  # no page of another site opens a connection
        "server.enableXsrfProtection": "true",
        "server.enableStaticServing": "false",
        "server.enableAgentApi": "false",
        "server.maxUploadSize": str(MAX_UPLOAD_MB),
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "global.developmentMode": "false",
        "runner.postScriptGC": "false",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    for host in allowed_hosts():
        flags += ["--server.allowedHosts", host]
    for host in named_hosts():  # a proxy may pass on its own name for the host, not the browser's
        flags += ["--server.corsAllowedOrigins", f"https://{_in_url(host)}"]
    return flags


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def run_dashboard(arguments: argparse.Namespace) -> None:
    from fkd.registry import dataset_names

    script, options = entry_point(), safe_options()
    if not dataset_names() and not read_only():
        _first_dataset()
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.port", str(arguments.port), *options]
    if arguments.headless:
        command += ["--server.headless", "true"]
    if os.name == "posix":  # in its place, so that a signal to this process reaches the server
        os.execv(sys.executable, command)
    try:
        code = subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:  # Ctrl-C reaches Streamlit too, which has closed by itself
        return
    if code:
        raise UserError(f"Streamlit ended with exit code {code}; its message is above.")


def _first_dataset() -> None:
    """With nothing registered, draw the demo so that every page has something to show."""
    from fkd.demo import make_demo
    from fkd.measures import measure

    print("No dataset yet: drawing the demo faces.", file=sys.stderr)
    with progress_bar() as progress:
        dataset, _ = make_demo("demo", progress=progress)
        measure(dataset, progress)
