"""Pages run in-process through AppTest, on a small demo dataset made once."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
import streamlit as st
from evaluation_helper import no_bundled_model
from streamlit.testing.v1 import AppTest

from fkd.demo import DemoSpec, make_demo
from fkd.measures import measure
from fkd.registry import open_named

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory):
    """A workspace with the dataset ``demo``: 90 training and 22 test images, measured."""
    home = tmp_path_factory.mktemp("demo-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FKD_HOME", str(home))
        dataset, _ = make_demo("demo", DemoSpec(rows=90, seed=3))
        measure(dataset)
    return home


@pytest.fixture
def empty_home(tmp_path, monkeypatch):
    """A workspace without any dataset."""
    home = tmp_path / "home"
    monkeypatch.setenv("FKD_HOME", str(home))
    st.cache_data.clear()
    st.cache_resource.clear()
    return home


@pytest.fixture
def home(empty_home, demo_home):
    """A workspace with the dataset ``demo`` for this test alone."""
    shutil.copytree(demo_home, empty_home)
    return empty_home


@pytest.fixture
def dataset(home):
    """The dataset ``demo`` of that workspace."""
    return open_named("demo")


@pytest.fixture
def no_bundled(monkeypatch):
    """As in an installation without the bundled model."""
    no_bundled_model(monkeypatch)


class App:
    """The dashboard, opened on one page."""

    def __init__(self, page: str = "data", /, **query: str) -> None:
        self.at = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
        self.at.run()
        if page != "data":
            self.at.switch_page(f"../pages/{page}.py")
        for key, value in query.items():
            self.at.query_params[key] = value
        self.run()

    def run(self) -> App:
        self.at.run()
        assert not self.at.exception, [e.value for e in self.at.exception]
        return self

    def come_back(self, page: str) -> App:
        """Look at Statistics, then open ``page`` from the menu, which leaves the link empty."""
        for name in ("stats", page):
            self.at.switch_page(f"../pages/{name}.py")
            self.at.query_params.clear()
            self.run()
        return self

    def finish(self) -> App:
        """Run the page once no task is running any more."""
        from dashboard.tasks import tasks

        for _ in range(300):
            if all(task.state != "running" for task in tasks().list()):
                return self.run()
            time.sleep(0.1)
        raise AssertionError("the task did not end")

    def button(self, label: str):
        """The last button that bears ``label``: dialogs come last."""
        return [b for b in self.at.button if b.label == label][-1]

    @property
    def query(self) -> dict[str, str]:
        return {
            key: value[0] if isinstance(value, list) else value
            for key, value in self.at.query_params.items()
        }

    @property
    def text(self) -> str:
        """All that is written on the page, as it reads: without Markdown's backslashes."""
        kinds = ("markdown", "caption", "info", "warning", "error", "success")
        written = "\n".join(e.value for kind in kinds for e in getattr(self.at, kind))
        return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", written)

    def metrics(self) -> dict[str, str]:
        return {m.label: m.value for m in self.at.metric}


@pytest.fixture
def app():
    return App


@pytest.fixture
def correct():
    """Opens Correct under a name."""

    def correct(name: str = "Ann", **query: str) -> App:
        page = App("correct", **query)
        page.at.text_input[0].set_value(name)
        page.button("Begin").click()
        return page.run()

    return correct
