"""Who may talk to the server: a browser that calls it by a name it goes by, from its own page.

Streamlit checks the name for WebSockets only, lets pages of other servers on this machine open
them, and asks a service on the internet for this machine's address before it refuses an origin.
What does not pass this door never gets so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import streamlit as st

from fkd.settings import LOCAL_HOSTS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_REFUSAL = (
    b"Refused: the request names a host that this dashboard does not go by, or comes from a page "
    b"of another site. If a proxy passes it on, name the host in FKD_ALLOWED_HOSTS "
    b"(docs/security.md)."
)


def may_pass(host: str | None, origin: str | None, allowed: Iterable[str]) -> bool:
    """Whether a request for ``host``, sent by a page of ``origin`` (None: by no page of another
    site), is for us, who go by the names ``allowed``."""
    names = tuple(allowed)
    called = _split(f"//{host}") if host else None
    if called is None or not _named(called.hostname, names):
        return False
    if origin is None:
        return True
    page = _split(origin)
    if page is None or page.scheme not in {"http", "https"}:
        return False
    if page.netloc.lower() == called.netloc.lower():
        return True
    # A proxy may put its own name for us, or another port, in the place of what the browser said. A
    # name of this machine is no proof: other servers have it too.
    return _named(page.hostname, [name for name in names if name not in LOCAL_HOSTS])


def _split(url: str) -> SplitResult | None:
    """The parts of a URL that is a host, with a port or without, and nothing else."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    if "@" in parts.netloc or parts.path or parts.query or parts.fragment:
        return None
    return parts


def _named(hostname: str | None, names: Iterable[str]) -> bool:
    if not hostname:
        return False
    called = hostname.rstrip(".")
    return any(
        called.endswith(name[1:]) if name.startswith("*.") else called == name for name in names
    )


class Door:
    """ASGI middleware: answers 403 to whatever may not pass, pages, files and uploads included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        hosts = _header(scope, b"host")
        origins = _header(scope, b"origin")
        if (
            len(hosts) == 1
            and len(origins) <= 1
            and may_pass(hosts[0], next(iter(origins), None), st.get_option("server.allowedHosts"))
        ):
            await self._app(scope, receive, _framed_by_nobody(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: a 403
        else:
            headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(_REFUSAL))]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSAL})


def _header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _framed_by_nobody(send: Send) -> Send:
    """No page of another site shows ours in a frame, to have it clicked unseen."""

    async def sending(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))  # type: ignore[call-overload]
            policy = (b"content-security-policy", b"frame-ancestors 'self'")
            message = {**message, "headers": [*headers, policy]}
        await send(message)

    return sending
