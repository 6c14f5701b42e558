"""What all tests share: a workspace of their own, and tiny files in Kaggle's layout."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from kaggle_helper import Tables, write_tables


@pytest.fixture(autouse=True)
def fkd_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace for this test alone; the real one is never touched."""
    home = tmp_path / "home"
    monkeypatch.setenv("FKD_HOME", str(home))
    if (streamlit := sys.modules.get("streamlit")) is not None:
        streamlit.cache_data.clear()
        streamlit.cache_resource.clear()
    return home


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Seven training rows, three test images and the lookup table. Not to be changed."""
    return write_tables(tmp_path_factory.mktemp("kaggle"), 7, 3)


@pytest.fixture(scope="session")
def other_tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """As ``tables``, with other content. Not to be changed."""
    return write_tables(tmp_path_factory.mktemp("other"), 5, 2, seed=1)


@pytest.fixture(scope="session")
def tiny_drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny dataset, drawn once; ``put_tiny`` registers it in a test's workspace."""
    from training_helper import write_tiny

    folder = tmp_path_factory.mktemp("drawn") / "tiny"
    write_tiny(folder)
    return folder
