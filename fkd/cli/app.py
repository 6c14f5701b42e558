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
from fkd.settings import PACKAGE

# In a checkout the dashboard lies beside the package; a wheel carries it beside it as well.
_ENTRIES = (
    PACKAGE.parent / "dashboard" / "app.py",
    PACKAGE.parent / "fkd_app" / "dashboard" / "app.py",
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


def run_dashboard(arguments: argparse.Namespace) -> None:
    from fkd.registry import dataset_names

    script = entry_point()
    if not dataset_names():
        _first_dataset()
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.port", str(arguments.port)]
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
