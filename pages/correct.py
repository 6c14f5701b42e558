"""Correct: the labels of one face after the other, put right on a canvas."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard import loaders
from dashboard.correction.author import author
from dashboard.correction.exchange import exchange
from dashboard.correction.page import correct
from dashboard.current import require_current

current = require_current()
if (who := author()) is None:
    st.stop()
# Corrections are kept against the labels as they were ingested.
ingested = loaders.ingested(current.dataset.name)
correct(replace(current, dataset=ingested), who)
exchange(ingested, who)
