"""Who corrects: asked once."""

from __future__ import annotations

import streamlit as st

from dashboard.correction.hands import hands
from dashboard.words import plain
from fkd.errors import UserError
from fkd.labels.store import check_author

_KEY = "correct-author"


def author() -> str | None:
    """The name that changes are kept with; None until it is known, with the question on the
    page."""
    if name := st.session_state.get(_KEY):
        return str(name)
    with st.form("correct-who", border=True, width=420):
        st.markdown("**What is your name?**  \nEvery change of a label is kept with a name.")
        given = st.text_input("Your name", max_chars=80, label_visibility="collapsed")
        if st.form_submit_button("Begin", type="primary"):
            try:
                _take(given)
            except UserError as error:
                st.error(plain(str(error)), icon=":material/error:")
            else:
                st.rerun()
    hands("", None, {}, "", None, {"author": lambda name: _take(str(name))})
    return None


def known() -> str:
    """The name as far as it is known, without asking; empty where it is not."""
    return str(st.session_state.get(_KEY, ""))


def _take(name: str) -> None:
    st.session_state[_KEY] = check_author(name)


def forget() -> None:
    """Ask again."""
    st.session_state.pop(_KEY, None)
