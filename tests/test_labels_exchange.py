from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from exchange_helper import SMALL, check_back, dataset_of, every_state, files_of, with_states
from kaggle_helper import ROOT, run_python
from limits_helper import small_disk

from fkd.errors import Cancelled, UserError
from fkd.formats.faces import Imported
from fkd.keypoints import KAGGLE_15
from fkd.labels import exchange
from fkd.labels.exchange import codec, export, read
from fkd.labels.formats import FORMATS, LOSSES, in_words
from fkd.labels.states import Labels, State

DATASET = dataset_of([0, 2, 12])
LABELS = every_state(DATASET)
NAMES = ["out", "out.zip"]


def test_every_format_has_a_codec_and_its_losses() -> None:
    assert set(exchange._CODECS) == set(FORMATS) == set(LOSSES)
    assert list(FORMATS) == ["kaggle", "coco", "yolo-pose", "pts"]
    for name, form in FORMATS.items():
        assert form.name == name
        assert f"\n{name}: {form.title}" in f"\n{in_words()}"
        for loss in form.losses:
            assert loss.endswith(".")
            assert loss in in_words()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMATS)
def test_labels_go_out_and_come_in(tmp_path: Path, form: str, name: str) -> None:
    done = export(DATASET, LABELS, form, tmp_path / name)
    assert (done.path, done.rows) == (tmp_path / name, 3)
    imported = read(tmp_path / name, form, SMALL)
    if form == "kaggle":
        imported = replace(imported, rows=LABELS.rows)
    check_back(imported, codec(form).held(LABELS), DATASET, tiny=1e-13)


@pytest.mark.parametrize("form", FORMATS)
def test_losses_are_stated_where_there_are_some(form: str) -> None:
    """The sentences and what really comes back agree, state by state."""
    one = dataset_of([0])
    words = " ".join(LOSSES[form])
    for state in State:
        labels = with_states(Labels.original(one), np.full((1, 3), state))
        back = State(int(codec(form).held(labels).states[0, 0]))
        told = (
            f"n {state.word} point comes back as {back.word}",
            f"n {state.word} one as {back.word}",
        )
        assert any(sentence in words for sentence in told) == (back != state)
    outside = with_states(
        Labels.original(one), np.full((1, 3), State.VISIBLE), np.full((1, 3, 2), -3, np.float32)
    )
    lost = (codec(form).held(outside).states == State.MISSING).all()
    assert lost == ("outside the image comes back as missing" in words)


def test_an_export_tells_what_it_lost(tmp_path: Path) -> None:
    states = np.full((3, 3), State.VISIBLE)
    states[0] = [State.ABSENT, State.OCCLUDED, State.OCCLUDED]
    labels = with_states(LABELS, states)
    assert export(DATASET, labels, "coco", tmp_path / "coco").lost == ()
    assert export(DATASET, labels, "pts", tmp_path / "pts").lost == (
        "1 absent point is missing in the file.",
        "2 occluded points are visible in the file.",
    )


