"""Many photos at once: in order, in bounded memory, none stopped by another."""

from __future__ import annotations

import numpy as np
import pytest
from inference_helper import bundled, drawn, photo_of, scene

from fkd.errors import Cancelled, UserError
from fkd.inference import photos as module
from fkd.inference.frame import Frame
from fkd.inference.photos import predict_photos
from fkd.inference.sources import Source
from fkd.settings import home


def source(name: str, photo) -> Source:
    return Source(name, lambda: photo)


def bad(name: str, error: Exception) -> Source:
    def load():
        raise error

    return Source(name, load)


def test_bad_files_are_told_in_their_place():
    images = drawn()[0]
    given = [
        bad("a", UserError("a is empty (0 bytes).")),
        source("b", photo_of(images[0], "b")),
        bad("c", UserError("c is not an image.")),
        source("d", photo_of(images[1], "d")),
    ]
    found = list(predict_photos(bundled(), given))
    assert [result.name for _, result in found] == ["a", "b", "c", "d"]
    assert [bool(result.error) for _, result in found] == [True, False, True, False]
    assert [photo is None for photo, _ in found] == [True, False, True, False]
    assert found[0][1].error == "a is empty (0 bytes)."


def test_what_nobody_foresaw_is_logged_and_stops_nothing():
    given = [bad("a", ZeroDivisionError("x")), source("b", photo_of(drawn()[0][0], "b"))]
    first, second = (result for _, result in predict_photos(bundled(), given))
    log = home() / "logs" / "fkd.log"
    assert first.error == f"Something unexpected went wrong with a; details are in {log}."
    assert "ZeroDivisionError" in log.read_text()
    assert len(second.faces) == 1


def test_a_photo_that_breaks_the_model_does_not_take_the_others_along(monkeypatch):
    batch = type(bundled()).batch

    def picky(self, photos, check):
        if any(photo.name == "bad" for photo in photos):
            raise ValueError("no")
        return batch(self, photos, check)

    monkeypatch.setattr(type(bundled()), "batch", picky)
    given = [source(n, photo_of(drawn()[0][0], n)) for n in ("a", "bad", "c")]
    found = {result.name: result for _, result in predict_photos(bundled(), given)}
    assert [bool(found[name].error) for name in ("a", "bad", "c")] == [False, True, False]


def test_no_more_pixels_at_a_time_than_allowed(monkeypatch):
    together = []
    batch = type(bundled()).batch

    def spy(self, photos, check):
        together.append(len(photos))
        return batch(self, photos, check)

    monkeypatch.setattr(type(bundled()), "batch", spy)
    images = drawn()[0]
    given = [source(str(i), photo_of(image, str(i))) for i, image in enumerate(images[:7])]
    monkeypatch.setattr(module, "_PIXELS", 3 * images[0].size)
    assert [r.name for _, r in predict_photos(bundled(), given)] == list("0123456")
    assert together == [3, 3, 1]
    together.clear()
    monkeypatch.setattr(module, "_PIXELS", 1)  # one alone is always taken
    assert len(list(predict_photos(bundled(), given[:2]))) == 2
    assert together == [1, 1]


def test_it_reads_no_further_than_it_must():
    loaded = []

    def lazily(number: int) -> Source:
        def load():
            loaded.append(number)
            return photo_of(drawn()[0][0])

        return Source(str(number), load)

    found = predict_photos(bundled(), (lazily(i) for i in range(10_000)))
    next(found)
    assert len(loaded) == module.TOGETHER


def test_it_stops_before_the_next_photo_is_read_and_before_the_next_search():
    loaded, searched = [], []

    def load(number: int) -> Source:
        def load():
            loaded.append(number)
            return scene((1, Frame(330, 220, 220)), name=str(number))[0]

        return Source(str(number), load)

    def check():
        if stop():
            raise Cancelled("stopped")

    stop = lambda: len(loaded) == 2  # noqa: E731
    with pytest.raises(Cancelled):
        list(predict_photos(bundled(), map(load, range(5)), check=check))
    assert loaded == [0, 1]

    with pytest.MonkeyPatch.context() as patch:
        search = type(bundled())._searches
        patch.setattr(
            type(bundled()),
            "_searches",
            lambda self, photo: searched.append(photo.name) or search(self, photo),
        )
        checks = []
        stop = lambda: checks.append(1) or len(checks) > 6  # noqa: E731
        with pytest.raises(Cancelled):
            list(predict_photos(bundled(), map(load, range(5)), check=check))
    assert len(searched) == 5  # begun, and ended by the second of them


def test_photos_that_take_long_to_read_are_predicted_before_the_next(monkeypatch):
    monkeypatch.setattr(module, "_SOON_S", 0.0)
    loaded = []

    def load(number: int) -> Source:
        return Source(str(number), lambda: loaded.append(number) or photo_of(drawn()[0][0]))

    found = predict_photos(bundled(), map(load, range(9)))
    next(found)
    assert loaded == [0]


def test_boxes_take_the_place_of_the_search():
    photo, [exact] = scene((1, Frame(330, 220, 220)))
    frames = [Frame(330, 220, 220), Frame(100, 100, 90)]
    [(_, result)] = predict_photos(bundled(), [source("a", photo)], frames)
    assert len(result.faces) == 2
    off = np.hypot(*(result.faces[0].points - exact).T).mean() / (220 / 96)
    assert off < 3
    assert result.doubts[1]  # there is no face in that one


@pytest.mark.parametrize("note", ["", "the first of 3 frames"])
def test_the_note_of_a_file_is_kept(note):
    from dataclasses import replace

    photo = replace(photo_of(drawn()[0][0]), note=note)
    [(_, result)] = predict_photos(bundled(), [source("a", photo)])
    assert result.note == note
