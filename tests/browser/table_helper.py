"""Whether tables fit where they stand."""

from __future__ import annotations

from browser_helper import idle

_TABLE = "[data-testid=stDataFrame]"
_WIDTHS = """tables => tables.map(table => {
  const scroller = table.querySelector('.dvn-scroller');
  return scroller && [scroller.scrollWidth, scroller.clientWidth];
})"""


def tables_cut_off(page, tables: int) -> list[tuple[int, int]]:
    """Of the ``tables`` on ``page``, those that do not show all of their width: how wide they would
    have to be, and how wide they are, in CSS px."""
    idle(page)
    page.wait_for_function(
        f"n => document.querySelectorAll('{_TABLE} .dvn-scroller').length >= n", arg=tables
    )
    page.wait_for_timeout(500)  # columns get their widths once more after they were drawn
    widths = page.locator(_TABLE).evaluate_all(_WIDTHS)
    return [(needed, shown) for needed, shown in widths if needed > shown + 1]
