"""Correct: the labels of one face after the other, put right on a canvas."""

from __future__ import annotations

import streamlit as st

from dashboard.correction import page, view
from dashboard.correction.author import author
from dashboard.current import require_current

current = require_current()
if (who := author()) is None:
    st.stop()
page.correct(current, view.enter(), who)
