"""What becomes of labels that were read from files: edits of a dataset's labels, or a dataset of
their own. What an import would do is worked out, and can be shown, before anything is saved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError, printable
from fkd.formats.faces import Imported
from fkd.labels import import_tags
from fkd.labels.at import labels_at
from fkd.labels.exchange import codec
from fkd.labels.formats import FORMATS
from fkd.labels.import_changes import FEW, Changes, changes, differences, oddities, rounding
from fkd.labels.import_rows import rows_in
from fkd.labels.import_tags import NewTags
from fkd.labels.point import Edit, PointLabel
from fkd.labels.queries import IMPORT
from fkd.labels.states import Labels, Origin, State
from fkd.labels.store import LabelStore
from fkd.progress import Progress, silent
from fkd.registry import check_name, dataset_names, locked, staged
from fkd.storage import DatasetWriter, open_dataset
from fkd.words import counted, listed

NOTHING_TO_IMPORT = "The files match the current labels; there is nothing to import."

_BLOCK = 256
_SHOWN = 5


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do.

    Attributes:
        imported: what was read.
        format, source: how, and what it is called.
        placed: points that the files place.
        changes: what becomes of the labels of the dataset; for a new one, None.
        edits: the same, label by label.
        base: the version of the labels that they change.
        reasons: why somebody has to agree before anything is saved, a sentence each; empty where
            nothing speaks against it.
        tags: which images get which tags.
    """

    @property
    def changes_nothing(self) -> bool:
        """Whether the dataset has all that the files say."""
        return not self.edits and not self.tags

    imported: Imported
    format: str
    source: str
    placed: int
    changes: Changes | None
    edits: tuple[Edit, ...]
    base: int
    reasons: tuple[str, ...]
    tags: NewTags = field(default_factory=dict)

    def lines(self) -> list[str]:
        """What was read and what would change, for people, a sentence each; ``reasons`` apart."""
        imported = self.imported
        what = f"{counted(self.placed, 'point')} in {counted(len(imported), 'image')}"
        said = [f"{self.source} ({FORMATS[self.format].title}): {what}."]
        if self.changes is not None and self.edits:
            said.append(f"Compared with the current labels: {self.changes}.")
        if self.tags:
            said.append(import_tags.in_words(self.tags))
        said += imported.notes
        if imported.left_out:
            images = counted(imported.left_out, "image")
            said.append(f"Left out: {images} without a face in the files.")
        return [*said, *unread_note(imported)]


def unread_note(imported: Imported) -> list[str]:
    """That files beside the labels were not read, in a sentence; none where all were."""
    if not imported.unread:
        return []
    return [f"Not read: {listed(map(printable, imported.unread), _SHOWN)}."]


def plan_import(
    imported: Imported,
    dataset: Dataset,
    current: Labels,
    format: str,
    source: str,
    progress: Progress = silent,
) -> ImportPlan:
    """What must be changed in ``current``, the labels of all of ``dataset``, to say what the file
    called ``source`` says.

    What the format cannot hold is not taken for a change: an occluded point stays so where a file
    without states has it in its place.

    Raises:
        UserError: as ``rows_in``.
    """
    rows, note = rows_in(imported, dataset)
    now = current.take(np.searchsorted(current.rows, rows))
    step = rounding(imported.points, imported.schema)
    now = _as_held(now, imported.held(codec(format).held(now)), imported, step)
    placed = _placed(imported)
    imported = _with_unsaid(imported, now, note, step)
    found = changes(now, imported.points, imported.states, step, progress)
    edits = tuple(
        Edit(int(rows[i]), int(k), _label(imported, i, k, source))
        for i, k in np.argwhere(found.different)
    )
    reasons = [*(imported.assumptions if edits else ()), *found.odd]
    if found.explanation:
        reasons.append(found.explanation)
    if found.much:
        changed = found.moved + found.removed + found.restated
        reasons.append(
            f"{changed:,} of the {found.compared:,} labels that these images have would change."
        )
    elif found.removed > FEW:
        reasons.append(f"{found.removed:,} labels would be removed.")
    said = dict(zip(rows.tolist(), imported.tags, strict=False))
    tags = import_tags.new_tags(said, LabelStore(dataset))
    return ImportPlan(
        imported, format, source, placed, found, edits, current.version, tuple(reasons), tags
    )


def _placed(imported: Imported) -> int:
    return int((imported.states >= State.OCCLUDED).sum())


def _as_held(now: Labels, held: Labels, imported: Imported, step: float) -> Labels:
    """The labels ``held`` by the format, those excepted that are ``now`` as the files say: a tool
    may write what an export would not, such as a point outside the image."""
    _, different = differences(now, imported.points, imported.states, step)
    return replace(
        held,
        points=np.where(different[..., None], held.points, now.points),
        states=np.where(different, held.states, now.states).astype(np.uint8),
    )


