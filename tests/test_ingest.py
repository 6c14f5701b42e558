"""Good files: in whatever form they come they give the same dataset, once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ingest_helper import check, entries, state, whole
from kaggle_helper import Tables, competition_zip, zip_files

from fkd.errors import UserError
from fkd.ingest import ingest, rejected_csv
from fkd.registry import datasets_folder, open_named


@pytest.fixture
def packed(tmp_path: Path, tables: Tables) -> dict[str, tuple[Path, ...]]:
    """The same tables in every form they come in: the arguments of ``ingest`` by form."""
    folder = tmp_path / "zips"
    folder.mkdir()
    training = zip_files(folder / "training.zip", tables.training)
    test = zip_files(folder / "test.zip", tables.test)
    shutil.copy(tables.lookup, folder)
    download = tmp_path / "download"
    download.mkdir()
    competition = competition_zip(download / "facial-keypoints-detection.zip", tables)
    return {
        "plain": (tables.training, tables.test, tables.lookup),
        "zips": (training, test, tables.lookup),
        "folder": (tables.folder,),
        "folder of zips": (folder,),
        "competition zip": (competition,),
        "flat zip": (zip_files(tmp_path / "all.zip", tables.training, tables.test, tables.lookup),),
        "folder with the competition zip": (download,),
    }


def test_every_form_gives_the_same_dataset(
    packed: dict[str, tuple[Path, ...]], tables: Tables
) -> None:
    hashes = set()
    for i, (form, paths) in enumerate(packed.items()):
        result = ingest(f"d{i}", *paths)
        assert result.created, form
        assert [bool(report) for report in result.reports] == [False] * 3
        check(result.dataset, tables)
        hashes.add(result.dataset.content_hash)
    assert len(hashes) == 1
    check(open_named("d0"), tables)


def test_the_same_content_again_does_nothing_in_whatever_form(
    packed: dict[str, tuple[Path, ...]], tables: Tables
) -> None:
    whole("faces", tables)
    before = state("faces")
    for form, paths in packed.items():
        for overwrite in (False, True):
            result = ingest("faces", *paths, overwrite=overwrite)
            assert not result.created, form
            check(result.dataset, tables)
    assert state("faces") == before
    assert entries() == {"faces"}


def test_the_training_table_alone_is_a_dataset(tables: Tables) -> None:
    dataset = ingest("faces", tables.training).dataset
    assert (len(dataset), len(dataset.test_images), dataset.lookup) == (7, 0, None)
    assert dataset.manifest["sources"] == {"training": "training.csv"}
    assert rejected_csv(dataset) is None


def test_other_content_is_refused_and_replaced_only_on_demand(
    tables: Tables, other_tables: Tables
) -> None:
    whole("faces", tables)
    before = state("faces")
    for paths in ((other_tables.training,), (tables.training,), (other_tables.folder,)):
        with pytest.raises(UserError, match=r"'faces' exists with other content.*remove that one"):
            ingest("faces", *paths)
    assert state("faces") == before
    result = whole("faces", other_tables, overwrite=True)
    assert result.created
    check(open_named("faces"), other_tables)
    assert entries() == {"faces"}


@pytest.mark.parametrize("damage", ["manifest.json", "images.npy", "lookup.npy"])
def test_a_damaged_dataset_is_replaced_on_demand(tables: Tables, damage: str) -> None:
    whole("faces", tables)
    (datasets_folder() / "faces" / damage).write_bytes(b"{")
    with pytest.raises(UserError, match="remove that one first"):
        whole("faces", tables)
    assert whole("faces", tables, overwrite=True).created
    check(open_named("faces"), tables)


@pytest.mark.parametrize("missing", ["training", "test", "lookup"])
def test_a_file_that_is_not_there_is_named(tables: Tables, tmp_path: Path, missing: str) -> None:
    paths = {"training": tables.training, "test": tables.test, "lookup": tables.lookup}
    with pytest.raises(UserError, match=r"gone\.csv does not exist"):
        ingest("faces", **{**paths, missing: tmp_path / "gone.csv"})
    assert entries() == set()


def test_line_ends_and_a_byte_order_mark_do_not_change_the_content(
    tables: Tables, tmp_path: Path
) -> None:
    path = tmp_path / "windows.csv"
    path.write_bytes(b"\xef\xbb\xbf" + tables.training.read_bytes().replace(b"\n", b"\r\n"))
    one, two = ingest("a", tables.training).dataset, ingest("b", path).dataset
    assert one.content_hash == two.content_hash


def test_progress_is_reported_up_to_the_whole(tables: Tables) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}
    whole("faces", tables, progress=lambda s, d, t: seen.setdefault(s, []).append((d, t)))
    assert [s for s in seen if s.endswith(".csv")] == ["reading training.csv", "reading test.csv"]
    for steps in seen.values():
        done = [d for d, _ in steps]
        assert done == sorted(done)
        assert steps[-1][0] == steps[-1][1] > 0
