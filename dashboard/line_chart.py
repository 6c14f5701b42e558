"""A line chart for data that grows: updates neither flicker nor lose what was zoomed to.

Streamlit's own charts (Plotly, Vega, ECharts) begin anew whenever their data change; this one is
for what is watched live.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from streamlit.components.v2 import component

_HERE = Path(__file__).parent
_chart = component(
    "fkd_line_chart",
    html='<figure class="chart"><div class="legend"></div>'
    '<div class="area"><div class="plot"></div>'
    '<div class="band" hidden></div><div class="tip" hidden></div></div>'
    '<button class="reset" type="button" hidden>Reset zoom</button></figure>',
    css=(_HERE / "line_chart.css").read_text(),
    js=(_HERE / "line_chart.js").read_text(),
)

Kind = Literal["solid", "dashed", "between", "pale", "best"]


@dataclass(frozen=True)
class Line:
    """One line: ``x`` and ``y`` ``(n,)``, gaps where ``y`` is not finite. The pointer names the
    solid and dashed ones; the others are thin, and a pale one says nothing that no other does."""

    x: ArrayLike
    y: ArrayLike
    color: str
    name: str
    kind: Kind = "solid"


@dataclass(frozen=True)
class Mark:
    """A place on a line, with its words beside it."""

    x: float
    y: float
    color: str
    text: str


@dataclass(frozen=True)
class Entry:
    """What a colour or a kind of line stands for. Without a colour it is the text's."""

    text: str
    kind: Kind = "solid"
    color: str = ""


def line_chart(
    lines: Sequence[Line],
    key: str,
    *,
    marks: Sequence[Mark] = (),
    legend: Sequence[Entry] = (),
    x_title: str,
    unit: str = "",
    log: bool = False,
    height: int = 300,
    summary: str,
) -> None:
    """Draw ``lines``. A drag zooms, a double click shows everything again. The pointer tells the
    values of all lines at the place on the x axis that is nearest to it.

    Args:
        unit: after the values that the pointer shows, as `` px``.
        log: a logarithmic y axis, on which only what is above 0 is drawn.
        height: of the plot, in CSS px.
        summary: what the chart shows, for those who cannot see it.
    """
    _chart(
        key=key,
        data={
            "lines": [
                {
                    "x": np.asarray(line.x, float).tolist(),
                    "y": _with_gaps(line.y),
                    "color": line.color,
                    "name": line.name,
                    "kind": line.kind,
                }
                for line in lines
            ],
            "marks": [asdict(mark) for mark in marks],
            "legend": [asdict(entry) for entry in legend],
            "x_title": x_title,
            "unit": unit,
            "log": log,
            "height": height,
            "summary": summary,
        },
    )


def _with_gaps(values: ArrayLike) -> list[float | None]:
    """Plain numbers, None for what is not finite: JSON knows no NaN."""
    numbers = np.asarray(values, float)
    return [v if ok else None for v, ok in zip(numbers.tolist(), np.isfinite(numbers), strict=True)]
