"""Make the bundled model: ``python -m benchmarks.bundled --faces FOLDER [--home FOLDER]``.

FOLDER has real faces in Kaggle's files (``training.zip``) and who they show (``people.csv``).
Trains ``compact`` on them with drawn faces mixed in, scores it on the people held back and on the
demo faces, and replaces ``fkd/models/bundled/``: the model and its card. Half an hour on two
cores. With ``--home`` the run stays there, and goes on where it was when called again.

``--labels-only`` trains nothing: it counts the labels that the model in place was trained on, after
making sure that these are the same images and the same split, and writes them into its file. Its
weights stay as they are. That is for a model that was made before files said so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import ROOT, environment
from fkd.files import replacing

TARGET = ROOT / "fkd" / "models" / "bundled"
MAX_BYTES = 4_000_000
RUN = "bundled-source"
RECIPE = ["--epochs", "50", "--demo-share", "0.5", "--validation", "0.05", "--seed", "0"]


def main(argv: Sequence[str] | None = None) -> int:
    """Train, score, put in place."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bundled", description=__doc__)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--home", type=Path, help="keep datasets and the run here")
    parser.add_argument("--labels-only", action="store_true", help="only count its labels")
    arguments = parser.parse_args(argv)
    act = _note_labels if arguments.labels_only else _make
    if arguments.home is not None:
        act(arguments.faces, arguments.home)
    else:
        with tempfile.TemporaryDirectory(prefix="fkd-bundled-") as folder:
            act(arguments.faces, Path(folder))
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


def deflate(source: Path, target: Path, texts: Mapping[str, str] | None = None) -> None:
    """Copy a zip file, its members compressed: Keras stores them as they are. Those that ``texts``
    names get these instead; ``target`` may be ``source``."""
    with zipfile.ZipFile(source) as old:
        members = [(info, old.read(info)) for info in old.infolist()]
    with (
        replacing(target) as beside,
        zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for info, content in members:
            # With its date, so that the same content makes the same file.
            entry = zipfile.ZipInfo(info.filename, info.date_time)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, (texts or {}).get(info.filename, content), compresslevel=9)


def _note_labels(faces: Path, home: Path) -> None:
    """Write into the model in place from how many labels it learned each point."""
    from fkd.inference.reference import NOTE, Reference
    from fkd.keypoints import KAGGLE_15

    model = TARGET / "compact.keras"
    reference = Reference.read(model, KAGGLE_15)
    if reference is None:
        raise SystemExit(f"{model} does not say what it learned from; make it anew")
    learned = _labels_learned_from(faces, home)
    text = replace(reference, learned=learned).to_json()
    deflate(model, model, {NOTE: text})
    print("\n".join(f"{n:6,} {name}" for name, n in zip(KAGGLE_15.names, learned, strict=True)))


def _labels_learned_from(faces: Path, home: Path) -> NDArray[np.int64]:
    """``(K,)`` labels of each point in what ``RECIPE`` trains on, drawn faces included."""
    home.mkdir(parents=True, exist_ok=True)
    os.environ["FKD_HOME"] = str(home)
    _fkd(home, "ingest", "faces", str(faces / "training.zip"))
    from fkd.groups import read_groups
    from fkd.registry import open_named
    from fkd.training.create import make_config
    from fkd.training.examples import training_examples

    dataset, told = open_named("faces"), dict(zip(RECIPE[::2], RECIPE[1::2], strict=True))
    config = make_config(
        dataset,
        seed=int(told["--seed"]),
        fraction=float(told["--validation"]),
        groups=read_groups(faces / "people.csv", dataset),
        settings={"demo_share": float(told["--demo-share"])},
    )
    text = (TARGET / "README.md").read_text()
    split = f"{len(config.split.training):,} images of real faces"
    held = f"On {len(config.split.validation):,} images"
    for said in (dataset.content_hash, split, held):
        if said not in text:
            raise SystemExit(f"the model in place was trained on something else: no '{said}'")
    return training_examples(dataset, config).learned(config.augmentation.flip)


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
