// What the drawing canvas lacks for placing points: points can be dragged without switching anything
// on, a click on the face is told with its place, what was dragged is told at once, one can look
// closer (canvas_view.js), and marks look as everywhere (canvas_marks.js). And keys that no button can
// have. The canvas itself is the library's; this works on it from outside.
const FIND_MS = 50;
const STEADY_PX = 3; // of the screen, that a click may move by
const LOST_MS = 3000; // a press that nothing follows for so long has been lost
const NAME = "fkd-annotator";
const SINGLE_KEYS = "fkd-single-keys";

function canvasOf(name) {
  const frame = document.querySelector(`.st-key-${name}`);
  for (const node of frame ? frame.querySelectorAll("*") : [])
    if (node.shadowRoot && node.shadowRoot.querySelector(".dc-root")) return node.shadowRoot;
  return null;
}

// Whether the key is for something that keys do more with: a text, a slider, what is folded out.
function typing(event) {
  const at = event.composedPath()[0];
  return at.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(at.tagName) ||
    !!at.closest?.('[role="slider"], [role="listbox"], [role="menu"], [data-testid="stPopoverBody"]');
}

// Whether the key belongs to what has the focus: a control that somebody went to with the keyboard.
function focused(event) {
  const at = event.composedPath()[0];
  return at.matches("button, a, [role=button], [role=tab], summary") && at.matches(":focus-visible");
}

// Returns whether there was something to press.
function press(key) {
  const button = document.querySelector(`.st-key-${key} button`);
  if (!button || button.disabled) return false;
  button.click();
  return true;
}

// Said to whatever else shows points; the list says and hears the same, and asks to "choose" one.
const say = (what, k) => window.dispatchEvent(new CustomEvent(`fkd-point-${what}`, { detail: k }));

// A key as it stands in data.keys: "z", "Shift+z", "Ctrl+Shift+z", "Shift+ArrowLeft", "?", "1".
function named({ key, code, shiftKey, ctrlKey, metaKey }) {
  const sign = key.length === 1 && key.toLowerCase() === key.toUpperCase();
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code);
  // Where digits are typed with Shift, their keys choose points all the same.
  if (sign) return digit && !shiftKey && !"+-=?".includes(key) ? digit[1] : key;
  const name = key.length === 1 ? key.toLowerCase() : key;
  return (ctrlKey || metaKey ? "Ctrl+" : "") + (shiftKey ? "Shift+" : "") + name;
}

const app = () => document.querySelector("[data-testid=stApp]");
const running = () => app().dataset.testScriptState === "running";
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// When the page begins to work, or stops; asked before what makes it.
const changes = () => new Promise((done) => {
  const watch = new MutationObserver(done);
  watch.observe(app(), { attributes: true, attributeFilter: ["data-test-script-state"] });
  setTimeout(() => { watch.disconnect(); done(); }, LOST_MS);
});

// The canvas in `root`, with its mouse and its marks, as long as it is there. `hands` is who is told.
class Stage {
  constructor(root) {
    Object.assign(this, { root, live: new Map(), told: {}, hovered: null });
    const style = document.createElement("style");
    style.textContent = STYLE;
    root.append(style);
    this.box = root.querySelector(".dc-container");
    this.holder = document.createElement("div");
    this.holder.className = "marks";
    root.querySelector(".dc-scroll").append(this.holder);
    this.view = new View(root, this.box, () => this.draw());
    watchCircles(root.querySelector(".dc-canvas"), (color, x, y) => this.circle(color, x, y));
    this.listen();
  }

  get face() { return this.hands.data.face; }

  show(hands) {
    this.hands = hands;
    const { face } = this;
    if (face.id !== this.id) this.view.zoom = 1;
    if (face.serial !== this.serial || face.id !== this.id) {
      this.live.clear();
      this.told = {};
    }
    Object.assign(this, { id: face.id, serial: face.serial });
    this.colors = new Map(face.points.map(({ color }, k) => [color, k]));
    for (const k of [...this.live.keys()]) if (!face.marks[k]) this.live.delete(k);
    // What was dragged since the page was asked stays where it is.
    for (const [k, [x, y]] of Object.entries(face.marks)) {
      const news = `${x} ${y}`;
      if (this.told[k] !== news || !this.live.has(+k)) this.live.set(+k, [x, y]);
      this.told[k] = news;
    }
    this.root.querySelector(".dc-background-canvas").style.imageRendering = face.pixelated ? "pixelated" : "";
    this.fit();
  }

  fit() {
    this.view.fit(document.querySelector(`.st-key-${this.hands.data.canvas}`));
  }

  // A circle was drawn at x, y px of the canvas. Returns whether it is one of a point.
  circle(color, x, y) {
    const k = this.colors?.get(color);
    if (k === undefined || !this.face) return false;
    const place = [x / this.face.scale - 0.5, y / this.face.scale - 0.5];
    const was = this.live.get(k);
    if (was && Math.hypot(was[0] - place[0], was[1] - place[1]) > 0.02) {
      this.live.set(k, place);
      this.drawing ||= requestAnimationFrame(() => { this.drawing = null; this.draw(); });
    }
    return true;
  }

