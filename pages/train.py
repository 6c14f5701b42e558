"""Train: start a training, watch it live, compare it with others."""

from __future__ import annotations

import streamlit as st

from dashboard.training import form, table, view, watch

if names := view.shown():
    watch.watch(names)
else:
    new = st.container()
    table.runs_table()
    with new:  # the last: without a dataset it ends the page
        form.new_training()
