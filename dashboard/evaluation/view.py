"""What the Evaluate page shows, as it stands in the link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from dashboard.links import Parameters, bound
from fkd.evaluation.parts import ALL, VALIDATION
from fkd.labels.at import LATEST, ORIGINAL

SECTIONS = {
    "numbers": "Numbers",
    "gain": "Gain",
    "faces": "Faces",
    "expected": "Expected errors",
}
WHICH = {"worst": "Worst", "median": "Median", "best": "Best"}
FIRST, SECOND, APART = "first", "second", "apart"
_BY = (FIRST, SECOND, APART)
GAINED = {"fell": "Error fell most", "rose": "Error rose most", "corrected": "Most corrected"}

_KEYS = ("model", "with", "rows", "labels", "section", "faces", "by", "gain", "page")
_PARAMETERS = Parameters("evaluate", _KEYS)


@dataclass(frozen=True)
class View:
    """Everything that a link to Evaluate fixes, apart from the dataset.

    Attributes:
        model: name of the model; empty for the one that suggests itself.
        other: name of the model to compare it with; empty for none.
        split: ``VALIDATION`` or ``ALL``; where there is no validation part, all images it is.
        labels: which state of the labels is the truth: ``LATEST``, ``ORIGINAL`` or its number.
        section: key of ``SECTIONS``.
        which: key of ``WHICH``: faces to look at.
        by: of two models, whose error decides which these are, or how far the two are apart.
        gained: key of ``GAINED``: faces to look at beside a gain.
        page: page of faces, from 1.
    """

    model: str = ""
    other: str = ""
    split: str = VALIDATION
    labels: str = LATEST
    section: str = "numbers"
    which: str = "worst"
    by: str = FIRST
    gained: str = "fell"
    page: int = 1

    def to_query(self) -> dict[str, str]:
        """As query parameters, defaults left out; the model always stands there."""
        default = View()
        query = {
            "model": self.model,
            "with": self.other,
            "rows": self.split if self.split != default.split else "",
            "labels": self.labels if self.labels != default.labels else "",
            "section": self.section if self.section != default.section else "",
            "faces": self.which if self.which != default.which else "",
            "by": self.by if self.by != default.by else "",
            "gain": self.gained if self.gained != default.gained else "",
            "page": str(self.page) if self.page != default.page else "",
        }
        return {key: value for key, value in query.items() if value}

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read a link; what makes no sense falls back to the default."""
        default = cls()

        def number(key: str) -> str:
            text = query.get(key, "")
            return text if text.isascii() and text.isdigit() and len(text) < 9 else ""

        def word(key: str, known: Any, otherwise: str) -> str:
            return query[key] if query.get(key) in known else otherwise

        return cls(
            model=query.get("model", "")[:64],
            other=query.get("with", "")[:64],
            split=word("rows", (ALL, VALIDATION), default.split),
            labels=number("labels") or word("labels", (LATEST, ORIGINAL), default.labels),
            section=word("section", SECTIONS, default.section),
            which=word("faces", WHICH, default.which),
            by=word("by", _BY, default.by),
            gained=word("gain", GAINED, default.gained),
            page=max(1, int(number("page") or 1)),
        )


def enter() -> View:
    """The view to show now."""
    return View.from_query(_PARAMETERS.asked())


def write(view: View) -> None:
    """Put ``view`` into the address bar."""
    _PARAMETERS.write(view.to_query())


def linked(shown: View, attribute: str, **others: Any) -> dict[str, Any]:
    """Arguments that bind a widget to ``attribute`` of the view; a change of it gives ``others``
    their values too."""
    return bound(
        f"e-{attribute}",
        getattr(shown, attribute),
        lambda value: write(replace(shown, **others, **{attribute: value})),
    )
