"""What lies under the circles of the canvas: the enlarged face, and everything on it that cannot be
dragged. One SVG picture, so that lines and letters are crisp at any size."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from dashboard.names import name_places
from dashboard.words import short_label
from fkd.keypoints import KeypointSchema

Points = NDArray[np.floating]


def backdrop(
    picture: str,
    schema: KeypointSchema,
    scale: float,
    *,
    points: Points,
    names: bool = False,
    edges: bool = False,
    predicted: Points | None = None,
    original: Points | None = None,
    corrected: Sequence[int] = (),
    drafts: Sequence[tuple[float, float]] = (),
    active: Points | None = None,
    radius: float = 6.0,
) -> str:
    """The SVG as a data URL.

    Args:
        picture: data URL of the face.
        scale: px of the canvas for each px of the image.
        points: ``(K, 2)`` px of the image, where labels are; names and edges go by them.
        predicted: where a model sees the points, drawn as rings with a line from the label.
        original: where the points were before they were corrected, drawn as small crosses.
        corrected: keypoints that get a halo.
        drafts: places of drafts, which get a light ground: they are drawn in dashes.
        active: ``(2,)`` px of the image, the place that is marked as being worked on.
        radius: of a dot, in px of the canvas.
    """
    width, height = schema.width * scale, schema.height * scale
    parts = [f'<image href="{escape(picture)}" width="{width:g}" height="{height:g}"/>']
    at, guess, before = (
        None if p is None else (np.asarray(p, np.float64) + 0.5) * scale
        for p in (points, predicted, original)
    )
    assert at is not None
    if edges:
        parts += [
            _line(at[a], at[b], schema.keypoints[a].color, 0.35 * radius)
            for a, b in schema.edges
            if np.isfinite(at[[a, b]]).all()
        ]
    for k, keypoint in enumerate(schema.keypoints):
        if guess is not None and np.isfinite(guess[k]).all() and np.isfinite(at[k]).all():
            parts.append(_line(at[k], guess[k], "#ffffff", 0.6 * radius))
            parts.append(_line(at[k], guess[k], keypoint.color, 0.3 * radius))
            parts.append(_ring(guess[k], "#ffffff", 1.35 * radius, 0.75 * radius))
            parts.append(_ring(guess[k], keypoint.color, 1.35 * radius, 0.4 * radius))
        if before is not None and np.isfinite(before[k]).all():
            parts += _cross(before[k], keypoint.color, radius)
    parts += [
        f'<circle cx="{at[k][0]:.1f}" cy="{at[k][1]:.1f}" r="{1.9 * radius:.1f}" fill="#fff" '
        'opacity=".6"/>'
        for k in corrected
        if np.isfinite(at[k]).all()
    ]
    parts += [
        _ring((np.asarray(place) + 0.5) * scale, "#ffffffb0", 1.35 * radius, 0.8 * radius)
        for place in drafts
    ]
    if active is not None:
        x, y = (np.asarray(active, np.float64) + 0.5) * scale
        parts.append(_ring(np.array([x, y]), "#ffe066", 2.3 * radius, 0.5 * radius))
    if names:
        parts += _names(points, schema, scale, radius)
    return _url(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}">{"".join(parts)}</svg>'
    )


def reference_face(
    schema: KeypointSchema, mean: Points, target: int | None, placed: Sequence[int] = ()
) -> str:
    """A small drawn face with the points where they usually are, ``target`` marked and those
    ``placed`` filled, as a data URL. ``mean`` is ``(K, 2)`` px, NaN for one that is not known."""
    parts = [f'<rect width="{schema.width}" height="{schema.height}" rx="6" fill="#8884"/>']
    known = np.isfinite(mean).all(axis=1)
    parts += [
        _line(mean[a], mean[b], schema.keypoints[a].color, 0.8)
        for a, b in schema.edges
        if known[a] and known[b]
    ]
    for k in np.flatnonzero(known):
        x, y = mean[k]
        color = schema.keypoints[k].color
        if k == target:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="#ffe066" opacity=".75"/>')
        fill = color if k in placed or k == target else "none"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3.4 if k == target else 2.2}" fill="{fill}" '
            f'stroke="{color}" stroke-width="1"/>'
        )
    return _url(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * schema.width}" '
        f'height="{2 * schema.height}" viewBox="0 0 {schema.width} {schema.height}">'
        f"{''.join(parts)}</svg>"
    )


def _url(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _line(a: Points, b: Points, color: str, width: float) -> str:
    return (
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" '
        f'stroke="{color}" stroke-width="{width:.2f}" stroke-linecap="round"/>'
    )


def _ring(at: Points, color: str, radius: float, width: float) -> str:
    return (
        f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:.1f}" fill="none" '
        f'stroke="{color}" stroke-width="{width:.2f}"/>'
    )


def _cross(at: Points, color: str, radius: float) -> list[str]:
    arms = [np.array(arm) * 0.8 * radius for arm in ((1, 1), (1, -1))]
    return [
        _line(at - arm, at + arm, paint, width * radius)
        for paint, width in (("#ffffff", 0.6), (color, 0.3))
        for arm in arms
    ]


def _names(points: Points, schema: KeypointSchema, scale: float, radius: float) -> list[str]:
    font = 13 / scale
    parts = []
    places = name_places(points, schema, 1.2 * radius / scale, font)
    for name, keypoint in zip(places, schema.keypoints, strict=True):
        if name is not None:
            parts.append(
                f'<text x="{(name.x + 0.5) * scale:.1f}" y="{(name.y + 0.5) * scale:.1f}" '
                f'text-anchor="{name.anchor}" font-family="sans-serif" font-size="13" '
                'font-weight="600" fill="white" stroke="black" stroke-opacity=".75" '
                f'stroke-width="3" paint-order="stroke">{escape(short_label(keypoint.label))}'
                "</text>"
            )
    return parts
