// A photo with the squares and points of its faces: zoom and move (zoom.js), hover for names
// (marks.js); both come before this file. With `draw`, dragging draws a box instead of moving.

// Radius of a point's ring in px of the screen, at every zoom and of every photo.
const RADIUS = 3.2;
// Line widths as multiples of a dot's size. A ring's colour alone would vanish on some grounds; next
// to white within black it stands out on all of them.
const OUTLINE = 1.25;

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".view");
  const tip = parentElement.querySelector(".tip");
  const back = parentElement.querySelector(".back");
  const { width, height } = data;
  const layer = drawMarks(data.face, data, document.createElement("span"));
  layer.setAttribute("role", "group");
  layer.setAttribute("aria-label", data.title);
  for (const halo of layer.querySelectorAll(".halo")) {
    const outline = halo.cloneNode();
    outline.setAttribute("class", "outline");
    halo.before(outline);
  }
  for (const { corners, title, chosen } of [...data.boxes].reverse()) {
    for (const kind of ["frame-line", "frame-casing"]) {
      const square = svg("polygon", { points: corners.join(" "), class: kind }, layer);
      square.classList.toggle("chosen", chosen);
      layer.prepend(square);
    }
    const text = svg("text", { class: "name" }, layer);
    text.of = corners[0];
    text.textContent = title;
  }
  // Around the face that is zoomed to, the photo as sharp as it is.
  if (data.detail) {
    const { src, x, y, ...size } = data.detail;
    picture(layer, src, size);
    layer.firstChild.setAttribute("x", x - 0.5);
    layer.firstChild.setAttribute("y", y - 0.5);
  }
  picture(layer, data.src, data);
  nameOnHover(layer, tip, box.parentElement);
  tip.hidden = true;
  box.replaceChildren(layer);
  box.style.aspectRatio = `${width} / ${height}`;
  box.parentElement.style.maxWidth = `min(100%, ${(data.tall * width) / height}px)`;
  box.parentElement.style.setProperty("--box", data.box_color);
  box.classList.toggle("drawing", data.draw);

  // Marks, lines and letters are as large on every photo, however many px it has.
  const unit = () => width / Math.max(box.clientWidth || 600, 1);
  const { place, show } = zoomable(box, layer, data, (scale) => {
    const px = unit() / scale;
    const dot = (RADIUS / PROPORTIONS.ring[0]) * data.size * px;
    sizeMarks(layer, dot);
    for (const ring of layer.querySelectorAll(".outline")) {
      ring.setAttribute("r", dot * PROPORTIONS.ring[0]);
      ring.setAttribute("stroke-width", dot * OUTLINE);
    }
    layer.style.setProperty("--px", `${px}px`);
    for (const text of layer.querySelectorAll("text")) {
      const lift = 5 * px;
      text.setAttribute("x", text.of[0] + lift);
      text.setAttribute("y", Math.max(text.of[1] - lift, 14 * px));
    }
    back.hidden = scale <= 1;
  });
  if (data.focus && box.dataset.focus !== data.focus.token) zoomTo(data.focus);
  box.dataset.focus = data.focus ? data.focus.token : "";
  back.onclick = () => box.ondblclick();
  box.resized?.disconnect();
  box.resized = new ResizeObserver(show);
  box.resized.observe(box);
  if (data.draw) drawBoxes();

  function zoomTo({ x, y, side }) {
    const scale = Math.min(Math.max(Math.min(width, height) / side, 1), 16);
    box.window = { x: x - width / scale / 2, y: y - height / scale / 2, scale };
    show();
    const { top, bottom } = box.getBoundingClientRect();
    if (top < 0 || bottom > window.innerHeight) box.scrollIntoView({ block: "nearest" });
  }

  function drawBoxes() {
    box.onpointerdown = (event) => {
      const [x0, y0] = place(event);
      const rect = svg("rect", { class: "frame-line drawn" }, layer);
      let drawn = null;
      box.setPointerCapture(event.pointerId);
      box.onpointermove = (move) => {
        const [x1, y1] = place(move);
        drawn = [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
        ["x", "y", "width", "height"].forEach((key, i) => rect.setAttribute(key, drawn[i]));
      };
      box.onpointerup = box.onpointercancel = (end) => {
        box.onpointermove = null;
        rect.remove();
        const least = (8 * unit()) / box.window.scale;
        if (end.type === "pointerup" && drawn && drawn[2] > least && drawn[3] > least)
          setTriggerValue("drawn", drawn);
      };
    };
  }
}