  draw() {
    if (!this.hands || !this.face) return;
    const { scale } = this.face;
    const [left, top, width, height] = this.view.seen;
    this.seen = [left / scale - 0.5, top / scale - 0.5, width / scale, height / scale];
    drawOnCanvas(this.holder, this.face, this.live, this.hovered, scale * this.view.scale, this.seen);
  }

  // The place of an event, in px of the face.
  place(event) {
    return this.view.place(event).map((px) => px / this.face.scale - 0.5);
  }

  // The point whose mark, or whose arrow, is at `place`; null if none is in reach.
  at(place) {
    const px = this.face.scale * this.view.scale;
    let [nearest, least] = [null, (1.8 * this.face.radius + 2) / px];
    for (const [k, at] of this.live) {
      const shown = outside(at, this.face) ? arrowTo(at, this.seen, (2.4 * this.face.radius) / px).at : at;
      const away = Math.hypot(shown[0] - place[0], shown[1] - place[1]);
      if (away < least) [nearest, least] = [k, away];
    }
    return nearest;
  }

  listen() {
    const gone = new AbortController();
    const on = (target, kinds, act) => {
      for (const kind of kinds)
        target.addEventListener(kind, (event) => {
          if (!this.root.host.isConnected) gone.abort();
          else if (this.hands && this.face) act(event);
        }, { capture: true, passive: false, signal: gone.signal });
    };
    const screen = (event) => {
      const point = event.changedTouches ? event.changedTouches[0] : event;
      return [point.clientX, point.clientY];
    };
    const root = this.root.querySelector(".dc-root");
    let [from, last, moved] = [null, null, false];
    on(this.box, ["mousedown", "touchstart"], (event) => {
      if (event.button === 1 || (!event.button && this.hands.space)) {
        event.preventDefault();
        event.stopPropagation();
        last = screen(event);
        root.classList.add("panning");
        return;
      }
      if (event.button) return;
      [from, moved] = [screen(event), false];
      // What has the focus gives it up, but not to the page: that would show a frame around itself.
      if (!event.touches) event.preventDefault();
      document.activeElement?.blur();
      // The canvas' own circles grow with the zoom: beside a mark nothing is taken hold of.
      const place = this.place(event);
      const near = [...this.live.values()].some((at) =>
        Math.max(Math.abs(at[0] - place[0]), Math.abs(at[1] - place[1])) < 13 / this.face.scale);
      if (near && this.at(place) === null && this.view.zoom > 1) event.stopPropagation();
    });
    on(window, ["mousemove", "touchmove"], (event) => {
      const to = screen(event);
      if (last) {
        this.view.panBy(to[0] - last[0], to[1] - last[1]);
        last = to;
        event.stopPropagation();
      } else if (from) {
        moved ||= Math.hypot(to[0] - from[0], to[1] - from[1]) > STEADY_PX;
        if (!moved) event.stopPropagation(); // a click moves nothing
      }
    });
    on(window, ["mouseup", "touchend"], (event) => {
      root.classList.remove("panning");
      last = null;
      if (!from) return;
      from = null;
      // After the canvas has seen the event too. It would wait a moment before it tells.
      setTimeout(() => {
        if (moved) this.root.querySelector('[aria-label="Update the app with this drawing"]').click();
        else this.clicked(this.place(event));
      });
    });
    on(this.box, ["mousemove"], (event) => {
      if (!from && !last) this.hover(this.at(this.place(event)));
    });
    on(this.box, ["mouseleave"], () => this.hover(null));
    on(window, ["fkd-point-hover"], ({ detail }) => {
      this.hovered = detail;
      this.draw();
    });
    on(window, ["fkd-point-active"], ({ detail }) => {
      this.face.active = detail;
      this.draw();
    });
    on(window, ["resize"], () => this.fit());
  }

  hover(k) {
    if (k === this.hovered) return;
    this.box.title = k === null ? "" : this.face.points[k].label;
    say("hover", k);
  }

  clicked(place) {
    const k = this.at(place);
    if (k !== null) this.hands.choose(k);
    else this.hands.click({ x: place[0], y: place[1], serial: this.face.serial });
  }
}

// The keys, and what the browser remembers.
class Hands {
  constructor() {
    this.queue = [];
    this.gone = new AbortController();
    const { signal } = this.gone;
    // Before Streamlit, whose shortcuts are shown on the buttons.
    window.addEventListener("keydown", (event) => this.down(event), { capture: true, signal });
    window.addEventListener("keyup", (event) => this.up(event), { capture: true, signal });
    window.addEventListener("fkd-point-choose", ({ detail }) => this.choose(detail), { signal });
    window.addEventListener("blur", () => this.up({ key: " " }), { signal });
  }

