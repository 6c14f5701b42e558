"""Where things are kept and the limits that hold everywhere."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path

from fkd.errors import UserError

PACKAGE = Path(__file__).resolve().parent

MAX_TABLE_BYTES = 64 << 30
"""Largest table read, unzipped: about two million rows of 96x96 images."""

MAX_EXPANSION = 200
"""Largest ratio of unzipped to zipped bytes; image tables in text reach about 4."""

MAX_UPLOAD_MB = 500
"""Largest upload, as ``server.maxUploadSize`` says too: uploads are held in memory. Larger files
are ingested by path."""


LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
"""The names by which this machine calls itself."""

_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*")


def home() -> Path:
    """Folder of everything the workbench stores (datasets, labels, runs, logs).

    ``FKD_HOME`` where it is set; in a checkout the git-ignored ``workspace/``; for an installed
    package ``~/.fkd``. The folder is not created here.
    """
    if chosen := os.environ.get("FKD_HOME"):
        return Path(chosen).expanduser().resolve()
    root = PACKAGE.parent
    if (root / "pyproject.toml").is_file():
        return root / "workspace"
    return Path.home() / ".fkd"


def max_trainings() -> int:
    """How many trainings may run at a time: ``FKD_TRAININGS``, otherwise one."""
    wanted = os.environ.get("FKD_TRAININGS", "1")
    return max(1, int(wanted)) if wanted.isascii() and wanted.isdigit() else 1


def address() -> str:
    """The address that the dashboard listens to: ``FKD_ADDRESS``, otherwise this machine only.

    Raises:
        UserError: if it is no address.
    """
    given = os.environ.get("FKD_ADDRESS", "").strip().lower()
    if not given:
        return "localhost"
    if (host := _host(given)) is None or host.startswith("*"):
        raise UserError(
            f"FKD_ADDRESS is '{given}', which is no address to listen to; one looks like "
            "192.168.1.20, or 0.0.0.0 for every interface. Ports are chosen with --port."
        )
    return host


def named_hosts() -> tuple[str, ...]:
    """The names in ``FKD_ALLOWED_HOSTS``: those by which browsers call the dashboard from
    elsewhere.

    Raises:
        UserError: if one of them is no name of a host.
    """
    names = []
    for given in os.environ.get("FKD_ALLOWED_HOSTS", "").split(","):
        if not given.strip():
            continue
        if (host := _host(given)) is None:
            raise UserError(
                f"FKD_ALLOWED_HOSTS names '{given.strip()}', which is no name of a host; write "
                "names without scheme, port or path and with commas between them, such as "
                "faces.example.com, *.example.org."
            )
        names.append(host)
    return tuple(dict.fromkeys(names))


def allowed_hosts() -> tuple[str, ...]:
    """Every name that the dashboard answers to: those of this machine, the address that it listens
    to, and ``named_hosts()``.

    Raises:
        UserError: if it would listen to every interface and nobody said by which name it is called.
    """
    listens, named = address(), named_hosts()
    if listens in {"0.0.0.0", "::"}:
        if not named:
            raise UserError(
                f"FKD_ADDRESS={listens} listens to every interface: say in FKD_ALLOWED_HOSTS by "
                "which names browsers call it, such as faces.example.com."
            )
        return tuple(dict.fromkeys((*LOCAL_HOSTS, *named)))
    return tuple(dict.fromkeys((*LOCAL_HOSTS, listens, *named)))


def is_local(host: str) -> bool:
    """Whether only this machine reaches what listens to ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _host(given: str) -> str | None:
    """A name or an address as browsers send it, without the brackets; None if it is neither."""
    name = given.strip().lower().removesuffix(".").removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name if len(name) <= 253 and _HOST.fullmatch(name) else None
