"""What can be dragged on the canvas, and what of it was moved: between keypoints and the canvas'
own objects.

The canvas gives back a list of circles that may be moved, reordered, removed or doubled. The colour
of a circle, which no other keypoint has, says which keypoint it is; an object outside the canvas
says which drawing it belongs to, so that what still comes in of the face before is not taken for
this one. Nobody sees the circles: canvas_marks.js draws a mark wherever one is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema

Place = tuple[float, float]

DRAFT = -1
"""Stands for the state of a suggested point: a prediction that nobody has accepted yet."""

_GRIP = 6.0
"""Radius of a circle in px of the canvas, and how far around it one may take hold of it."""

_CANVAS_PX = 768
"""About how many px the longer side of the canvas has; on the screen it is as large as fits."""

_FAR = -1000
"""px of the canvas, where nobody sees what stands there."""


@dataclass(frozen=True)
class Mark:
    """Where a keypoint is, in px of the image, and what is there: a ``State`` with a position, or
    ``DRAFT``."""

    place: Place
    state: int


def canvas_scale(schema: KeypointSchema) -> int:
    """px of the canvas for each px of an image of ``schema``."""
    return max(1, round(_CANVAS_PX / max(schema.width, schema.height)))


@dataclass(frozen=True)
class Drawing:
    """What can be dragged on the canvas: ``places`` of keypoints in px of the image, as drawing
    number ``serial``."""

    schema: KeypointSchema
    places: Mapping[int, Place]
    serial: int

    @property
    def scale(self) -> int:
        """px of the canvas for each of the image's."""
        return canvas_scale(self.schema)

    def to_json(self) -> dict[str, Any]:
        """As the canvas takes it."""
        return {"objects": [self._tag(), *(self._circle(k, p) for k, p in self.places.items())]}

    def shows(self, k: int, place: Place) -> bool:
        """Whether the circle of keypoint ``k`` is at ``place``, as exactly as the canvas is."""
        return k in self.places and _apart(self.places[k], place) <= _STEADY

    def after(self, moved: Mapping[int, Place]) -> Drawing:
        """This drawing once it is on the screen with keypoints where they were ``moved``."""
        return replace(self, places={k: moved.get(k, p) for k, p in self.places.items()})

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
        return [k for k in self.places if k not in there]

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
        return colors.get(str(thing.get("fill")).lower())

    def _circle(self, k: int, place: Place) -> dict[str, Any]:
        x, y = ((v + 0.5) * self.scale for v in place)
        return {
            "type": "Circle",
            "left": x,
            "top": y,
            "originX": "center",
            "originY": "center",
            "radius": _GRIP,
            "fill": self.schema.keypoints[k].color,
            "stroke": None,
            "strokeWidth": 0,
            # Drawn anew each time, never from a copy: canvas_marks.js sees where.
            "objectCaching": False,
            # A point has a place, no size and no turn; and it is easier hit than seen.
            "hasControls": False,
            "hasBorders": False,
            "padding": _GRIP,
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
