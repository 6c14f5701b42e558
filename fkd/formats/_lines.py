"""One line of separated text."""

from __future__ import annotations

import re
from functools import cache

from fkd.words import counted


@cache
def _field(separator: str) -> re.Pattern[str]:
    end = re.escape(separator)
    return re.compile(rf'(?:"([^"]*(?:""[^"]*)*)"|([^"{end}]*))({end}|$)')


def split_fields(line: str, separator: str = ",") -> list[str] | None:
    """The fields of one line, quotes removed; None if a quote is out of place."""
    if '"' not in line:
        return line.split(separator)
    fields, position = [], 0
    while match := _field(separator).match(line, position):
        quoted, plain, end = match.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        if not end:
            return fields
        position = match.end()
    return None


def fields_of(
    line: bytes, expected: int, separator: str = ",", fewest: int | None = None
) -> list[str] | tuple[str, str]:
    """The ``expected`` fields of a data row, or what is wrong with it and the category of that.

    Blank fields too many at the end do no harm; those that lack there, down to ``fewest`` fields,
    are blank.
    """
    if not line:
        return "the line is blank", "blank line"
    try:
        fields = split_fields(line.decode("utf-8"), separator)
    except UnicodeDecodeError as error:
        byte = line[error.start]
        reason = f"byte 0x{byte:02x} is not UTF-8 text; save the file as UTF-8"
        return reason, "not UTF-8 text"
    if fields is None:
        return "a quotation mark is out of place", "stray quotation mark"
    found = len(fields)
    if not any(field.strip() for field in fields[expected:]):
        fields = fields[:expected]
    if len(fields) < expected and len(fields) >= (expected if fewest is None else fewest):
        fields += [""] * (expected - len(fields))
    if len(fields) != expected:
        return (
            f"{counted(found, 'field')} found, {expected:,} expected",
            "wrong number of fields",
        )
    return fields