def _with_unsaid(imported: Imported, now: Labels, note: str, step: float) -> Imported:
    """``imported`` with the labels ``now`` of keypoints that the files do not speak of, and with
    notes on how its rows were found and its positions, rounded to ``step`` px, compared."""
    points, states = imported.points.copy(), imported.states.copy()
    unsaid = list(imported.unsaid)
    points[:, unsaid], states[:, unsaid] = now.points[:, unsaid], now.states[:, unsaid]
    notes = [*imported.notes, *([note] if note else [])]
    if unsaid:
        notes.append("Their labels stay as they are.")
    if step:
        notes.append(
            f"Positions in the files are rounded to {step:.2g} px: labels that differ by no more "
            "stay as they are."
        )
    return replace(imported, points=points, states=states, notes=tuple(notes))


def plan_dataset(name: str, imported: Imported, format: str, source: str) -> ImportPlan:
    """What a new dataset ``name`` of the labels that were read from ``source`` would be.

    Raises:
        UserError: if there are no images with the labels, or ``name`` is taken or no name.
    """
    _check_new(name, imported)
    reasons = (*imported.assumptions, *oddities(imported.points, imported.schema))
    return ImportPlan(imported, format, source, _placed(imported), None, (), 0, reasons)


def _label(imported: Imported, i: int, k: int, source: str) -> PointLabel:
    state = State(int(imported.states[i, k]))
    x, y = imported.points[i, k].tolist() if state.placed else (None, None)
    return PointLabel(state, x, y, Origin.IMPORTED, source)


def save_import(plan: ImportPlan, dataset: Dataset, author: str) -> str:
    """Make the labels of ``dataset`` say what ``plan`` says, as a version by ``author``; what was
    changed, in words, empty for nothing.

    Raises:
        Conflict: if one of the images was changed since the plan was made.
        UserError: as ``LabelStore.save`` does.
    """
    version, store = None, LabelStore(dataset)
    if plan.edits:
        note = f"import of {plan.source} ({FORMATS[plan.format].title})"
        version = store.save(plan.edits, author, base=plan.base, note=note, kind=IMPORT)
    said = []
    if version is not None:
        labels, rows = len(plan.edits), len({edit.row for edit in plan.edits})
        said.append(
            f"{counted(labels, 'label')} of {counted(rows, 'row')} changed, "
            f"now version {version.number} of the labels"
        )
    if tagged := import_tags.save_tags(plan.tags, store, author):
        said.append(f"{counted(tagged, 'image')} tagged")
    return "; ".join(said)


def save_dataset(
    name: str, plan: ImportPlan, author: str, progress: Progress = silent
) -> tuple[Dataset, str]:
    """Register what ``plan`` read as the new dataset ``name``, and its states as a version of its
    labels by ``author``; the dataset, and what was changed, as ``save_import`` says.

    Raises:
        UserError: as ``register_imported`` and ``save_import`` do.
    """
    dataset = register_imported(name, plan.imported, plan.format, plan.source, progress)
    current = labels_at(LabelStore(dataset))
    states = plan_import(plan.imported, dataset, current, plan.format, plan.source, progress)
    return dataset, save_import(states, dataset, author)


def register_imported(
    name: str, imported: Imported, format: str, source: str, progress: Progress = silent
) -> Dataset:
    """Register the faces as a new dataset ``name``; ``source`` is what they were read from. Its
    own labels are the positions: states beside them are edits, see ``plan_import``.

    Raises:
        UserError: if there are no images with the labels, or ``name`` is taken or no name.
    """
    images = _check_new(name, imported)
    with locked(name) as target:
        if target.exists():
            raise UserError(f"Dataset '{name}' exists. Choose another name, or remove it first.")
        with staged(target) as stage, DatasetWriter(stage, name, imported.schema) as writer:
            for start in range(0, len(imported), _BLOCK):
                part = slice(start, start + _BLOCK)
                progress("writing the dataset", start, len(imported))
                writer.add_training(images[part], imported.points[part], imported.rows[part])
            writer.finish(
                origin="import",
                sources={"labels": source, "format": format},
                rejected_rows=0,
                notes=[*imported.notes, *imported.assumptions, *unread_note(imported)],
            )
        return open_dataset(target)


def check_new(name: str) -> None:
    """``UserError`` if no new dataset can be called ``name``."""
    if check_name(name) in dataset_names():
        raise UserError(f"Dataset '{name}' exists. Choose another name, or remove it first.")


def _check_new(name: str, imported: Imported) -> NDArray[np.uint8]:
    """The images of which a dataset ``name`` can be made; ``UserError`` if it cannot."""
    check_new(name)
    if imported.images is None:
        raise UserError(
            f"There is no dataset '{name}', and these files hold no images to make one of: add the "
            "images to the files, or import the labels into an existing dataset."
        )
    return imported.images
