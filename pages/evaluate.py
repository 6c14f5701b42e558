"""Evaluate: how good one or two trained models are, in numbers and on faces."""

from __future__ import annotations

import streamlit as st

from dashboard.current import require_current
from dashboard.evaluation import controls, expected, faces, headline, numbers, view

SECTIONS = {"numbers": numbers.section, "faces": faces.section, "expected": expected.section}

current = require_current()
models = controls.require_models()
shown = controls.controls(view.enter(), current, models)
view.write(shown)
compared = controls.compare(shown, current, models)
headline.headline(compared)
offered = [key for key in view.SECTIONS if key != "expected" or expected.known(compared)]
section = shown.section if shown.section in offered else offered[0]
st.session_state["e-section"] = section
st.segmented_control(
    "Section",
    offered,
    format_func=view.SECTIONS.get,
    required=True,
    label_visibility="collapsed",
    **view.changes(shown, "e-section", "section"),
)
SECTIONS[section](compared, shown)
