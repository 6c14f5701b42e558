"""What a person waits for while others work on the same server: ``python -m benchmarks.load
[--quick] [PART ...] [--faces FOLDER]``.

One headless Chromium does the work that is timed; the other users speak Streamlit's own protocol
and draw nothing, so that their browsers, which would run on other machines, do not take this one's
cores. Each acts, waits for the answer, and thinks for one to three seconds (``users``) or not at
all (``hurried``, the worst that so many can do). Needs Debian's ``chromium`` and playwright.
"""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.correction import _FRAME, _NAME, _WATCH, _server, _settled
from benchmarks.data import Inputs
from benchmarks.report import Claim, Figure, Part, p95
from benchmarks.runner import measure
from benchmarks.startup import find_browser, launched

USERS = (1, 8, 25)
_THINK_S, _NO_PAUSE_S = (1.0, 3.0), (0.0, 0.0)
_LIMITS = {"browse": 0.5, "next": 1.0, "save": 0.5, "entry": 4.0}
"""Seconds at the 95th percentile with 8 users; three times as much with 25."""
_COUNT = 25
"""How often each is done."""
_PAGE, _FRAGMENT = 0, 3
"""How Streamlit says that a whole page, or a fragment of it, has run to its end."""


_OTHER_FACES = """() => {
  const shadows = [...document.querySelectorAll('*')].map((node) => node.shadowRoot);
  const roots = [document, ...shadows.filter((root) => root)];
  const faces = () => roots.flatMap((root) => [...root.querySelectorAll('.face img')])
    .map((image) => image.src).join();
  const [begin, before] = [performance.now(), faces()];
  window.took = null;
  const wait = () => {
    if (faces() && faces() !== before) window.took = performance.now() - begin;
    else requestAnimationFrame(wait);
  };
  wait();
}"""
"""From a call until other faces are shown."""


