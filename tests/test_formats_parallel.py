import threading
from collections.abc import Iterator

import pytest

from fkd.formats._parallel import MAX_WORKERS, ordered_map


def test_results_come_in_order_whoever_is_done_first() -> None:
    later = threading.Event()

    def work(n: int) -> int:
        if n == 0:
            later.wait(1)
        elif n == 1:
            later.set()
        return n * n

    assert list(ordered_map(work, range(20))) == [n * n for n in range(20)]
    assert list(ordered_map(work, [])) == []


def test_items_are_taken_only_a_little_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for n in range(1000):
            taken.append(n)
            yield n

    results = ordered_map(abs, items())
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    results.close()
    assert len(taken) <= 3 + MAX_WORKERS


def test_errors_arrive_at_their_place_and_end_the_threads() -> None:
    before = threading.active_count()
    results = ordered_map(lambda n: 6 // n, [3, 2, 0, 1])
    assert next(results) == 2
    assert next(results) == 3
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert threading.active_count() == before
