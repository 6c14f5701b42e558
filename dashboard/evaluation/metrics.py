"""The metrics in plain words: what each is called, means, and looks like."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Unit = Literal["px", "%", ""]


@dataclass(frozen=True)
class Metric:
    """An attribute of ``Scores`` for people.

    Attributes:
        key: its name.
        label: how the field calls it.
        unit: what it is shown in; "%" for a fraction.
        lower: lower is better.
        help: what it means, in plain words.
    """

    key: str
    label: str
    unit: Unit
    lower: bool
    help: str

    @property
    def heading(self) -> str:
        """Of its column in a table."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def style(self) -> str:
        """How numbers of that column are written."""
        return "%.2f" if self.unit else "%.3f"

    def number(self, value: float) -> float:
        """``value`` as it stands in that column."""
        return 100 * value if self.unit == "%" else value

    def words(self, value: float) -> str:
        """``value`` as it is shown; a dash for NaN."""
        if math.isnan(value):
            return "–"
        if self.unit == "%":
            value = 100 * value
            return f"{value:.{0 if value in (0, 100) else 2 if value < 9.995 else 1}f} %"
        return f"{value:.2f} px" if self.unit == "px" else f"{value:.3f}"

    def difference(self, value: float, other: float) -> str | None:
        """What ``other`` has more than ``value``, with its sign; None where there is no telling."""
        if math.isnan(value) or math.isnan(other):
            return None
        apart = other - value
        if self.unit == "%":
            return f"{100 * apart:+.2f} % pts"
        return f"{apart:+.2f} px" if self.unit == "px" else f"{apart:+.3f}"


METRICS = (
    Metric(
        "rmse_px",
        "RMSE",
        "px",
        True,
        "Root mean square error: of all labelled coordinates (x and y separately), in pixels of "
        "the image. This is Kaggle's score; a few large errors weigh heavily. Lower is better.",
    ),
    Metric(
        "mae_px",
        "MAE",
        "px",
        True,
        "Mean absolute error of the same coordinates, in pixels of the image. Lower is better.",
    ),
    Metric(
        "nme",
        "NME",
        "%",
        True,
        "Normalized mean error: the mean distance of an image's points from their labels, as a "
        "percentage of the distance between its eye centers; the mean over the images that have "
        "both eye centers labelled. Lower is better.",
    ),
    Metric(
        "auc_08",
        "AUC@0.08",
        "",
        False,
        "Area under the cumulative error curve up to an NME of 8 %, divided by 8 %: 1 if no image "
        "has an error, 0 if all are beyond 8 %. Higher is better.",
    ),
    Metric(
        "fr_10",
        "FR@0.1",
        "%",
        True,
        "Failure rate: the share of images with an NME above 10 %. Lower is better.",
    ),
    Metric(
        "pck_05",
        "PCK@0.05",
        "%",
        False,
        "Percentage of correct keypoints: the share of points within 5 % of the distance between "
        "the eye centers from their label. Higher is better.",
    ),
    Metric(
        "pck_10",
        "PCK@0.1",
        "%",
        False,
        "Percentage of correct keypoints: as PCK@0.05, within 10 % of the distance between the eye "
        "centers. Higher is better.",
    ),
)

KEYPOINT_METRICS = (
    Metric("rmse_px", "RMSE", "px", True, "Root mean square error of the point's coordinates."),
    Metric("mae_px", "MAE", "px", True, "Mean absolute error of the point's coordinates."),
    Metric("mean_error_px", "mean", "px", True, "Mean distance from the label."),
    Metric("median_error_px", "median", "px", True, "Median distance from the label."),
    Metric(
        "pck_10",
        "PCK@0.1",
        "%",
        False,
        "Share of points within 10 % of the distance between the eye centers from their label.",
    ),
)
"""The same of ``KeypointScore``."""
