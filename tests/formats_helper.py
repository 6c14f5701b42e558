"""What the tests of the readers share: a schema of two points, tables in memory, spoilt bytes."""

from __future__ import annotations

import io

from hypothesis import strategies as st

from fkd.formats.report import Report
from fkd.formats.source import TableSource
from fkd.keypoints import Keypoint, KeypointSchema

TINY = KeypointSchema(
    name="tiny",
    keypoints=(Keypoint("eye", "eyes", "left", "#000001"), Keypoint("nose", "n", "middle", "#02")),
    mirror_pairs=(),
    edges=(),
    image_size=(2, 3),
)


def source(text: str | bytes, name: str = "training.csv") -> TableSource:
    """A table that is read from memory under the file name ``name``."""
    data = text.encode() if isinstance(text, str) else text
    return TableSource(io.BytesIO(data), len(data), name)


def told(report: Report) -> list[tuple[int | None, str | None, str]]:
    """The listed problems as (row, column, reason)."""
    return [(p.row, p.column, p.reason) for p in report.problems]


def mutated(valid: bytes, most: int = 8) -> st.SearchStrategy[bytes]:
    """``valid`` with up to ``most`` bytes changed, sometimes cut short."""

    def spoil(changes: list[tuple[int, int]], end: int) -> bytes:
        data = bytearray(valid)
        for position, value in changes:
            data[position] = value
        return bytes(data[:end])

    change = st.tuples(st.integers(0, len(valid) - 1), st.integers(0, 255))
    whole = st.just(len(valid))
    return st.builds(spoil, st.lists(change, max_size=most), whole | st.integers(0, len(valid)))
