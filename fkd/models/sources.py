"""Trained models by name: the bundled one, and the best of each run. No TensorFlow here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fkd.errors import UserError
from fkd.settings import PACKAGE, home
from fkd.training.runs import Run, all_runs, open_run

BUNDLED = "bundled"
"""Name of the model that comes with the package."""

_BUNDLED_TITLE = "Bundled model"

_MODEL_FILES = (".keras", ".h5", ".hdf5", ".onnx", ".tflite", ".pt")

_BUNDLED_FILE = PACKAGE / "models" / "bundled" / "compact.keras"


def model_title(name: str) -> str:
    """What the model called ``name`` is called on screen."""
    return _BUNDLED_TITLE if name == BUNDLED else name


def model_phrase(name: str) -> str:
    """As ``model_title``, within a sentence."""
    return f"the {_BUNDLED_TITLE.lower()}" if name == BUNDLED else name


@dataclass(frozen=True)
class TrainedModel:
    """A model file and where it is from.

    Attributes:
        name: of the run, or ``BUNDLED``.
        path: the ``.keras`` file.
        run: None for the bundled model.
    """

    name: str
    path: Path
    run: Run | None = None

    @property
    def stamp(self) -> str:
        """Changes whenever the file does."""
        about = self.path.stat()
        return f"{about.st_mtime_ns:x}-{about.st_size:x}"

    @property
    def storage(self) -> Path:
        """Folder for what was predicted with it."""
        root = self.run.folder if self.run else home() / "predictions" / self.name
        return root / "predictions"


def trained_model(name: str) -> TrainedModel:
    """The model called ``name``.

    Raises:
        UserError: if there is no such run, or it has no weights yet; or no bundled model; or the
            name is the path of a model file.
    """
    if name == BUNDLED:
        if not _BUNDLED_FILE.is_file():
            raise UserError("This installation has no bundled model; train one and name its run.")
        return TrainedModel(BUNDLED, _BUNDLED_FILE)
    try:
        run = open_run(name)
    except UserError:
        if not _is_path(name):
            raise
        raise UserError(
            f"'{name[:200]}' is the path of a file, and models made elsewhere are not taken: name "
            f"a run that was trained here ('fkd runs' lists them), or '{BUNDLED}'."
        ) from None
    if not run.best.is_file():
        raise UserError(f"Run '{name}' has no weights: no epoch of it was finished and kept.")
    return TrainedModel(run.name, run.best, run)


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name or name.lower().endswith(_MODEL_FILES)


def trained_models() -> list[TrainedModel]:
    """The bundled model first, then the runs that have weights, the newest first."""
    found = [TrainedModel(BUNDLED, _BUNDLED_FILE)] if _BUNDLED_FILE.is_file() else []
    return found + [
        TrainedModel(run.name, run.best, run) for run in all_runs() if run.best.is_file()
    ]
