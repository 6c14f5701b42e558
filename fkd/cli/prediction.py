"""The verbs that predict: the keypoints on photos, and a submission to the competition."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkd import private
from fkd.cli.output import import_tensorflow, progress_bar

if TYPE_CHECKING:
    from fkd.inference.frame import Frame
    from fkd.inference.photos import Found
    from fkd.inference.pipeline import Pipeline
    from fkd.inference.results import PhotoFaces

_MODEL = "a run, or the bundled model (default)"


def add_verbs(verbs: Any) -> None:
    predict = verbs.add_parser("predict", help="find the keypoints of every face on photos")
    predict.add_argument("photos", nargs="+", type=Path, metavar="IMAGE|FOLDER|ZIP")
    predict.add_argument("--model", default="bundled", metavar="RUN|bundled", help=_MODEL)
    predict.add_argument("--json", type=Path, metavar="FILE", help="write there, not on stdout")
    predict.add_argument(
        "--annotated", type=Path, metavar="DIR", help="write pictures with the points drawn there"
    )
    predict.add_argument(
        "--box",
        type=_box,
        action="append",
        default=[],
        metavar="X,Y,W,H",
        help="where a face is, in px of the photo, instead of searching; may be repeated",
    )
    predict.add_argument(
        "--no-mirror",
        action="store_true",
        help="predict each face once, instead of averaging with its mirror image",
    )
    predict.set_defaults(run=run_predict)

    submit = verbs.add_parser("submit", help="predict the test images, as a submission")
    submit.add_argument("--dataset", required=True, metavar="NAME")
    submit.add_argument("--model", default="bundled", metavar="RUN|bundled", help=_MODEL)
    submit.add_argument("-o", "--output", type=Path, required=True, metavar="submission.csv")
    submit.set_defaults(run=run_submit)


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        x, y, width, height = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a box; write X,Y,W,H in px") from None
    if not (width > 0 and height > 0 and max(map(abs, (x, y, width, height))) < 1e6):
        raise argparse.ArgumentTypeError(f"{text!r} is not a box: width and height must be above 0")
    return x, y, width, height


def run_predict(arguments: argparse.Namespace) -> None:
    from fkd.errors import UserError
    from fkd.files import replace_text
    from fkd.inference.kinds import shown
    from fkd.inference.photos import predict_photos
    from fkd.inference.pipeline import of_box
    from fkd.inference.sources import from_paths

    sources = list(from_paths(arguments.photos, _say))
    frames: list[Frame] = [of_box(*box) for box in arguments.box]
    if frames and len(sources) != 1:
        raise UserError(f"--box needs exactly one photo; {len(sources)} were given.")
    for folder in (arguments.annotated, arguments.json and arguments.json.absolute().parent):
        if folder is not None:
            _make_folder(folder)
    pipeline = _open(arguments.model, not arguments.no_mirror)
    found: list[PhotoFaces] = []
    names: set[str] = set()
    with progress_bar() as progress:
        for one in predict_photos(pipeline, sources, frames):
            found.append(one[1])
            if arguments.annotated is not None:
                _write_annotated(one, arguments.annotated, names)
            progress("predicting", len(found), len(sources))
    text = json.dumps([result.to_json() for result in found], indent=2)
    if arguments.json is None:
        print(text)
    else:
        replace_text(arguments.json, text + "\n")
        private.as_usual(arguments.json)
    for result in found:
        if result.note:
            _say(f"{shown(result.name)}: {result.note}.")
    _tell(found)


def _say(sentence: str) -> None:
    print(f"fkd: {sentence}", file=sys.stderr)


def _make_folder(folder: Path) -> None:
    from fkd.errors import UserError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror or error}.") from None


def _open(name: str, mirrored: bool) -> Pipeline:
    from fkd.models.sources import trained_model

    model = trained_model(name)
    import_tensorflow()
    from fkd.inference.loading import open_pipeline

    with progress_bar() as progress:
        return replace(open_pipeline(model, progress), mirrored=mirrored)


def _write_annotated(found: Found, folder: Path, names: set[str]) -> None:
    from fkd.files import replacing
    from fkd.inference.drawing import annotated, png

    photo, result = found
    if photo is None:
        return
    name = next(name for name in _file_names(photo.name) if name not in names)
    names.add(name)
    with replacing(folder / name) as beside:
        beside.write_bytes(png(annotated(photo.color, result.faces)))
    private.as_usual(folder / name)


def _file_names(name: str) -> Iterator[str]:
    """Names for the picture of a photo, the plain one first: whatever path ``name`` has becomes
    part of the file's own name."""
    stem = re.sub(r"[^\w.-]+", "_", name).strip("._")[-150:] or "photo"
    yield f"{stem}.png"
    number = 2
    while True:
        yield f"{stem}-{number}.png"
        number += 1


def _tell(found: Sequence[PhotoFaces]) -> None:
    """Sum up on stderr; ``UserError`` if no photo could be read."""
    from fkd.errors import UserError
    from fkd.inference.results import summary

    bad = [result.error for result in found if result.error]
    for reason in bad:
        _say(reason)
    if len(bad) == len(found):
        raise UserError(
            "No photo could be read." if len(bad) > 1 else "The photo could not be read."
        )
    print(summary(found), file=sys.stderr)


def run_submit(arguments: argparse.Namespace) -> None:
    from fkd.formats import write_submission
    from fkd.inference.submission import make_submission
    from fkd.registry import open_named

    dataset = open_named(arguments.dataset)
    pipeline = _open(arguments.model, mirrored=True)
    with progress_bar() as progress:
        submission = make_submission(pipeline, dataset, progress)
    write_submission(arguments.output, submission)
    private.as_usual(arguments.output)
    if dataset.lookup is None:
        print(
            f"fkd: no lookup table was given for '{dataset.name}', so row ids count from 1 through "
            "every coordinate of every test image and may not be Kaggle's",
            file=sys.stderr,
        )
    expected = pipeline.reference.rmse_px
    score = (
        f"; the model's RMSE on its validation split is {expected:.2f} px" if expected > 0 else ""
    )
    print(f"{len(submission):,} coordinates written to {arguments.output}{score}")
