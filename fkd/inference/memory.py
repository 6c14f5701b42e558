"""The memory that photos take while they are read, bounded for all who read some at once.

Many sessions of one server may read large photos at the same time. Each takes its share of one
budget before it decodes; what does not fit waits in a queue. Photos that are kept to be predicted
together keep theirs until they are gone.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fkd.errors import UserError

TOTAL_BYTES = 1500 << 20
"""What all photos together may take in this process while they are read and predicted."""
WAIT_S = 300.0
"""Seconds that one waits for its turn at most."""
_LOOK_S = 0.1
_WORTH_TRIMMING = 32 << 20


class Busy(Exception):
    """There is no room now, and who asked keeps what others may wait for."""


@dataclass(frozen=True)
class _Manner:
    """How the code that is running reads photos."""

    tell: Callable[[], None] | None = None
    keeps: bool = False
    waits: bool = True


_PLAIN = _Manner()
_manner: ContextVar[_Manner] = ContextVar("manner", default=_PLAIN)


@contextmanager
def telling(tell: Callable[[], None]) -> Iterator[None]:
    """Within this, ``tell`` is called again and again while a photo has to wait for others; what
    it raises ends the waiting."""
    with _as(replace(_manner.get(), tell=tell)):
        yield


@contextmanager
def keeping(*, waits: bool) -> Iterator[None]:
    """Within this, photos count until they are gone, not only while they are decoded. ``Busy`` is
    raised, unless it ``waits``, where there is no room: who keeps photos and waits for those of
    others that do the same would wait for ever."""
    with _as(replace(_manner.get(), keeps=True, waits=waits)):
        yield


@contextmanager
def _as(manner: _Manner) -> Iterator[None]:
    token = _manner.set(manner)
    try:
        yield
    finally:
        _manner.reset(token)


class _Share:
    """A part of the budget, given back once."""

    def __init__(self, budget: Budget, size: int) -> None:
        self._budget, self.size = budget, size
        self.owner, self.kept = threading.get_ident(), False

    def keep(self, color: NDArray[np.uint8]) -> None:
        """Shrink to what ``color`` and its grey levels take, until it is gone."""
        if _manner.get().keeps:
            self.kept = True
            self._budget.shrink(self, color.nbytes // 3 * 4)
            weakref.finalize(color, self._budget.shrink, self, 0).atexit = False


class Budget:
    """``total`` bytes, given out in the order in which they were asked for."""

    def __init__(self, total: int) -> None:
        self.total = total
        # Shares are given back when arrays go, which may happen anywhere, even inside this lock.
        self._changed = threading.Condition(threading.RLock())
        self._shares: set[_Share] = set()
        self._queue: deque[object] = deque()

    @property
    def used(self) -> int:
        """Bytes that are given out."""
        with self._changed:
            return sum(share.size for share in tuple(self._shares))

    @contextmanager
    def share(self, size: int, title: str) -> Iterator[_Share]:
        """``size`` bytes for reading the photo ``title``, as soon as there are as many; given back
        at the end, but for what is kept.

        Raises:
            UserError: if there are not within ``WAIT_S``.
            Busy: see ``keeping``.
        """
        share = self._take(size, title)
        try:
            yield share
        finally:
            if not share.kept:  # otherwise it goes with its array
                self.shrink(share, 0)
            if size >= _WORTH_TRIMMING:
                _trim()

    def shrink(self, share: _Share, size: int) -> None:
        """Give back all but ``size`` bytes of ``share``."""
        with self._changed:
            share.size = size
            if not size:
                self._shares.discard(share)
            self._changed.notify_all()

    def _take(self, size: int, title: str) -> _Share:
        manner, ticket = _manner.get(), object()
        until = time.monotonic() + WAIT_S
        with self._changed:
            self._queue.append(ticket)
        try:
            while True:
                with self._changed:
                    if self._queue[0] is ticket and self._fits(size):
                        share = _Share(self, size)
                        self._shares.add(share)
                        return share
                    if not manner.waits:
                        raise Busy
                    self._changed.wait(_LOOK_S)
                if manner.tell is not None:
                    manner.tell()
                if time.monotonic() > until:
                    raise UserError(
                        f"{title} was not read: other photos used all the memory for "
                        f"{WAIT_S / 60:.0f} minutes; try again."
                    )
        finally:
            with self._changed:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        # What this thread keeps itself is not freed by its waiting.
        me = threading.get_ident()
        others = sum(share.size for share in tuple(self._shares) if share.owner != me)
        own = sum(share.size for share in tuple(self._shares) if share.owner == me)
        return not others or others + own + size <= self.total


PHOTOS = Budget(TOTAL_BYTES)
"""That of this process."""


def _trim() -> None:
    """Give what is free back to the system: glibc keeps freed blocks of many megabytes, in each
    thread's own heap, once it has seen some."""
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
