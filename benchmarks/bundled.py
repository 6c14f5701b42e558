"""Make the bundled model: ``python -m benchmarks.bundled --faces FOLDER [--home FOLDER]``.

FOLDER has real faces in Kaggle's files (``training.zip``) and who they show (``people.csv``).
Trains ``compact`` on them with drawn faces mixed in, scores it on the people held back and on the
demo faces, and replaces ``fkd/models/bundled/``: the model and its card. Half an hour on two
cores. With ``--home`` the run stays there, and goes on where it was when called again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT, environment

TARGET = ROOT / "fkd" / "models" / "bundled"
MAX_BYTES = 4_000_000
RUN = "bundled-source"
RECIPE = ["--epochs", "50", "--demo-share", "0.5", "--validation", "0.05", "--seed", "0"]


def main(argv: Sequence[str] | None = None) -> int:
    """Train, score, put in place."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bundled", description=__doc__)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--home", type=Path, help="keep datasets and the run here")
    arguments = parser.parse_args(argv)
    if arguments.home is not None:
        _make(arguments.faces, arguments.home)
    else:
        with tempfile.TemporaryDirectory(prefix="fkd-bundled-") as folder:
            _make(arguments.faces, Path(folder))
    return 0


def _make(faces: Path, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    _fkd(home, "ingest", "faces", str(faces / "training.zip"))
    _fkd(home, "demo")
    runs = {run["name"]: run["state"] for run in json.loads(_fkd(home, "runs", "--json"))}
    if RUN not in runs:
        groups = ["--groups", str(faces / "people.csv")]
        _fkd(home, "train", "--dataset", "faces", "--name", RUN, *groups, *RECIPE)
    elif runs[RUN] != "finished":
        _fkd(home, "resume", RUN)
    scores = json.loads(_fkd(home, "evaluate", RUN, "--json"))
    demo = json.loads(_fkd(home, "evaluate", RUN, "--dataset", "demo", "--json"))
    TARGET.mkdir(exist_ok=True)
    model = TARGET / "compact.keras"
    deflate(home / "runs" / RUN / "best.keras", model)
    if model.stat().st_size > MAX_BYTES:
        raise SystemExit(f"{model} has {model.stat().st_size:,} bytes, {MAX_BYTES:,} are allowed")
    config = json.loads((home / "runs" / RUN / "config.json").read_text())
    (TARGET / "README.md").write_text(card(scores, demo, config))


def deflate(source: Path, target: Path) -> None:
    """Copy a zip file, its members compressed: Keras stores them as they are."""
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))


def _fkd(home: Path, *words: str) -> str:
    """What a verb prints; its errors and its progress are ours."""
    command = [sys.executable, "-m", "fkd", *words]
    return subprocess.run(
        command, cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def card(scores: dict[str, Any], demo: dict[str, Any], config: dict[str, Any]) -> str:
    """The model card, as Markdown."""
    rows = [
        f"| {name} | {point['n']} | {point['rmse_px']:.2f} | {point['mae_px']:.2f} "
        f"| {point['median_error_px']:.2f} | {demo['per_keypoint'][name]['rmse_px']:.2f} |"
        for name, point in scores["per_keypoint"].items()
    ]
    training, held = (len(config["split"][part]) for part in ("training", "validation"))
    packages = ", ".join(f"{name} {version}" for name, version in config["packages"].items())
    return _CARD.format(
        table="\n".join(rows),
        training=training,
        held=held,
        recipe=" ".join(RECIPE),
        packages=packages,
        rmse=scores["rmse_px"],
        mae=scores["mae_px"],
        nme=scores["nme"],
        demo_rmse=demo["rmse_px"],
        demo_nme=demo["nme"],
        offset=config["label_offset"],
        data_hash=config["data_hash"],
    )


_CARD = """# Model card: the bundled model

`compact.keras` predicts the 15 keypoints of Kaggle's *Facial Keypoints Detection* on a 96x96 grey
face, and how far off each is expected to be. It is what *Predict* uses before anything was
trained.

## Scores
On {held:,} images of people that training has not seen: **{rmse:.2f} px RMSE, {mae:.2f} px MAE,
{nme:.1%} NME**. On the demo faces, none of which it was trained on: {demo_rmse:.2f} px RMSE,
{demo_nme:.1%} NME. Definitions: `fkd/evaluation/metrics.py`. The best epoch was chosen by the
error on the same people, which flatters these figures a little.

| keypoint | labels | RMSE px | MAE px | median px | demo RMSE px |
|---|---:|---:|---:|---:|---:|
{table}

## Architecture
The `compact` model of `fkd/models/zoo.py`: two encoders and decoders with 24x24 heatmaps, read with
sub-pixel precision, whose mean is taken; 0.96 million weights, 58 million multiply-adds a face.

## Data
{training:,} images of real faces, most of them with 4 of the 15 points, and half as many drawn
faces. The real ones are frames of public figures from videos with 68-point landmarks, from
Udacity's *P1_Facial_Keypoints* (repository under the MIT licence), which took them from the
YouTube Faces database (Wolf, Hassner and Maoz, 2011); they were reduced to the 15 points and
cropped to 96x96. The database was made for research: check its terms before commercial use. The
images are not part of this project. The drawn faces are the workbench's own.

`fkd info` calls the content hash of the real images and labels (no test images)
`{data_hash}`.

## Recipe
    python -m benchmarks.bundled --faces FOLDER

which runs `fkd train --dataset faces --groups people.csv {recipe}`:
flips, rotation, scale, shift, shear, brightness, contrast, gamma, noise and cut-outs; mean
distance as loss, missing points left out; AdamW with a cosine schedule; the average of the weights.
Made with {packages}.

## Limits
- Faces are expected upright and cropped as Kaggle's are: eyes about 36 px apart, their middle near
  (48, 38). Other crops have to be brought into that frame first.
- It says where the labels would be. Those of the real faces lie about {offset:.1f} px to the right
  of what they mark (docs/training.md); so do its points on faces that look real.
- Profiles, covered faces and strong shadows are rare in the data; errors there are larger. The
  expected error that the model gives tells most of them.
- Public figures filmed for television do not stand for everybody: children, for one, are missing.
  It was not measured by age, sex or skin.
- It locates points. It does not recognise, judge or compare people, and must not be used so.
"""


if __name__ == "__main__":
    sys.exit(main())
