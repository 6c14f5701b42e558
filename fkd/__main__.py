"""``python -m fkd``: the command line."""

import sys

from fkd.cli import main

if __name__ == "__main__":
    sys.exit(main())
