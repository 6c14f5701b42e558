"""Errors of pages and callbacks become one sentence, once; none becomes a traceback."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def script():
    """A page with a button that fails in its callback, and a box that makes the page itself fail;
    AppTest runs the text of this function."""
    import errno

    import streamlit as st

    from dashboard.guard import guard, safely, tell_failures
    from fkd.errors import UserError

    errors = {
        "user": UserError("Choose $one$ of *them*."),
        "full": OSError(errno.ENOSPC, "No space left on device"),
        "bug": ZeroDivisionError("secret detail"),
    }

    def fail(kind):
        raise errors[kind]

    with guard("page"):
        tell_failures()
        for kind in errors:
            st.button(kind, on_click=safely("button", fail, kind))
        st.button("fine", on_click=safely("button", st.session_state.setdefault, "did", "it"))
        if chosen := st.text_input("fail with"):
            fail(chosen)
        st.markdown("end")


def page():
    return AppTest.from_function(script).run()


def said(at):
    assert not at.exception
    return [error.value for error in at.error]


def press(at, label):
    next(b for b in at.button if b.label == label).click()
    return said(at.run())


def test_a_failing_callback_is_told_once_and_the_page_goes_on():
    at = page()
    assert press(at, "user") == [r"Choose \$one\$ of \*them\*."]
    assert at.markdown[0].value == "end"
    assert said(at.run()) == []


def test_what_the_system_or_a_bug_raised_is_in_the_log_too(fkd_home):
    at = page()
    (full,) = press(at, "full")
    assert full.startswith("The disk is full. Free space")
    (bug,) = press(at, "bug")
    assert bug.startswith("Something unexpected went wrong (ZeroDivisionError).")
    assert "secret" not in bug
    log = (fkd_home / "logs" / "fkd.log").read_text()
    assert "secret detail" in log
    assert "No space left" in log


def test_a_callback_that_works_is_just_called():
    at = page()
    assert press(at, "fine") == []
    assert at.session_state["did"] == "it"


def test_a_failing_page_is_told_and_ends():
    at = page()
    at.text_input[0].set_value("user")
    assert len(said(at.run())) == 1
    assert not at.markdown
