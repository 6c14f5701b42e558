from __future__ import annotations

import pytest
from labels_helper import store_at

from fkd.errors import UserError
from fkd.labels.views import MAX_VIEWS, delete_view, rename_view, save_view, saved_views


@pytest.fixture
def store(label_url):
    return store_at(label_url)


def test_views_are_kept_renamed_and_deleted(store):
    query = {"filter": "complete", "tags": "a hat & more,blurred", "sort": "error"}
    save_view(store, " Worst ", query, "Ann")
    save_view(store, "all", {})
    assert [view.name for view in saved_views(store)] == ["all", "Worst"]
    view = saved_views(store)[1]
    assert (view.query, view.author) == (query, "Ann")
    rename_view(store, "Worst", "Best")
    save_view(store, "Best", {"sort": "missing"}, "Bob")
    assert saved_views(store)[1].query == {"sort": "missing"}
    delete_view(store, "all")
    delete_view(store, "all")
    assert [view.name for view in saved_views(store)] == ["Best"]


def test_a_name_is_one_views(store):
    save_view(store, "a", {})
    save_view(store, "b", {})
    with pytest.raises(UserError, match="'b' already"):
        rename_view(store, "a", "b")
    with pytest.raises(UserError, match="no view 'c'"):
        rename_view(store, "c", "d")


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\nb"])
def test_what_is_no_name(store, name):
    with pytest.raises(UserError):
        save_view(store, name, {})


def test_there_is_an_end(sqlite_url):
    store = store_at(sqlite_url)
    with pytest.raises(UserError, match="single images"):
        save_view(store, "long", {"rows": "1," * 20_000})
    for number in range(MAX_VIEWS):
        save_view(store, str(number), {})
    with pytest.raises(UserError, match="already"):
        save_view(store, "one more", {})


def test_datasets_do_not_share_views(label_url):
    save_view(store_at(label_url), "a", {})
    assert saved_views(store_at(label_url, "others")) == []
