"""What ``fkd dashboard`` serves: the app, behind a door that only its own pages pass."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Streamlit puts this file's folder on the path; the packages lie one above.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from starlette.middleware import Middleware
from streamlit.starlette import App

from dashboard.door import Door

app = App(ROOT / "dashboard" / "app.py", middleware=[Middleware(Door)])
