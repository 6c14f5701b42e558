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

function press(key) {
  const button = document.querySelector(`.st-key-${key} button`);
  if (button && !button.disabled) button.click();
  return Boolean(button);
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
      click: ([x, y]) => setTriggerValue("click", { x, y, serial: data.serial }),
    };
    const edit = root.querySelector('[aria-label="Edit"]');
    if (edit.getAttribute("aria-pressed") !== "true") edit.click();
    return true;
  };
  clearInterval(parentElement.waiting);
  if (data.canvas && !hold())
    parentElement.waiting = setInterval(() => { if (hold()) clearInterval(parentElement.waiting); }, FIND_MS);

  const keys = (event) => {
    // A number that was entered leaves the keys to the canvas again.
    const field = event.composedPath()[0];
    if (event.key === "Enter" && field.type === "number") setTimeout(() => field.blur());
    if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('[role="dialog"]')) return;
    const button = data.keys[event.key] || data.keys[event.key.toLowerCase()];
    if (button && press(button)) event.preventDefault();
  };
  document.addEventListener("keydown", keys);

  const NAME = "fkd-annotator";
  if (data.author) localStorage.setItem(NAME, data.author);
  else if (localStorage.getItem(NAME)) setStateValue("author", localStorage.getItem(NAME));
  return () => {
    clearInterval(parentElement.waiting);
    document.removeEventListener("keydown", keys);
  };
}
