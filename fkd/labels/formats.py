"""The formats that labels go out and come in with, by name, and what each cannot hold. Importing
this imports none of what reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Visibility = Literal["auto", "coco", "binary"]
"""What 1 means in files that say of each point how visible it is: ``coco`` occluded, ``binary``
labelled, and so visible. ``auto`` takes it for the latter where no point of a file has a 2, unless
the file says how it is meant."""

VISIBILITIES: dict[Visibility, str] = {
    "auto": "detect automatically",
    "coco": "0 missing, 1 occluded, 2 visible",
    "binary": "0 missing, above 0 visible",
}
"""The same in words."""


@dataclass(frozen=True)
class Format:
    """A format, in words.

    Attributes:
        name: what it is called on the command line.
        title: what people call it.
        layout: what is written.
        losses: what it cannot hold, a sentence each; empty if it holds every position and state.
        visibility: whether its files say of each point how visible it is, see ``Visibility``.
    """

    name: str
    title: str
    layout: str
    losses: tuple[str, ...]
    visibility: bool = False


_ABSENT = "An absent point comes back as missing."
_NO_TAGS = "Tags of images are left out."
_STATES = "An occluded point comes back as visible, an absent one as missing."

FORMATS = {
    form.name: form
    for form in (
        Format(
            "kaggle",
            "Kaggle CSV",
            "training.csv",
            (
                _STATES,
                "Rows have no numbers: only a dataset of the same images can import them.",
            ),
        ),
        Format("coco", "COCO keypoints", "annotations.json and images/ROW.png", (), True),
        Format(
            "yolo-pose",
            "YOLO-pose",
            "data.yaml, images/train/ROW.png and labels/train/ROW.txt",
            (_ABSENT, "A point outside the image comes back as missing.", _NO_TAGS),
            True,
        ),
        Format(
            "pts",
            "300-W .pts",
            "ROW.pts and ROW.png",
            (_STATES, "Points have no names in the file: it must keep their order.", _NO_TAGS),
        ),
    )
}

NEVER_HELD = (
    "No format holds the history of the labels, the test images or the lookup table.",
    "Images without a face are never imported.",
)
"""What none of them holds."""

LOSSES = {name: form.losses for name, form in FORMATS.items()}
"""What each format cannot hold, by its name."""


def in_words() -> str:
    """All formats, their layouts and losses, as text of several lines."""
    lines = []
    for form in FORMATS.values():
        lines.append(f"{form.name}: {form.title}, {form.layout}.")
        lines += [f"  {loss}" for loss in form.losses or ("Holds every position and state.",)]
    return "\n".join((*lines, *NEVER_HELD))