@pytest.mark.parametrize("form", FORMATS)
def test_progress_counts_faces(tmp_path: Path, form: str) -> None:
    reports: list[tuple[str, int, int]] = []
    export(DATASET, LABELS, form, tmp_path / "out", lambda *report: reports.append(report))
    assert reports[0] == ("writing faces", 0, 3)
    assert reports[-1] == ("writing faces", 3, 3)
    reports.clear()
    read(tmp_path / "out", form, SMALL, lambda *report: reports.append(report))
    assert reports[-1][0] == "reading faces"
    assert reports[-1][1] == reports[-1][2] > 0


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no format 'xml'; there are: kaggle, coco, yolo-pose, pts"):
        export(DATASET, LABELS, "xml", tmp_path / "out")
    with pytest.raises(UserError, match="no format 'xml'"):
        read(tmp_path, "xml", SMALL)
    with pytest.raises(UserError, match="no rows"):
        export(DATASET, LABELS.take(np.zeros(3, bool)), "coco", tmp_path / "out")
    far = with_states(LABELS, np.full((3, 3), State.VISIBLE), np.full((3, 3, 2), 50, np.float32))
    with pytest.raises(UserError, match="Row 0: left eye is more than half an image outside"):
        export(DATASET, far, "coco", tmp_path / "out")
    with pytest.raises(ValueError, match="rows"):
        export(DATASET, replace(LABELS, rows=LABELS.rows + 1), "coco", tmp_path / "out")
    with pytest.raises(ValueError, match="do not fit"):
        export(dataset_of([0], KAGGLE_15), LABELS, "coco", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_path_of_nothing_or_something_else(tmp_path: Path, form: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.bin").write_text("hello")
    (tmp_path / "text.zip").write_text("hello")
    for name in ("none", "empty", "text.bin", "text.zip"):
        with pytest.raises(UserError) as caught:
            read(tmp_path / name, form, SMALL)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("step", range(3))
def test_a_stopped_export_leaves_nothing(tmp_path: Path, form: str, name: str, step: int) -> None:
    left = step if form != "kaggle" else min(step, 1)

    def stop(stage: str, done: int, total: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        export(DATASET, LABELS, form, tmp_path / name, stop)
    assert list(tmp_path.iterdir()) == []


DIE = """
import os, signal, sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from exchange_helper import dataset_of, every_state
from fkd.labels.exchange import export
dataset = dataset_of([0, 2, 12])
def die(stage, done, total):
    if done == 2 or done == total:
        os.kill(os.getpid(), signal.SIGKILL)
export(dataset, every_state(dataset), sys.argv[1], Path(sys.argv[2]), die)
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_export_leaves_nothing_at_its_place(tmp_path: Path, name: str) -> None:
    helpers = Path(__file__).parent
    died = run_python("-c", DIE, "coco", tmp_path / name, helpers)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert not (tmp_path / name).exists()
    for leftover in tmp_path.iterdir():  # out of sight; swept once it is an hour old
        assert leftover.name.startswith(".incoming-")
        os.utime(leftover, (0, 0))
    export(DATASET, LABELS, "coco", tmp_path / name)
    assert read(tmp_path / name, "coco", SMALL).numbered
    assert name == "out.zip" or [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMATS)
def test_a_full_disk_is_one_clear_line(tmp_path: Path, form: str, name: str) -> None:
    dataset = dataset_of(list(range(40)))
    with small_disk(tmp_path / "disk", "16k") as disk:
        with pytest.raises(UserError, match="No space left on device") as caught:
            export(dataset, every_state(dataset), form, disk / name)
        assert "\n" not in str(caught.value)
        assert list(disk.iterdir()) == []


def test_reading_takes_no_memory_for_images(tmp_path: Path) -> None:
    export(DATASET, LABELS, "coco", tmp_path / "out")
    imported = read(tmp_path / "out", "coco", SMALL)
    assert isinstance(imported.images, np.memmap)
    assert not imported.images.flags.writeable


Change = Callable[[dict[str, bytes]], None]


def read_changed(tmp_path: Path, form: str, change: Change) -> Imported:
    export(DATASET, LABELS, form, tmp_path / "good")
    files = files_of(tmp_path / "good")
    change(files)
    for name, data in files.items():
        path = tmp_path / "changed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return read(tmp_path / "changed", form, SMALL)


@pytest.mark.parametrize("form", ["coco", "yolo-pose", "pts"])
def test_a_damaged_picture_is_named(tmp_path: Path, form: str) -> None:
    def cut(files: dict[str, bytes]) -> None:
        name = next(name for name in files if name.endswith("12.png"))
        files[name] = files[name][:-300]

    with pytest.raises(UserError, match=r"12\.png is damaged"):
        read_changed(tmp_path, form, cut)


def test_this_runs_without_heavy_imports_for_the_command_line() -> None:
    code = "import sys, fkd.labels.formats; assert not {'cv2', 'pyarrow'} & set(sys.modules)"
    assert run_python("-c", code).returncode == 0, sys.version


def test_every_format_is_documented() -> None:
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    for name, losses in LOSSES.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert ("comes back as" in line) == any("comes back as" in loss for loss in losses)


@pytest.mark.parametrize("form", FORMATS)
def test_what_1_means_is_asked_of_formats_that_have_it(tmp_path: Path, form: str) -> None:
    export(DATASET, LABELS, form, tmp_path / "out")
    for visibility in ("coco", "binary"):
        if not FORMATS[form].visibility:
            with pytest.raises(UserError, match="leave visibility at 'auto'"):
                read(tmp_path / "out", form, SMALL, visibility=visibility)
            continue
        states = read(tmp_path / "out", form, SMALL, visibility=visibility).states
        occluded = codec(form).held(LABELS).states == State.OCCLUDED
        expected = State.OCCLUDED if visibility == "coco" else State.VISIBLE
        assert occluded.any()
        assert (states[occluded] == expected).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["coco", "yolo-pose", "pts"])
def test_of_an_export_there_is_nothing_to_say(tmp_path: Path, form: str, name: str) -> None:
    """And what it holds is what the files can hold."""
    export(DATASET, LABELS, form, tmp_path / name)
    imported = read(tmp_path / name, form, SMALL)
    assert imported.notes == imported.assumptions == imported.unread == ()
    assert imported.names == ("0", "2", "12")
    held = codec(form).held(LABELS)
    np.testing.assert_array_equal(imported.held(held).states, held.states)


@pytest.mark.parametrize("form", ["coco", "yolo-pose", "pts"])
def test_pictures_that_came_along_are_found_or_missed(tmp_path: Path, form: str) -> None:
    def rename(files: dict[str, bytes]) -> None:
        name = next(name for name in files if name.endswith("12.png"))
        files[name.replace("12", "other")] = files.pop(name)

    with pytest.raises(UserError, match="the image of '12' is missing"):
        read_changed(tmp_path, form, rename)


@pytest.mark.parametrize("form", ["coco", "yolo-pose", "pts"])
def test_labels_alone_are_read(tmp_path: Path, form: str) -> None:
    def take_away(files: dict[str, bytes]) -> None:
        for name in [name for name in files if name.endswith(".png")]:
            del files[name]

    assert read_changed(tmp_path, form, take_away).images is None
