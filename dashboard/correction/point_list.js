// Which point a click on the face places, its coordinates, and the points of the face, one line
// each; a click chooses one, as its key does. The canvas and the list tell each other which one the mouse is at.
const HEADS = [["key", "Key"], ["name", "Point"], ["state", "State"], ["x", "x"], ["y", "y"], ["off", "Off"]];
const OFF = "Distance to the prediction, in px";

// To hands.js, which says the same.
const sayPoint = (what, k) => window.dispatchEvent(new CustomEvent(`fkd-point-${what}`, { detail: k }));

function cells(line, words) {
  for (const [kind, text] of words) {
    const cell = document.createElement("span");
    cell.className = kind;
    cell.textContent = text;
    line.append(cell);
  }
}

function lineOf(point, k, active) {
  const line = document.createElement("button");
  line.type = "button";
  line.className = `line ${point.state}`;
  line.classList.toggle("edited", point.edited);
  line.setAttribute("aria-pressed", String(k === active));
  line.setAttribute("aria-label", [point.label, point.edited ? `${point.state}, unsaved edit` : point.state,
    point.x && `x ${point.x}, y ${point.y}`, point.off && `${point.off} px from the prediction`]
    .filter((words) => words).join(", "));
  line.title = point.note;
  cells(line, HEADS.map(([kind]) => [kind, kind === "name" ? point.label : point[kind]]));
  const dot = document.createElement("span");
  dot.className = "dot";
  dot.style.setProperty("--color", point.color);
  line.querySelector(".name").prepend(dot);
  line.querySelector(".off").classList.toggle("far", point.far);
  line.onmouseenter = () => sayPoint("hover", k);
  line.onmouseleave = () => sayPoint("hover", null);
  return line;
}

function showFields(parent, data, setTriggerValue) {
  for (const axis of ["x", "y"]) {
    const field = parent.querySelector(`[name=${axis}]`);
    field.parentElement.hidden = !data.place;
    if (!data.place) continue;
    const [low, high] = data.bounds[axis];
    Object.assign(field, { min: low, max: high, step: data.step });
    const shown = data.place[axis].toFixed(2);
    const what = `${data.active} ${shown}`;
    // What is being entered stays, unless the point has gone elsewhere meanwhile.
    if (field.dataset.shown !== what) field.value = shown;
    field.dataset.shown = what;
    // Told is only what somebody has entered: a field of Streamlit's also sends what it showed a
    // moment ago along with a key pressed fast.
    field.onchange = () => {
      const value = field.valueAsNumber;
      const fits = value >= low && value <= high;
      field.value = fits ? value.toFixed(2) : shown;
      if (field.value !== shown) setTriggerValue("entered", { k: data.active, axis, value });
    };
  }
}

// The line of point `k`, and no other, is what `mark` says.
function only(parent, k, mark) {
  parent.querySelectorAll(".line").forEach((line, at) => mark(line, at === k));
}

export default function ({ data, parentElement: parent, setTriggerValue }) {
  parent.querySelector(".verb").textContent = data.verb;
  parent.querySelector(".name").textContent = data.name;
  const picture = parent.querySelector("img");
  picture.hidden = !data.picture;
  if (data.picture) picture.src = data.picture;
  showFields(parent, data, setTriggerValue);

  const list = parent.querySelector(".list");
  const head = document.createElement("div");
  head.className = "head";
  cells(head, HEADS);
  head.querySelector(".off").title = OFF;
  const lines = data.points.map((point, k) => lineOf(point, k, data.active));
  lines.forEach((line, k) => { line.onclick = () => sayPoint("choose", k); });
  list.replaceChildren(head, ...lines);
  // As much as the window has room for, the rest within.
  const fit = () => {
    const main = parent.closest?.('[data-testid="stMain"]') || document.querySelector('[data-testid="stMain"]');
    const top = list.getBoundingClientRect().top + main.scrollTop;
    list.style.maxHeight = `${Math.max(160, window.innerHeight - top - 10)}px`;
  };
  requestAnimationFrame(fit);
  lines[data.active]?.scrollIntoView({ block: "nearest" });

  parent.gone?.abort();
  parent.gone = new AbortController();
  const { signal } = parent.gone;
  window.addEventListener("resize", fit, { signal });
  window.addEventListener("fkd-point-hover", ({ detail }) => {
    only(parent, detail, (line, is) => line.classList.toggle("hovered", is));
  }, { signal });
  window.addEventListener("fkd-point-active", ({ detail }) => {
    only(parent, detail, (line, is) => line.setAttribute("aria-pressed", String(is)));
  }, { signal });
  return () => parent.gone.abort();
}
