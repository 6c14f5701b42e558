"""Entry point of the dashboard: the frame around every page, and the router."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Streamlit puts this file's folder on the path; the packages lie one above.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st

from dashboard import state
from dashboard.guard import guard, refuse_unsafe, tell_failures, tell_read_only
from dashboard.training.chip import training_chip
from fkd import private

# An icon of our own, before the pages have theirs: the browser would fetch a Material one from the
# internet. The sidebar as narrow as the words in it allow: pictures want the room.
st.set_page_config(
    page_icon=str(ROOT / "dashboard" / "icon.svg"), layout="wide", initial_sidebar_state=225
)

refuse_unsafe()
private.begin()

st.logo(str(ROOT / "dashboard" / "logo.svg"), size="large")
st.html(ROOT / "dashboard" / "style.css")

PAGES = ROOT / "pages"
page = st.navigation(
    [
        st.Page(PAGES / "data.py", title="Data", icon=":material/database:", default=True),
        st.Page(PAGES / "browse.py", title="Browse", icon=":material/grid_view:"),
        st.Page(
            PAGES / "stats.py",
            title="Statistics",
            icon=":material/bar_chart:",
            url_path="statistics",
        ),
        st.Page(PAGES / "train.py", title="Train", icon=":material/model_training:"),
        st.Page(PAGES / "evaluate.py", title="Evaluate", icon=":material/target:"),
        st.Page(PAGES / "predict.py", title="Predict", icon=":material/add_a_photo:"),
        st.Page(PAGES / "correct.py", title="Correct", icon=":material/edit_location_alt:"),
    ]
)
with guard(f"page {page.title}"):
    tell_failures()
    tell_read_only()
    state.dataset_picker()
    training_chip(page.title)
    page.run()