  update({ data, setTriggerValue, setStateValue }) {
    this.data = data;
    // What the page answers is behind what waits to be told.
    const waiting = this.queue.findLast((act) => act.k !== undefined);
    if (waiting && data.face) data.face.active = waiting.k;
    this.tell = setTriggerValue;
    clearInterval(this.waiting);
    if (data.face && !this.hold())
      this.waiting = setInterval(() => { if (this.hold()) clearInterval(this.waiting); }, FIND_MS);
    if (data.author) localStorage.setItem(NAME, data.author);
    else if (localStorage.getItem(NAME)) setStateValue("author", localStorage.getItem(NAME));
    if (data.single_keys !== null) localStorage.setItem(SINGLE_KEYS, data.single_keys ? "on" : "off");
    else if (data.face && localStorage.getItem(SINGLE_KEYS) === "off") setStateValue("single_keys", false);
  }

  stop() {
    clearInterval(this.waiting);
    this.gone.abort();
  }

  hold() {
    const root = canvasOf(this.data.canvas);
    if (!root) return false;
    this.stage = root.stage ||= new Stage(root);
    this.stage.show(this);
    const edit = root.querySelector('[aria-label="Edit"]');
    if (edit.getAttribute("aria-pressed") !== "true") edit.click();
    return true;
  }

  click(place) {
    this.push(() => { this.tell("click", place); return true; });
  }

  choose(k) {
    if (!this.data.face) return;
    say("active", k);
    // Of several that are still waiting, the last counts.
    if (this.queue.length && this.queue[this.queue.length - 1].k !== undefined) this.queue.pop();
    this.push(Object.assign(() => { this.tell("choose", k); return true; }, { k }));
  }

  push(act) {
    this.queue.push(act);
    this.work();
  }

  // Move the chosen point; what waits already is moved together.
  nudge(x, y) {
    const { active, step } = this.data.face;
    const last = this.queue[this.queue.length - 1];
    const by = last?.by || [0, 0];
    by[0] += x * step;
    by[1] += y * step;
    if (active !== null && !last?.by)
      this.push(Object.assign(() => { this.tell("nudge", by); return true; }, { by }));
  }

  // Do what waits, one after the other, each once the page has answered the one before: done while
  // it still works, two would be one.
  async work() {
    if (this.busy) return;
    this.busy = true;
    while (this.queue.length) {
      while (running()) await pause(10);
      const begins = changes();
      if (this.queue.shift()()) await begins;
    }
    this.busy = false;
  }

  down(event) {
    const { data, stage } = this;
    const at = event.composedPath()[0];
    // A number that was entered leaves the keys to the canvas again.
    if (event.key === "Enter" && at.type === "number") setTimeout(() => at.blur());
    if (!stage?.root.host.isConnected || !data.face || typing(event) || event.altKey || document.querySelector('[role="dialog"]')) return;
    if (event.key === "Escape") this.leaves = true;
    const act = this.meant(named(event), event);
    if (!act) return;
    // Having the focus, the page would show a frame around itself.
    if (document.activeElement?.matches('[data-testid="stMain"]')) document.activeElement.blur();
    event.preventDefault();
    event.stopImmediatePropagation();
    act(stage);
  }

  // What a key does; null for one that means nothing here.
  meant(key, event) {
    const { data } = this;
    const character = event.key.length === 1 && !event.ctrlKey && !event.metaKey;
    if (key === " ") {
      if (focused(event)) return null;
      return ({ root }) => {
        this.space = true;
        root.querySelector(".dc-root").classList.add("pans");
      };
    }
    if (["Enter", "Tab", "Shift+Tab"].includes(key) && focused(event)) return null;
    const acts = {
      "+": ({ view }) => view.zoomBy(1.5), "=": ({ view }) => view.zoomBy(1.5),
      "-": ({ view }) => view.zoomBy(1 / 1.5), Home: ({ view }) => view.reset(),
      "Shift+ArrowLeft": () => this.nudge(-1, 0), "Shift+ArrowRight": () => this.nudge(1, 0),
      "Shift+ArrowUp": () => this.nudge(0, -1), "Shift+ArrowDown": () => this.nudge(0, 1),
      Tab: () => this.next(1), "Shift+Tab": () => this.next(-1),
    };
    const k = data.face.chooses.indexOf(key);
    const button = data.keys[key];
    const found = acts[key] || (k >= 0 && (() => this.choose(k))) ||
      (button && (() => this.push(() => press(button))));
    if (!found) return null;
    // Switched off, a key does nothing at all: not what Streamlit would make of it either.
    if (data.single_keys === false && character) return () => {};
    // Escape gives Tab back to the browser, to walk through the page with.
    if (key.endsWith("Tab") && (this.leaves || data.single_keys === false)) return null;
    if (!key.endsWith("Tab")) this.leaves = false;
    return found;
  }

  up(event) {
    if (event.key !== " " || !this.space) return;
    this.space = false;
    this.stage?.root.querySelector(".dc-root").classList.remove("pans");
  }

  // Choose the next point, or with `by` -1 the one before.
  next(by) {
    const { points, active } = this.data.face;
    const from = active === null ? (by > 0 ? -1 : 0) : active;
    this.choose((from + by + points.length) % points.length);
  }
}

export default function (component) {
  const { parentElement } = component;
  parentElement.hands ||= new Hands();
  parentElement.hands.update(component);
  return () => {
    parentElement.hands.stop();
    delete parentElement.hands;
  };
}
