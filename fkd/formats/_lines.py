"""One line of comma-separated text."""

from __future__ import annotations

import re

_FIELD = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|$)')


def split_fields(line: str) -> list[str] | None:
    """The fields of one line, quotes removed; None if a quote is out of place."""
    if '"' not in line:
        return line.split(",")
    fields, position = [], 0
    while match := _FIELD.match(line, position):
        quoted, plain, end = match.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        if not end:
            return fields
        position = match.end()
    return None


def fields_of(line: bytes, expected: int) -> list[str] | tuple[str, str]:
    """The fields of a data row, or what is wrong with it and the category of that."""
    if not line:
        return "the line is blank", "blank line"
    try:
        fields = split_fields(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        byte = line[error.start]
        reason = f"byte 0x{byte:02x} is not UTF-8 text; save the file as UTF-8"
        return reason, "not UTF-8 text"
    if fields is None:
        return "a quotation mark is out of place", "stray quotation mark"
    if len(fields) != expected:
        plural = "" if len(fields) == 1 else "s"
        reason = f"{len(fields)} field{plural} found, {expected} expected"
        return reason, "wrong number of fields"
    return fields
