"""A table of groups for the split, kept for the form."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

import streamlit as st

from dashboard.current import Current
from dashboard.training.wish import Groups, Wish
from dashboard.words import compact, plain
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.groups import MAX_GROUPS_BYTES, read_group_table
from fkd.training.config import SETTINGS


def uploader(current: Current, wish: Wish) -> None:
    """The field for the file, and what was found in it."""
    if wish.groups is not None:
        _kept(current, wish, wish.groups)
        return
    upload = st.file_uploader(
        SETTINGS["grouped"],
        type="csv",
        max_upload_size=MAX_GROUPS_BYTES >> 20,
        help="A CSV file with the columns row,person (or another kind of group): all images of a "
        "group go either into training or into validation.",
        key="train-groups",
    )
    if upload is None:
        st.caption("Without a file, only duplicates are kept together.")
        return
    try:
        wish.groups = read(upload, upload.name, current.dataset)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    _kept(current, wish, wish.groups)


def _kept(current: Current, wish: Wish, groups: Groups) -> None:
    st.markdown(f":small[{SETTINGS['grouped']}]")
    if groups.data_hash != current.dataset.content_hash:
        st.warning(f"{plain(groups.file)} belongs to another dataset.", icon=":material/warning:")
    else:
        alone = len(groups.numbers) - groups.images
        rest = f"; {compact(alone)} images are in no group" if alone else ""
        ignored = f"; {compact(groups.ignored)} rows are not in the dataset" * bool(groups.ignored)
        st.success(
            f"{plain(groups.file)}: {compact(groups.count)} groups of "
            f"{compact(groups.images)} images{rest}{ignored}.",
            icon=":material/groups:",
        )
    st.button(
        "Remove file",
        icon=":material/close:",
        type="tertiary",
        on_click=lambda: setattr(wish, "groups", None),
    )


def read(upload: IO[bytes], name: str, dataset: Dataset) -> Groups:
    """Read an uploaded table; its name is shown, never used as a path.

    Raises:
        UserError: if it is no table of groups of ``dataset``.
    """
    with tempfile.TemporaryDirectory(prefix="fkd-groups-") as folder:
        path = Path(folder) / "groups.csv"
        path.write_bytes(upload.read())
        table = read_group_table(path, dataset)
    return Groups(name[:80], dataset.content_hash, table.numbers, table.ignored)
