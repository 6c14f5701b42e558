"""Dashboards in processes of their own, and requests to them as no library would send them."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kaggle_helper import ROOT


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Dashboard:
    """A server on ``port`` of this machine."""

    port: int
    process: subprocess.Popen[bytes]
    output: Path

    def ask(
        self, path: str, method: str = "GET", body: bytes = b"", **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer; underscores in names of headers are hyphens, a
        header that is None is left out."""
        sent = {"Host": f"localhost:{self.port}", "Connection": "close", **headers}
        if body:
            sent["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{k.replace('_', '-')}: {v}" for k, v in sent.items() if v is not None]
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            answer = b""
            while part := connection.recv(1 << 16):
                answer += part
                if b" 101 " in answer.split(b"\r\n")[0] and b"\r\n\r\n" in answer:
                    break
        head, _, content = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        found = dict(line.split(": ", 1) for line in rest)
        return int(first.split()[1]), {k.lower(): v for k, v in found.items()}, content

    def connect(self, host: str | None = None, origin: str | None = None) -> int:
        """Status of opening a WebSocket: 101 opens it."""
        return self.ask(
            "/_stcore/stream",
            Host=host or f"localhost:{self.port}",
            Origin=origin,
            Connection="Upgrade",
            Upgrade="websocket",
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key=base64.b64encode(os.urandom(16)).decode(),
        )[0]

    @property
    def addresses(self) -> set[str]:
        """What it listens to on its port, as the system says: hexadecimal addresses."""
        listening = set()
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in Path(table).read_text().splitlines()[1:]:
                address, port = line.split()[1].split(":")
                if line.split()[3] == "0A" and int(port, 16) == self.port:
                    listening.add(address)
        return listening

    @property
    def said(self) -> str:
        return self.output.read_text()


LOOPBACK = {"0100007F"}
"""``addresses`` of a server that only this machine reaches."""


@contextmanager
def serving(
    home: Path,
    arguments: Sequence[object] = ("-m", "fkd", "dashboard", "--headless", "--port", "{port}"),
    *,
    source: Path = ROOT,
    folder: Path = ROOT,
    prefix: Sequence[str] = (),
    **environment: str,
) -> Iterator[Dashboard]:
    """The dashboard in ``source``, started in ``folder`` by the command ``prefix``, until the block
    ends."""
    home.mkdir(exist_ok=True, parents=True)
    port, output = free_port(), home.with_name(f"{home.name}-server.log")
    with output.open("wb") as log:
        process = subprocess.Popen(
            [*prefix, sys.executable, *(str(a).format(port=port) for a in arguments)],
            cwd=folder,
            env={
                **os.environ,
                "HOME": str(home),
                "FKD_HOME": str(home),
                "PYTHONPATH": str(source),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    dashboard = Dashboard(port, process, output)
    try:
        for _ in range(600):
            assert process.poll() is None, dashboard.said
            try:
                if dashboard.ask("/_stcore/health")[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        else:
            raise AssertionError(f"the server did not start: {dashboard.said}")
        yield dashboard
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 15)
        process.wait(20)
