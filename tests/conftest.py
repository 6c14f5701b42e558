"""What all tests share: a workspace of their own, and tiny files in Kaggle's layout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kaggle_helper import Tables, write_tables
from sqlalchemy.engine import URL


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: processes that share the tests then end at about the same time."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def fkd_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace for this test alone; the real one is never touched."""
    home = tmp_path / "home"
    monkeypatch.setenv("FKD_HOME", str(home))
    if (streamlit := sys.modules.get("streamlit")) is not None:
        streamlit.cache_data.clear()
        streamlit.cache_resource.clear()
    yield home
    if (database := sys.modules.get("fkd.labels.database")) is not None:
        database.close()


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


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server; without one the tests are skipped, or fail where one is required."""
    from benchmarks.postgres import running

    with running() as server:
        if server is not None:
            yield server
            return
    reason = "no PostgreSQL server found (install Debian's 'postgresql')"
    if os.environ.get("FKD_REQUIRE_POSTGRES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> URL:
    """A file for labels that is not there yet."""
    return URL.create("sqlite", database=str(tmp_path / "labels.sqlite"))


@pytest.fixture
def postgres_url(postgres) -> Iterator[URL]:
    """An empty database."""
    from fkd.labels import database

    url = postgres.database()
    yield url
    database.close()
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def label_url(request: pytest.FixtureRequest) -> URL:
    """A database for labels of either kind."""
    kind = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return request.getfixturevalue(kind)
