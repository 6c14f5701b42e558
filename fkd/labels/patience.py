"""Connections to PostgreSQL that do not wait for ever for a server that has fallen silent."""

from __future__ import annotations

from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

CONNECT_S = 5
"""How long a server has to take a connection, in seconds."""

PING_S = 3
"""How long a connection that lay idle has to show that it is still one."""

SILENCE_S = 8
"""How long a server may say nothing at all while it works on a statement."""

STATEMENT_S = 120
"""How long one statement may take a server that does answer."""

MIGRATION_S = 3600
"""Both of these, where tables are made anew: on millions of changes that takes its time."""

T = TypeVar("T")

NETWORK: dict[str, int] = {
    "connect_timeout": CONNECT_S,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": SILENCE_S * 1000,
}
"""What libpq is told, so that a cable that was pulled is noticed while nothing is sent, too."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is closed, with an ``OperationalError``, once the server has said nothing
    for ``silence_s`` seconds.

    The limits of libpq and of the server do not cover this. To the network a server that is frozen
    looks sound, for its system goes on acknowledging what is sent, and ``statement_timeout`` is
    kept by the very process that is frozen.
    """

    silence_s: float = PING_S

    def wait(self, gen: PQGen[T], *arguments: Any, **options: Any) -> T:
        return super().wait(self._limited(gen), *arguments, **options)

    def _limited(self, gen: PQGen[T]) -> PQGen[T]:
        """``gen``, which is told again and again that there is nothing to read yet."""
        heard = monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard = monotonic()
                elif monotonic() - heard > self.silence_s:
                    # What was asked may still be answered one day, and must not be taken for the
                    # answer to something else.
                    self.close()
                    raise psycopg.OperationalError(f"no answer for {self.silence_s:g} seconds")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result
