"""The lines of YOLO-pose's label files."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.formats.point_names import Order
from fkd.formats.visibility import check_visibility
from fkd.formats.yolo_config import Config
from fkd.keypoints import KeypointSchema
from fkd.labels.formats import Visibility

SURE = 0.5
"""Confidence from which a predicted point is taken for a label, where predictions are wanted."""


def holds_a_label(text: str) -> bool:
    """Whether a line of ``text`` is the class and box of a face at least, in numbers."""
    return any(
        len(words := line.split()) >= 5 and all(map(_is_number, words))
        for line in text.splitlines()
    )


def holds_a_number(text: str) -> bool:
    """Whether a word of ``text`` is a number: it may be a label then, if not a good one."""
    return any(map(_is_number, text.split()))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


class Line(NamedTuple):
    """``values`` ``(K, 3)`` float64 in the schema's order, x and y as shares of the image, and
    visibility; ``where`` they stand, for people."""

    values: NDArray[np.float64]
    where: str


class LineReader:
    """Reads files one by one, each checked as it comes.

    Attributes:
        dims: 2 for x and y of each point, 3 with visibility; before the first line what ``config``
            says.
        assumptions: as of ``Imported``.
    """

    def __init__(self, config: Config, schema: KeypointSchema, visibility: Visibility) -> None:
        self.config, self.schema, self._visibility = config, schema, visibility
        self.dims = config.dims
        self.assumptions: tuple[str, ...] = ()
        self._orders: dict[int, Order] = {}
        self._order_notes: tuple[str, ...] = ()
        self._predicted, self._unsure = False, 0

    @property
    def notes(self) -> tuple[str, ...]:
        """As of ``Imported``."""
        notes = self._order_notes
        if self.config.names is None:
            notes += (
                "The files do not name the keypoints: they were taken to be in the order of "
                f"{self.schema.name}.",
            )
        if not self._predicted:
            return notes
        return (
            *notes,
            f"These are a model's predictions: points with a confidence of {SURE} or more were "
            f"read as visible, {self._unsure:,} below it as missing.",
        )

    def read(self, text: str, name: str) -> Line | None:
        """The line of the file ``name``, whose content is ``text``; None if it has none.

        Raises:
            UserError: if anything in it is not as it should be.
        """
        lines = [(n, line.split()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
        read = [self._line(words, f"{name}, line {number}") for number, words in lines]
        if len(read) > 1:
            raise UserError(
                f"{read[1].where}: the image has a face already; keep one for an image."
            )
        return read[0] if read else None

    def _line(self, words: list[str], where: str) -> Line:
        try:
            fields = np.array([float(word) for word in words])
        except ValueError:
            raise UserError(f"{where}: a field is not a number; correct it.") from None
        dims, sure = self._layout(len(words), where)
        points = fields[5 : 5 + dims * len(self.schema)].reshape(-1, dims)
        if dims == 2:
            points = np.column_stack((points, np.full(len(points), 2.0)))
        labelled = points[:, 2] != 0
        if not (np.isfinite(fields[:5]).all() and np.isfinite(points[labelled]).all()):
            raise UserError(f"{where}: a field is infinite or NaN; a missing point is 0 0 0.")
        kind = fields[0]
        if kind != int(kind) or kind < 0:
            raise UserError(
                f"{where}: its class is {words[0]}, which is not a class number; correct it."
            )
        order = self._order(int(kind), where)
        points = points[order.places]
        self._check_predicted(points, sure, dims, fields, where)
        check_visibility(points[:, 2], self.schema, where)
        if self._predicted and dims == 3:
            unsure = points[:, 2] < SURE
            self._unsure += int(unsure.sum())
            points[unsure] = 0
            points[~unsure, 2] = 2
        return Line(points, where)

    def _layout(self, count: int, where: str) -> tuple[int, bool]:
        """How many numbers a point has, and whether the confidence of the face follows."""
        points = len(self.schema)
        for dims in (3, 2) if self.dims is None else (self.dims,):
            if count - 5 in (dims * points, dims * points + 1):
                self.dims = dims
                return dims, count - 5 > dims * points
        expected = [str(5 + dims * points) for dims in (2, 3) if self.dims in (None, dims)]
        visibility = ", visibility" if self.dims != 2 else ""
        why = f" (kpt_shape in {self.config.files[0]})" if self.config.dims else ""
        raise UserError(
            f"{where}: {count} fields found, {' or '.join(expected)} expected: class, box, and x, "
            f"y{visibility} of each of the {points} points of {self.schema.name}{why}."
        )

    def _order(self, kind: int, where: str) -> Order:
        if kind not in self._orders:
            order = self._orders[kind] = self.config.order(kind, where)
            self._order_notes += order.notes
            self.assumptions += order.assumptions
        return self._orders[kind]

    def _check_predicted(
        self,
        points: NDArray[np.float64],
        sure: bool,
        dims: int,
        fields: NDArray[np.float64],
        where: str,
    ) -> None:
        """Whether a model wrote the line: with confidences in place of visibilities, or one more
        at its end."""
        v = points[:, 2] if dims == 3 else np.zeros(1)
        shares = (v > 0) & (v < 1)
        if sure and not ((v <= 1).all() and 0 <= fields[-1] <= 1):
            raise UserError(
                f"{where}: {len(fields)} fields found, {len(fields) - 1} expected; remove the "
                "extra field."
            )
        if not sure and not (shares.any() and (v <= 1).all()):
            return
        self._predicted = True
        if self._visibility != "binary":
            what = f"visibilities such as {v[shares][0]:g}" if shares.any() else "its last field"
            raise UserError(
                f"{where}: these are a model's predictions, not labels ({what}: a confidence); to "
                f"import points of {SURE} or more as labels, choose visibility 'binary'."
            )
