"""What images can be filtered and sorted by: one value per image, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from fkd.measures import Measures
from fkd.statistics.thresholds import OUTLIER_SCORE

if TYPE_CHECKING:
    from fkd.evaluation.images import Predicted

Part = Literal["training", "test"]
ROW = "row"
"""The sort key that leaves the images in the order of the source file."""

ERROR = "error"
"""The quantity that a model's predictions give: the mean distance from the labelled points."""


class Column:
    """A property of images, read off their measures or off what a model says of them; ``measured``
    where it is not known before the images have been measured."""

    measured: bool
    training: Callable[[Measures], NDArray[Any]] | None
    test: Callable[[Measures], NDArray[Any]] | None
    model: Callable[[Predicted], NDArray[Any]] | None

    def of(self, part: Part) -> Callable[[Measures], NDArray[Any]] | None:
        """What reads it off the measures of ``part``; None where it does not stand in them."""
        return self.training if part == "training" else self.test

    def known(self, part: Part, model: str) -> bool:
        """Whether images of ``part`` have it; what a model says, only where one is named."""
        return bool(self.of(part) or (self.model and model and part == "training"))

    def read(
        self, part: Part, measures: Measures, predicted: Predicted | None
    ) -> NDArray[Any] | None:
        """One value per image of ``part``; None where it is not known."""
        if reader := self.of(part):
            return reader(measures)
        return self.model(predicted) if self.model and predicted and part == "training" else None


@dataclass(frozen=True)
class Flag(Column):
    """A yes-or-no property of images: what it is called, which ``kind`` of question it answers and
    how it is read off. Of one kind, an image has to have any that is asked for."""

    label: str
    kind: str
    training: Callable[[Measures], NDArray[np.bool_]] | None = None
    test: Callable[[Measures], NDArray[np.bool_]] | None = None
    model: Callable[[Predicted], NDArray[np.bool_]] | None = None
    measured: bool = False

    def words(self, measures: Measures | None) -> str:
        """The label; of a label source, with the points that its images have."""
        if measures is None or self.kind != "source":
            return self.label
        of_source = measures.n_present[np.asarray(self.read("training", measures, None))]
        if not len(of_source):
            return self.label
        return f"{np.bincount(of_source).argmax()}-point source"


FLAGS = {
    "complete": Flag("complete", "points", lambda m: m.n_present == len(m.present)),
    "incomplete": Flag("has missing points", "points", lambda m: m.n_present < len(m.present)),
    "many": Flag("source of most points", "source", lambda m: m.source == 1),
    "few": Flag("source of few points", "source", lambda m: m.source == 0),
    "outlier": Flag("unusual shape", "doubts", lambda m: m.outlier >= OUTLIER_SCORE, measured=True),
    "swapped": Flag("left and right swapped", "doubts", lambda m: m.swapped, measured=True),
    "outside": Flag("point outside the image", "doubts", lambda m: m.outside),
    "duplicate": Flag(
        "has a duplicate",
        "duplicates",
        lambda m: m.duplicate >= 0,
        lambda m: m.test_duplicate >= 0,
        measured=True,
    ),
    "heldback": Flag("validation split", "split", model=lambda p: p.held_back),
}
"""The flags to filter by; the keys stand in links."""


@dataclass(frozen=True)
class Quantity(Column):
    """A number of each image, to sort by or to bound; ``digits`` after the point are shown."""

    label: str
    digits: int
    training: Callable[[Measures], NDArray[Any]] | None = None
    test: Callable[[Measures], NDArray[Any]] | None = None
    model: Callable[[Predicted], NDArray[Any]] | None = None
    measured: bool = True


QUANTITIES = {
    "missing": Quantity(
        "missing points", 0, lambda m: len(m.present) - m.n_present, measured=False
    ),
    "outlier": Quantity("outlier score", 2, lambda m: m.outlier),
    "brightness": Quantity("brightness", 0, lambda m: m.brightness, lambda m: m.test_brightness),
    "contrast": Quantity("contrast", 1, lambda m: m.contrast, lambda m: m.test_contrast),
    "sharpness": Quantity("sharpness", 2, lambda m: m.sharpness, lambda m: m.test_sharpness),
    ERROR: Quantity("error (px)", 1, model=lambda p: p.error, measured=False),
}
"""The quantities to sort by or to bound; the keys stand in links."""
