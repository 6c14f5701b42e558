"""Finding the pictures that labels are of, by the names and places that label files give them.
Nothing outside the folder or zip is ever looked at."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from fkd.errors import UserError
from fkd.formats.bundle import Bundle, without_suffix
from fkd.inference.decode import SUFFIXES
from fkd.words import counted
from fkd.zips import leads_out

NOT_READ = (
    *(".exr", ".ras", ".pcx", ".dng", ".cr2", ".nef", ".arw", ".psd", ".svg", ".ico", ".hdr"),
    *(".xcf", ".raw", ".jxl", ".pfm", ".sgi", ".xpm", ".eps"),
)
"""What pictures of kinds that are not read are called. Such a picture came along all the same, and
labels are not read as if there were none."""

_LOCAL_FILE = re.compile(r"[?&]d=([^&]+)")
"""The path in the address of a file that Label Studio serves, ``/data/local-files/?d=PATH``."""


def is_picture(name: str) -> bool:
    """Whether the file called ``name`` is a picture, of whatever kind."""
    return name.lower().endswith((*SUFFIXES, *NOT_READ))


def path_of(name: str) -> str:
    """The path with ``/`` that ``name`` means: a path of any system, or an address."""
    try:
        if match := _LOCAL_FILE.search(name):
            name = unquote(match[1])
        elif "://" in name:
            name = unquote(urlsplit(name).path)
    except ValueError:  # no address after all
        pass
    return name.replace("\\", "/")


class Pictures:
    """The pictures of a bundle.

    Attributes:
        used: names of those that were found.
        elsewhere: how many were found in another folder than their labels say.
    """

    def __init__(self, bundle: Bundle, alone: str, prefer: str = "") -> None:
        """``alone`` says what to do to bring in labels without pictures; of several pictures of
        one name, that below a folder called ``prefer`` is meant."""
        self._bundle, self._alone, self._prefer = bundle, alone, prefer
        self.used: set[str] = set()
        self.elsewhere = 0

    @cached_property
    def came_along(self) -> bool:
        """Whether there is any picture."""
        return bool(self._by_stem)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name in self._bundle.names:
            if is_picture(name):
                found[PurePosixPath(name).stem].append(name)
        return found

    def find(self, name: str, folders: Sequence[str], where: str) -> str | None:
        """The picture called ``name``, a path from one of ``folders``; if it is in none, one whose
        own path ends as ``name`` does. Without a suffix it may have any. ``where`` its labels
        stand is for people. None if no pictures came along at all.

        Raises:
            UserError: if pictures came along and it is not among them, several could be meant, or
                it is of a kind that is not read.
        """
        places = [posixpath.normpath(posixpath.join(folder, name)) for folder in folders]
        inside = [place for place in places if not leads_out(place)]
        for place in inside:
            if found := self._at(place, where):
                return self._use(found, where)
        if not self.came_along:
            return None
        parts = [part for part in name.split("/") if part.strip(".") and not part.endswith(":")]
        for start in range(len(parts)):
            if found := self._ending(parts[start:], where):
                self.elsewhere += start > 0 or leads_out(name)  # by less than the labels say
                return self._use(found, where)
        raise UserError(
            f"{where}: the image of {self._stem(parts)!r} is missing "
            f"(looked for as {', '.join(inside) or name}, and by its name in all of "
            f"{self._bundle.title}); add it, or {self._alone} to import labels alone."
        )

    def mark(self, name: str, folders: Sequence[str]) -> None:
        """Count the picture called ``name`` as used, if it is there; nobody needs it."""
        before = self.elsewhere
        with suppress(UserError):
            self.find(name, folders, "")
        self.elsewhere = before

    def _at(self, place: str, where: str) -> str | None:
        if is_picture(place):
            return place if place in self._bundle else None
        candidates = self._by_stem.get(PurePosixPath(place).name, ())
        return self._one([name for name in candidates if without_suffix(name) == place], where)

    def _ending(self, parts: list[str], where: str) -> str | None:
        found = []
        for name in self._by_stem.get(self._stem(parts), ()):
            own = name if is_picture(parts[-1]) else without_suffix(name)
            if list(PurePosixPath(own).parts[-len(parts) :]) == parts:
                found.append(name)
        return self._one(found, where)

    def _stem(self, parts: list[str]) -> str:
        return PurePosixPath(parts[-1]).stem if is_picture(parts[-1]) else parts[-1]

    def _one(self, found: list[str], where: str) -> str | None:
        read = [name for name in found if name.lower().endswith(SUFFIXES)]
        found = read or found
        preferred = [name for name in found if self._prefer in PurePosixPath(name).parts[:-1]]
        found = preferred or found
        if len(found) > 1:
            raise UserError(
                f"{where}: its image could be {' or '.join(found[:3])}; keep one of them, or "
                "name its folder."
            )
        return found[0] if found else None

    def _use(self, name: str, where: str) -> str:
        if not name.lower().endswith(SUFFIXES):
            raise UserError(
                f"{where}: its image {name} is of a kind that is not read; save the images as PNG."
            )
        self.used.add(name)
        return name

    @property
    def notes(self) -> tuple[str, ...]:
        """How they were found, where it was not as the labels say; a sentence each."""
        if not self.elsewhere:
            return ()
        were = counted(self.elsewhere, "image was", "images were")
        return (f"{were} found by name, in another folder than the labels say.",)
