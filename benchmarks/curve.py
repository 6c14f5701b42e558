"""Curves as a small SVG: Plotly writes pictures only with a browser beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

_COLORS = ("#2f7d6d", "#d9772b")
_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 40, 50

Curve = tuple[str, Sequence[float], NDArray[np.float64]]


def write_curves(path: Path, curves: Sequence[Curve], x_title: str, y_title: str) -> None:
    """Draw ``curves`` into ``path``: for each its name, ``(n,)`` places along x and ``(m, n)``
    values, of which the mean is drawn strongly and each of the ``m`` series faintly."""
    xs = np.concatenate([np.asarray(x, np.float64) for _, x, _ in curves])
    ys = np.concatenate([y.ravel() for _, _, y in curves])
    x_ticks, y_ticks = _ticks(xs.min(), xs.max()), _ticks(ys.min(), ys.max())
    x_low, x_high = min(x_ticks[0], xs.min()), max(x_ticks[-1], xs.max())
    y_low, y_high = y_ticks[0], y_ticks[-1]

    def across(x: float) -> float:
        return _LEFT + (x - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)

    def down(y: float) -> float:
        return _TOP + (y_high - y) / (y_high - y_low) * (_HEIGHT - _TOP - _BOTTOM)

    def line(x: Sequence[float], y: NDArray[np.float64], style: str) -> str:
        points = " ".join(f"{across(a):.1f},{down(b):.1f}" for a, b in zip(x, y, strict=True))
        return f'<polyline points="{points}" fill="none" {style}/>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13" fill="#333">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
    ]
    for y in y_ticks:
        at = f"{down(y):.1f}"
        parts += [
            f'<path d="M{_LEFT} {at}H{_WIDTH - _RIGHT}" stroke="#ddd"/>',
            _text(_LEFT - 8, down(y) + 4, f"{y:g}", "end"),
        ]
    for x in x_ticks:
        parts.append(_text(across(x), _HEIGHT - _BOTTOM + 18, f"{x:g}", "middle"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, x_title, "middle"))
    parts.append(_text(_LEFT - 40, _TOP - 20, y_title, "start"))
    for number, (name, x, y) in enumerate(curves):
        color = _COLORS[number % len(_COLORS)]
        parts += [line(x, one, f'stroke="{color}" stroke-opacity="0.3"') for one in y]
        mean = y.mean(axis=0)
        parts.append(line(x, mean, f'stroke="{color}" stroke-width="3"'))
        parts += [
            f'<circle cx="{across(a):.1f}" cy="{down(b):.1f}" r="4" fill="{color}"/>'
            for a, b in zip(x, mean, strict=True)
        ]
        legend = _TOP + 10 + 20 * number
        parts.append(f'<path d="M{_WIDTH - 170} {legend}h24" stroke="{color}" stroke-width="3"/>')
        parts.append(_text(_WIDTH - 140, legend + 4, name, "start"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>", ""]))


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from at most ``low`` to at least ``high``, four to nine of them."""
    span = max(high - low, 1e-9)
    step = 10.0 ** np.floor(np.log10(span / 4))
    step *= next(m for m in (1, 2, 2.5, 5, 10) if span / (m * step) <= 7)
    first, last = np.floor(low / step), np.ceil(high / step)
    return [round(float(i * step), 10) for i in np.arange(first, last + 1)]