class User:
    """A session of the dashboard without a browser.

    Args:
        url: of the server.
        page: which page it is on, with the query of its link.
    """

    def __init__(self, url: str, page: str, query: str) -> None:
        self._url, self._page, self.query = url, page, query
        self._fragments: dict[str, str] = {}
        self._inputs: dict[str, str] = {}

    async def open(self) -> None:
        import websockets

        address = self._url.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = await websockets.connect(
            address, subprotocols=["streamlit"], max_size=None, origin=self._url
        )
        await self.run()

    async def run(self, press: str = "", texts: dict[str, str] | None = None) -> None:
        """Run the page, with a button pressed (the end of its key) or texts entered (by label);
        returns when it is drawn."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name = self.query, self._page
        for label, text in (texts or {}).items():
            widget = state.widget_states.widgets.add()
            widget.id, widget.string_value = self._inputs[label], text
        if press:
            widget = state.widget_states.widgets.add()
            widget.id = next(i for i in self._fragments if i.endswith(press))
            widget.trigger_value = True
            # As a browser does: only the fragment that the button stands in runs again.
            state.fragment_id = self._fragments[widget.id]
        await self._socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(await self._socket.recv())
            kind = answer.WhichOneof("type")
            if kind == "page_info_changed":
                self.query = answer.page_info_changed.query_string
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                self._note(answer.delta.new_element, answer.delta.fragment_id)
            elif kind == "script_finished" and answer.script_finished in (_PAGE, _FRAGMENT):
                return

    def _note(self, element: Any, fragment: str) -> None:
        kind = element.WhichOneof("type")
        if kind == "button":
            self._fragments[element.button.id] = fragment
        elif kind == "text_input":
            self._inputs[element.text_input.label] = element.text_input.id

    async def close(self) -> None:
        await self._socket.close()


Pause = tuple[float, float]
"""The least and the most that is thought between two actions, in seconds."""


async def _browses(url: str, number: int, rows: int, pause: Pause, over: threading.Event) -> None:
    user, chance = User(url, "browse", f"dataset={_NAME}"), random.Random(number)
    await user.open()
    while not over.is_set():
        await asyncio.sleep(chance.uniform(*pause))
        user.query = f"dataset={_NAME}&page={chance.randint(1, max(1, rows // 48))}"
        await user.run()
    await user.close()


async def _corrects(url: str, number: int, rows: int, pause: Pause, over: threading.Event) -> None:
    chance = random.Random(number)
    query = f"dataset={_NAME}&queue=all&row={chance.randrange(rows // 2)}"
    user = User(url, "correct", query)
    await user.open()
    await user.run("Begin", {"Your name": f"user {number}"})
    user.query = query
    await user.run()
    while not over.is_set():
        for press in ("correct-next", "correct-absent", "correct-save"):
            await asyncio.sleep(chance.uniform(*pause))
            await user.run(press)
    await user.close()


@contextmanager
def _others(url: str, act: Any, count: int, rows: int, pause: Pause) -> Iterator[None]:
    """``count`` users at work; an error of one of them is raised when the block ends."""
    over, failed = threading.Event(), []

    async def everyone() -> None:
        await asyncio.gather(*(act(url, number, rows, pause, over) for number in range(count)))

    def work() -> None:
        try:
            asyncio.run(everyone())
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        time.sleep(6 if count else 0)  # until they have come in
        yield
    finally:
        over.set()
        thread.join(60)
    if failed:
        raise failed[0]


def _browse(page: Any, url: str, count: int) -> list[float]:
    """Seconds from the click for the next page of faces until they are drawn."""
    page.goto(f"{url}/browse?dataset={_NAME}")
    page.locator(".face img").first.wait_for()
    _settled(page)
    took = []
    for number in range(count):
        page.evaluate(_OTHER_FACES)
        page.keyboard.press("ArrowLeft" if number % 2 else "ArrowRight")
        took.append(float(page.wait_for_function("() => window.took").json_value()) / 1e3)
        _settled(page)
    return took


def _correct(page: Any, url: str, count: int) -> tuple[float, list[float], list[float]]:
    """Seconds of the first entry, of each next image, and of each save."""
    began = time.monotonic()
    page.goto(f"{url}/correct?dataset={_NAME}&row=0&queue=all")
    page.get_by_label("Your name").fill("script")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector(f'{_FRAME} [aria-label="Edit"][aria-pressed="true"]', state="attached")
    entry = time.monotonic() - began
    _settled(page)
    page.evaluate(_WATCH)
    times: dict[str, list[float]] = {"ArrowRight": [], "Enter": []}
    for key in ("ArrowRight", "Enter"):
        for _ in range(count):
            page.evaluate("watch()")
            page.keyboard.press(key)
            times[key].append(float(page.wait_for_function("() => window.took").json_value()) / 1e3)
            _settled(page)
    return entry, times["ArrowRight"], times["Enter"]


def users(inputs: Inputs) -> Part:
    """A page of Browse, the next image, a save and the first entry to Correct, with 1, 8 and 25
    users."""
    return Part(
        "users",
        _times(inputs, USERS, _THINK_S),
        [
            f"95th percentiles of {_COUNT}; the first entry once. Drawn in Chromium: all faces of "
            "the page, or the face and its points. Of the others half of their time is thought, "
            "one to three seconds between two actions.",
        ],
    )


def hurried(inputs: Inputs) -> Part:
    """The same while the others act as soon as they have their answer."""
    return Part(
        "hurried",
        _times(inputs, USERS[1:], _NO_PAUSE_S),
        [
            f"95th percentiles of {_COUNT}, as in 'users', but the others never pause: each is "
            "then worth several people.",
        ],
    )


def _times(inputs: Inputs, counts: Sequence[int], pause: Pause) -> list[Figure]:
    quick = inputs.sizes.repeats < 2
    count = 3 if quick else _COUNT
    browser = find_browser()
    if browser is None:
        raise RuntimeError("no Chromium found: install Debian's 'chromium'")
    figures = []
    with _server(inputs.usual_home) as url, launched(browser) as chromium:
        for number in counts[:-1] if quick else counts:
            limit = {8: 1.0, 25: 3.0}.get(number, 0.0)
            found: dict[str, float] = {}
            for act in (_browses, _corrects):
                page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
                page.set_default_timeout(60_000)
                with _others(url, act, number - 1, inputs.sizes.rows, pause):
                    if act is _browses:
                        found["browse"] = p95(_browse(page, url, count))
                    else:
                        entry, following, saves = _correct(page, url, count)
                        found |= {"entry": entry, "next": p95(following), "save": p95(saves)}
                page.context.close()
            for what, words in _WORDS.items():
                claim = Claim("below", limit * _LIMITS[what]) if limit else None
                figures.append(Figure(f"{number} users: {words}", found[what], "s", claim))
    return figures


_WORDS = {
    "browse": "a page of Browse",
    "next": "the next image in Correct",
    "save": "save and next",
    "entry": "first entry to Correct",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; returns the exit code."""
    return measure("load", __doc__, {"users": users, "hurried": hurried}, argv)


if __name__ == "__main__":
    sys.exit(main())
