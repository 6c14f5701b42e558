"""Names and counts in sentences."""

from __future__ import annotations

from collections.abc import Iterable


def listed(names: Iterable[str], most: int | None = None) -> str:
    """``a``, ``a and b``, ``a, b and c``; of more than ``most`` names, how many more there are:
    ``a, b and 1,234 more``. Empty for none."""
    *shown, last = [*names] or [""]
    if most is not None and len(shown) >= most:
        shown, last = [*shown, last][:most], f"{len(shown) + 1 - most:,} more"
    return f"{', '.join(shown)} and {last}" if shown else last


def counted(n: int, one: str, many: str | None = None) -> str:
    """``1 point``, ``1,234 points``; ``many`` where it is not ``one`` with an s."""
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"
