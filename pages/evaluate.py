"""Evaluate: how good one or two trained models are, in numbers and on faces."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.current import require_current
from dashboard.evaluation import controls, expected, faces, gain, headline, numbers, view
from dashboard.links import one_of

SECTIONS = {
    "numbers": numbers.section,
    "gain": gain.section,
    "faces": faces.section,
    "expected": expected.section,
}
ASKS = {"gain": gain.known, "expected": expected.known}

current = require_current()
models = controls.require_models()
shown = controls.controls(view.enter(), current, models)
view.write(shown)
compared = controls.compare(shown, current, models)
headline.headline(compared)
offered = [key for key in view.SECTIONS if key not in ASKS or ASKS[key](compared)]
section = shown.section if shown.section in offered else offered[0]
one_of(
    st.segmented_control,
    "Section",
    {key: view.SECTIONS[key] for key in offered},
    view.linked(replace(shown, section=section), "section"),
    label_visibility="collapsed",
)
SECTIONS[section](compared, shown)
