// A grid of faces with their marks (marks.js comes before this file). Faces can be chosen where
// `data.chosen` lists those that are: by their box, Ctrl-click, Shift-click from the last one, or
// x on the keyboard; arrows walk from face to face.
const LEAST_RADIUS_PX = 2;

export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector(".grid");
  const tip = parentElement.querySelector(".tip");
  const turned = grid.dataset.page !== undefined && grid.dataset.page !== String(data.page);
  const focused = grid.contains(grid.getRootNode().activeElement)
    ? grid.getRootNode().activeElement.closest(".cell")?.dataset.id : undefined;
  grid.dataset.page = data.page;
  grid.style.setProperty("--ratio", `${data.width} / ${data.height}`);
  grid.style.setProperty("--face", `${data.face_px}px`);
  grid.style.gridTemplateColumns = data.columns ? `repeat(${data.columns}, minmax(0, 1fr))` : "";
  grid.classList.toggle("pixelated", data.show.includes("pixels"));
  grid.classList.toggle("pairs", data.pairs);
  // However small a face is drawn, its marks can be seen.
  const size = Math.max(data.size, (LEAST_RADIUS_PX * data.width) / data.face_px);
  const cells = data.faces.map((face) => cell(face, { ...data, size }, tip, setTriggerValue));
  grid.replaceChildren(...cells);
  tip.hidden = true;
  if (data.chosen) choosing(grid, cells, data, setTriggerValue);
  const at = data.faces.findIndex((face) => face.id === data.focus);
  if (at >= 0) {
    cells[at].scrollIntoView({ block: "center" });
    cells[at].firstChild.focus({ preventScroll: true });
    return;
  }
  cells.find((one) => one.dataset.id === focused)?.firstChild.focus({ preventScroll: true });
  if (turned && grid.getBoundingClientRect().top < 0) grid.scrollIntoView();
}

function cell(face, data, tip, setTriggerValue) {
  const box = document.createElement("div");
  box.className = "cell";
  box.dataset.id = face.id;
  box.classList.toggle("dimmed", Boolean(face.dimmed));
  const button = document.createElement("button");
  button.className = "face";
  button.type = "button";
  button.setAttribute("aria-label", `Open ${face.title}`);
  button.onclick = () => setTriggerValue("open", face.id);
  const picture = document.createElement("span");
  picture.className = "picture";
  const image = document.createElement("img");
  image.src = face.src;
  image.alt = "";
  image.draggable = false;
  picture.append(image);
  nameOnHover(drawMarks(face, data, picture), tip, tip.parentElement);
  const caption = document.createElement("span");
  caption.className = "caption";
  for (const kind of ["title", "note", "lacking", "tags"]) {
    if (!face[kind]) continue;
    const line = document.createElement("span");
    line.className = kind;
    line.textContent = face[kind];
    caption.append(line);
  }
  button.append(picture, caption);
  box.append(button);
  return box;
}

// What is chosen shows at once and is then told to the server, which knows of all pages. It answers
// with what it was told last: an answer to less than was chosen since is passed over.
function choosing(grid, cells, data, setTriggerValue) {
  const ids = cells.map((one) => one.dataset.id);
  const state = (grid.choosing ??= { told: 0, chosen: new Set(), anchor: null });
  if (data.told >= state.told || state.ids !== ids.join()) state.chosen = new Set(data.chosen);
  state.ids = ids.join();
  const boxes = cells.map((one, at) => {
    const box = document.createElement("button");
    box.className = "choose";
    box.type = "button";
    box.setAttribute("role", "checkbox");
    box.setAttribute("aria-label", `Select ${data.faces[at].title}`);
    box.tabIndex = -1;
    one.append(box);
    return box;
  });
  const draw = () => {
    grid.classList.toggle("choosing", state.chosen.size > 0 || data.elsewhere);
    cells.forEach((one, at) => {
      const is = state.chosen.has(ids[at]);
      one.classList.toggle("chosen", is);
      boxes[at].setAttribute("aria-checked", is);
      boxes[at].textContent = is ? "\u2713" : "";
    });
  };
  const tell = () => {
    draw();
    state.told = Date.now();
    setTriggerValue("choose", {
      told: state.told, faces: ids, chosen: ids.filter((id) => state.chosen.has(id)),
    });
  };
  const choose = (at, range) => {
    const from = ids.indexOf(state.anchor);
    if (range && from >= 0) {
      // As the anchor is, so is all between.
      const is = state.chosen.has(state.anchor);
      for (let i = Math.min(from, at); i <= Math.max(from, at); i++)
        state.chosen[is ? "add" : "delete"](ids[i]);
    } else {
      state.chosen[state.chosen.has(ids[at]) ? "delete" : "add"](ids[at]);
      state.anchor = ids[at];
    }
    tell();
  };
  cells.forEach((one, at) => {
    boxes[at].onclick = (event) => {
      choose(at, event.shiftKey);
      one.firstChild.focus({ preventScroll: true });
    };
    const open = one.firstChild.onclick;
    one.firstChild.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) choose(at, event.shiftKey);
      else open();
    };
  });
  grid.onkeydown = (event) => {
    const at = cells.findIndex((one) => one.contains(event.target));
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const across = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
    const key = event.key.toLowerCase();
    if (step) {
      const to = cells[at + step];
      // Beyond the ends, the key turns the page.
      if (!to) return;
      if (event.shiftKey) {
        if (!state.chosen.has(ids[at])) choose(at, false);
        state.anchor = ids.includes(state.anchor) ? state.anchor : ids[at];
        choose(at + step, true);
      }
      to.firstChild.focus();
    } else if (key === "x") {
      choose(at, event.shiftKey);
    } else if (event.key === "Escape" && (state.chosen.size || data.elsewhere)) {
      state.chosen.clear();
      draw();
      setTriggerValue("choose", { told: (state.told = Date.now()), clear: true });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  draw();
}
