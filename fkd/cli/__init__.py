"""The command line, a thin layer: each verb parses, calls the library and prints."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from fkd import __version__, private
from fkd.cli import app, data, evaluation, exchange, labels, prediction, suspects, training
from fkd.errors import UserError, explain

USER_ERROR = 2
"""Exit code where the user can put it right; one line on stderr says how."""

UNEXPECTED = 1
"""Exit code of a mistake of the program's own; the log has the details."""


WRITING = frozenset(
    {"demo", "ingest", "remove", "download", "train", "resume", "export", "import"}
    | {"evaluate", "suspects", "dashboard"}
)
"""Verbs that write to the workspace: before them, what killed ones left half made goes."""


def build_parser() -> argparse.ArgumentParser:
    """The parser with every verb; each verb's function is its ``run`` default."""
    parser = argparse.ArgumentParser(
        prog="fkd", description="A workbench for facial keypoints: browse, train, predict, correct."
    )
    parser.add_argument("--version", action="version", version=f"fkd {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    for module in (data, training, evaluation, prediction, exchange, labels, suspects, app):
        module.add_verbs(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb. Returns the exit code: 0, or 2 after a user's error."""
    arguments = build_parser().parse_args(argv)
    private.begin()
    try:
        if arguments.verb in WRITING:
            from fkd.housekeeping import tidy

            tidy()
        arguments.run(arguments)
    except (UserError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # the reader of a pipe, such as `head`, had enough
            sys.stderr.close()
            return 0
        print(f"fkd: {explain(error)}", file=sys.stderr)
        return USER_ERROR
    except Exception as error:
        from fkd.log import log_unexpected

        path = log_unexpected(f"fkd {' '.join(argv if argv is not None else sys.argv[1:])}", error)
        print(
            f"fkd: something unexpected went wrong ({type(error).__name__}); details are in {path}",
            file=sys.stderr,
        )
        return UNEXPECTED
    except KeyboardInterrupt:
        print("fkd: stopped; nothing was changed.", file=sys.stderr)
        return 130
    return 0
