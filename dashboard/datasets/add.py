"""Ways to add a dataset: files on this computer, an upload, the demo, Kaggle."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import IO

import streamlit as st

from dashboard.correction import author
from dashboard.datasets.jobs import IngestJob, keep_upload, start_demo, start_download
from dashboard.datasets.strip import follow, task_strip
from dashboard.label_import import label_import
from dashboard.tasks import Task
from dashboard.words import plain
from fkd.demo import DEFAULT_ROWS, DemoSpec
from fkd.download import DATA
from fkd.errors import UserError
from fkd.formats.source import TABLE_SUFFIXES
from fkd.registry import dataset_names
from fkd.settings import MAX_UPLOAD_MB

MAX_DEMO_ROWS = 50_000

_WAYS = {
    "path": ":material/folder_open: Files on this computer",
    "upload": ":material/upload: Upload",
    "labels": ":material/sell: Labels from another tool",
    "demo": ":material/draw: Demo faces",
    "kaggle": ":material/cloud_download: From Kaggle",
}


def add_dataset() -> None:
    """The forms; each starts a background task, which is shown below it."""
    st.markdown("## Add a dataset")
    way = st.segmented_control(
        "How",
        list(_WAYS),
        default="path" if dataset_names() else "demo",
        format_func=_WAYS.get,
        required=True,
        label_visibility="collapsed",
        key="add-way",
    )
    forms = {"path": _by_path, "upload": _by_upload, "labels": _labels, "demo": _demo}
    {**forms, "kaggle": _kaggle}[way]()
    task_strip(of_form=True)


def _begin(start: Callable[[], Task]) -> None:
    """Start a task and follow it, or say under the form why it cannot work."""
    try:
        task = start()
    except UserError as error:
        st.error(plain(str(error)))
        return
    follow(task)
    st.rerun()


def _by_path() -> None:
    with st.form("add-path", border=True):
        name = _name_field()
        training = st.text_input(
            "Training images",
            placeholder="/data/facial-keypoints-detection.zip",
            help="training.csv, plain, compressed or as Parquet, or a folder, zip or tar that "
            "holds all of Kaggle's files, at any depth",
        )
        with st.expander("Test images and lookup table, where they lie elsewhere"):
            test = st.text_input("test.csv", placeholder="found by itself in a folder or zip")
            lookup = st.text_input("IdLookupTable.csv", placeholder="found by itself likewise")
        skip_bad = _skip_bad("path")
        if st.form_submit_button("Ingest", type="primary"):
            _begin(lambda: _start_by_path(name, training, test, lookup, skip_bad))


def _start_by_path(name: str, training: str, test: str, lookup: str, skip_bad: bool) -> Task:
    if not training.strip():
        raise UserError("Say where the training images are: a file or a folder.")
    paths = [Path(t.strip()).expanduser() if t.strip() else None for t in (test, lookup)]
    training_path = Path(training.strip()).expanduser()
    return IngestJob(name.strip(), training_path, *paths, skip_bad=skip_bad).start()


def _name_field() -> str:
    return st.text_input("Name", value=_free_name("kaggle"), max_chars=64)


def _free_name(wish: str) -> str:
    """``wish``, or the first of ``wish-2``, ``wish-3`` ... that no dataset has."""
    taken = dataset_names()
    return next(n for i in count(1) if (n := wish if i == 1 else f"{wish}-{i}") not in taken)


def _skip_bad(where: str) -> bool:
    return st.toggle(
        "Leave out bad rows",
        key=f"skip-bad-{where}",
        help="Off: a file with bad rows is refused, and every problem is listed. "
        "On: the good rows are kept and the bad ones listed in a CSV.",
    )


def _by_upload() -> None:
    with st.form("add-upload", border=True):
        name = _name_field()
        columns = st.columns(3)
        kinds = TABLE_SUFFIXES
        training = columns[0].file_uploader("training.csv or .zip", type=kinds, key="up-training")
        test = columns[1].file_uploader("test.csv or .zip (optional)", type=kinds, key="up-test")
        lookup = columns[2].file_uploader(
            "IdLookupTable.csv (optional)", type=kinds, key="up-lookup"
        )
        st.caption(
            f"Up to {MAX_UPLOAD_MB} MB each; larger files are ingested by path. "
            "A zip of all of Kaggle's files goes into the first field alone."
        )
        skip_bad = _skip_bad("upload")
        if st.form_submit_button("Ingest", type="primary"):
            _begin(lambda: _start_by_upload(name, training, test, lookup, skip_bad))


def _start_by_upload(
    name: str,
    training: IO[bytes] | None,
    test: IO[bytes] | None,
    lookup: IO[bytes] | None,
    skip_bad: bool,
) -> Task:
    if training is None:
        raise UserError("Choose a file with training images first.")
    folder, paths = keep_upload(training, test, lookup)
    return IngestJob(name.strip(), **paths, skip_bad=skip_bad, folder=folder).start()


def _labels() -> None:
    with st.container(border=True):
        st.caption(
            "Images with their labels as COCO keypoints, YOLO-pose, 300-W .pts or Kaggle's table, "
            "such as a project of CVAT or Label Studio, become a dataset of their own."
        )
        who = st.text_input(
            "Your name",
            value=author.known(),
            max_chars=80,
            key="import-author",
            help="Kept with the states of the points that the files bring along.",
        )
        label_import(None, who.strip())


def _demo() -> None:
    with st.form("add-demo", border=True):
        st.caption(
            "Drawn faces with exact keypoints, missing as often as in Kaggle's file: "
            "to look around and to try things out."
        )
        columns = st.columns(3)
        name = columns[0].text_input("Name", value=_free_name("demo"), max_chars=64)
        rows = columns[1].number_input("Images", 10, MAX_DEMO_ROWS, DEFAULT_ROWS, step=500)
        seed = columns[2].number_input("Seed", 0, step=1, help="Other seeds give other faces")
        if st.form_submit_button("Draw", type="primary"):
            _begin(lambda: start_demo(name.strip(), DemoSpec(rows=int(rows), seed=int(seed))))


def _kaggle() -> None:
    with st.form("add-kaggle", border=True):
        st.markdown(
            f"Fetches the competition's files with Kaggle's own client. It needs an API token "
            f"(`KAGGLE_API_TOKEN`, from your Kaggle settings) and the rules accepted. "
            f"Without a token, [download the files]({DATA}) and add them as an upload."
        )
        name = _name_field()
        if st.form_submit_button("Download", type="primary"):
            _begin(lambda: start_download(name.strip()))
