// What the drawing canvas lacks for placing points: points can be dragged without switching anything
// on, a click on the face is told with its place, what was dragged is told at once, and keys that no
// button can have. The canvas itself is the library's; this works on it from outside.
const FIND_MS = 50;

function canvasOf(name) {
  const frame = document.querySelector(`.st-key-${name}`);
  for (const node of frame ? frame.querySelectorAll("*") : [])
    if (node.shadowRoot && node.shadowRoot.querySelector(".dc-root")) return node.shadowRoot;
  return null;
}

function typing(event) {
  const at = event.composedPath()[0];
  return at.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(at.tagName);
}

// Returns whether there was something to press.
function press(key) {
  const button = document.querySelector(`.st-key-${key} button`);
  if (!button || button.disabled) return false;
  button.click();
  return true;
}

// A key as it stands in data.keys: "z", "Shift+Z" as "Shift+z", "Shift+ArrowLeft", "?".
function named({ key, shiftKey }) {
  if (key.length === 1 && key.toLowerCase() === key.toUpperCase()) return key;
  return (shiftKey ? "Shift+" : "") + (key.length === 1 ? key.toLowerCase() : key);
}

const LOST_MS = 3000; // a press that nothing follows for so long has been lost
const app = () => document.querySelector("[data-testid=stApp]");
const running = () => app().dataset.testScriptState === "running";
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// When the page begins to work, or stops; asked before what makes it.
const changes = () => new Promise((done) => {
  const watch = new MutationObserver(done);
  watch.observe(app(), { attributes: true, attributeFilter: ["data-test-script-state"] });
  setTimeout(() => { watch.disconnect(); done(); }, LOST_MS);
});

// Press the buttons of `queue` one after the other, each once the page has answered the one before:
// pressed while it still works, two clicks would be one.
async function pressAll(queue) {
  if (queue.busy) return;
  queue.busy = true;
  while (queue.length) {
    while (running()) await pause(10);
    const begins = changes();
    if (press(queue.shift())) await begins;
  }
  queue.busy = false;
}

// Set up once for each canvas; what changes from run to run is read from root.hands.
function takeHold(root) {
  const style = document.createElement("style");
  style.textContent = ".dc-toolbar { display: none !important } .dc-container { touch-action: none }";
  root.append(style);
  const box = root.querySelector(".dc-container");
  const place = (event) => {
    const { left, top, width, height } = box.getBoundingClientRect();
    const point = event.changedTouches ? event.changedTouches[0] : event;
    return [((point.clientX - left) / width) * box.offsetWidth,
      ((point.clientY - top) / height) * box.offsetHeight];
  };
  let from = null;
  const down = (event) => { if (!event.button) from = place(event); };
  const up = (event) => {
    if (!from) return;
    const to = place(event);
    const moved = Math.hypot(to[0] - from[0], to[1] - from[1]) > 3;
    from = null;
    // After the canvas has seen the event too. It would wait a moment before it tells.
    setTimeout(() => {
      if (moved) root.querySelector('[aria-label="Update the app with this drawing"]').click();
      else root.hands.click(to);
    });
  };
  box.addEventListener("mousedown", down, true);
  box.addEventListener("touchstart", down, { capture: true, passive: true });
  window.addEventListener("mouseup", up);
  window.addEventListener("touchend", up);
  box.addEventListener("mousemove", (event) => {
    const [x, y] = place(event);
    const near = root.hands.marks.filter(([a, b]) => Math.hypot(a - x, b - y) < root.hands.reach);
    box.title = near.length ? near[near.length - 1][2] : "";
  });
}

export default function ({ data, setTriggerValue, setStateValue, parentElement }) {
  const hold = () => {
    const root = canvasOf(data.canvas);
    if (!root) return false;
    if (!root.hands) takeHold(root);
    root.hands = {
      marks: data.marks,
      reach: data.reach,
      serial: data.serial,
      click: ([x, y]) => setTriggerValue("click", { x, y, serial: data.serial }),
    };
    const edit = root.querySelector('[aria-label="Edit"]');
    if (edit.getAttribute("aria-pressed") !== "true") edit.click();
    return true;
  };
  clearInterval(parentElement.waiting);
  if (data.canvas && !hold())
    parentElement.waiting = setInterval(() => { if (hold()) clearInterval(parentElement.waiting); }, FIND_MS);

  const queue = (parentElement.keys ||= []);
  const keys = (event) => {
    const at = event.composedPath()[0];
    // A number that was entered leaves the keys to the canvas again.
    if (event.key === "Enter" && at.type === "number") setTimeout(() => at.blur());
    if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('[role="dialog"]')) return;
    if (event.key === "Enter" && at.tagName === "BUTTON" && at.matches(":focus-visible")) return;
    const button = data.keys[named(event)];
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    queue.push(button);
    pressAll(queue);
  };
  // Before Streamlit, whose shortcuts are shown on the buttons.
  window.addEventListener("keydown", keys, true);

  const NAME = "fkd-annotator";
  if (data.author) localStorage.setItem(NAME, data.author);
  else if (localStorage.getItem(NAME)) setStateValue("author", localStorage.getItem(NAME));
  return () => {
    clearInterval(parentElement.waiting);
    window.removeEventListener("keydown", keys, true);
  };
}
