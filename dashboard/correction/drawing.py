"""What the canvas draws, and what of it was moved: between keypoints and the canvas' own objects.

The canvas gives back a list of circles that may be moved, reordered, removed or doubled. The colour
of a circle, which no other keypoint has, says which keypoint it is; an object outside the canvas
says which drawing it belongs to, so that what still comes in of the face before is not taken for
this one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.labels.states import State

Place = tuple[float, float]

DRAFT = -1
"""Where a mark stands for the state: a prediction that nobody has accepted yet."""

_CLEAR = "rgba(0,0,0,0)"
_REACH = 1.8
"""How far from a dot's centre a click means that dot, in its radii."""

_FAR = -1000
"""px of the canvas, where nobody sees what stands there."""


@dataclass(frozen=True)
class Mark:
    """A circle on the canvas: where a keypoint is, in px of the image, and what it stands for: a
    ``State`` with a position, or ``DRAFT``.

    Everything else that marks a point lies under the canvas: that can change while one is dragged.
    """

    place: Place
    state: int


@dataclass(frozen=True)
class Drawing:
    """Everything on the canvas: ``marks`` by keypoint, at ``scale`` px of the canvas for each of
    the image's, with a dot's ``radius`` in px of the canvas, as drawing number ``serial``."""

    schema: KeypointSchema
    marks: Mapping[int, Mark]
    scale: float
    radius: float
    serial: int

    def to_json(self) -> dict[str, Any]:
        """As the canvas takes it."""
        return {"objects": [self._tag(), *(self._circle(k, m) for k, m in self.marks.items())]}

    def at(self, place: Place) -> int | None:
        """The keypoint whose circle is at ``place`` (px of the image), the nearest if several."""
        reach = _REACH * self.radius / self.scale
        found = [(math.dist(m.place, place), k) for k, m in self.marks.items()]
        return min(((d, k) for d, k in found if d <= reach), default=(0.0, None))[1]

    def shows(self, k: int, place: Place) -> bool:
        """Whether the circle of keypoint ``k`` is at ``place``, as exactly as the canvas is."""
        return k in self.marks and _apart(self.marks[k].place, place) <= _STEADY

    def after(self, moved: Mapping[int, Place]) -> Drawing:
        """This drawing once it is on the screen with keypoints where they were ``moved``."""
        there = {k: replace(m, place=moved.get(k, m.place)) for k, m in self.marks.items()}
        return replace(self, marks=there)

    def moved(self, raw: Any) -> dict[int, Place] | None:
        """Where keypoints are on the canvas that sends ``raw``, as far as that is elsewhere than
        in this drawing; a keypoint that was added is among them. None where ``raw`` is no state of
        this drawing."""
        objects = _objects(raw)
        if objects is None or not any(self._is_tag(o) for o in objects):
            return None
        return {k: place for k, place in self._places(objects).items() if not self.shows(k, place)}

    def removed(self, raw: Any) -> list[int]:
        """Keypoints of this drawing that ``raw``, one of its states, does not have any more."""
        objects = _objects(raw)
        if objects is None or not any(self._is_tag(o) for o in objects):
            return []
        there = self._places(objects)
        return [k for k in self.marks if k not in there]

    def _places(self, objects: list[dict[str, Any]]) -> dict[int, Place]:
        """Where each keypoint's circle is, in px of the image; of two, the one put there last."""
        found = {}
        for thing in objects:
            k = self._keypoint(thing)
            centre = _centre(thing)
            if k is not None and centre is not None:
                found[k] = (centre[0] / self.scale - 0.5, centre[1] / self.scale - 0.5)
        return found

    def _keypoint(self, thing: Mapping[str, Any]) -> int | None:
        colors = {keypoint.color: k for k, keypoint in enumerate(self.schema.keypoints)}
        for key in ("fill", "stroke"):
            k = colors.get(str(thing.get(key))[:7].lower())
            if k is not None:
                return k
        return None

    def _circle(self, k: int, mark: Mark) -> dict[str, Any]:
        color = self.schema.keypoints[k].color
        x, y = ((v + 0.5) * self.scale for v in mark.place)
        draft = mark.state == DRAFT
        occluded = mark.state == State.OCCLUDED
        style: dict[str, Any] = {
            "fill": _CLEAR if draft else color + ("80" if occluded else ""),
            "stroke": color if draft else "#ffffff",
            "strokeWidth": self.radius * (0.45 if draft else 0.3),
            "strokeDashArray": [self.radius * 0.6, self.radius * 0.45] if draft else None,
        }
        return {
            "type": "Circle",
            "left": x,
            "top": y,
            "originX": "center",
            "originY": "center",
            "radius": self.radius * (1.35 if draft else 1.0),
            **style,
            # A point has a place, no size and no turn; and it is easier hit than seen.
            "hasControls": False,
            "hasBorders": False,
            "padding": self.radius,
            "lockRotation": True,
            "lockScalingX": True,
            "lockScalingY": True,
        }

    def _tag(self) -> dict[str, Any]:
        return {
            "type": "Circle",
            "left": _FAR,
            "top": _FAR,
            "radius": 1,
            "fill": self._tag_color,
            "stroke": None,
            "selectable": False,
            "evented": False,
        }

    @property
    def _tag_color(self) -> str:
        return f"rgb({self.serial >> 16 & 255},{self.serial >> 8 & 255},{self.serial & 255})"

    def _is_tag(self, thing: Mapping[str, Any]) -> bool:
        return thing.get("fill") == self._tag_color


_STEADY = 0.02
"""px of the image that a point does not count as moved by: the canvas rounds."""


def _apart(a: Place, b: Place) -> float:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1]))


def _objects(raw: Any) -> list[dict[str, Any]] | None:
    objects = raw.get("objects") if isinstance(raw, Mapping) else None
    if not isinstance(objects, list):
        return None
    return [thing for thing in objects if isinstance(thing, dict)]


def _centre(thing: Mapping[str, Any]) -> Place | None:
    """The centre of a circle in px of the canvas, wherever its origin is and however it was
    scaled; None for what is no circle or stands nowhere."""
    try:
        left, top, radius = (float(thing[key]) for key in ("left", "top", "radius"))
        width = float(thing.get("strokeWidth") or 0)
        half_x = (radius + width / 2) * float(thing.get("scaleX", 1))
        half_y = (radius + width / 2) * float(thing.get("scaleY", 1))
    except (KeyError, TypeError, ValueError):
        return None
    shift = {"left": 1, "top": 1, "center": 0, "right": -1, "bottom": -1}
    x = left + half_x * shift.get(str(thing.get("originX")), 1)
    y = top + half_y * shift.get(str(thing.get("originY")), 1)
    return (x, y) if np.isfinite([x, y]).all() else None


def adjusted(image: NDArray[np.uint8], brightness: float, contrast: float) -> NDArray[np.uint8]:
    """``image`` ``(H, W)`` brighter by ``brightness`` grey levels, its contrast about its own mean
    multiplied by ``contrast``."""
    values = np.asarray(image, np.float32)
    mean = values.mean()
    changed = (values - mean) * contrast + mean + brightness
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)
