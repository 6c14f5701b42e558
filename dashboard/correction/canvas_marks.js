// The marks on the canvas, drawn as everywhere (marks.js), with what only labelling has: suggested
// points, the chosen one, and arrows to points outside the image. They lie over the canvas, in px of
// the screen whatever the zoom, and follow its circles while those are dragged.

// Where the circles of the canvas are, told by the colours that they are filled with. The canvas
// fills a circle for each point, and nothing else, whenever it draws; what it fills is not shown.
function watchCircles(canvas, moved) {
  const context = canvas.getContext("2d");
  const fill = context.fill;
  context.clearRect(0, 0, canvas.width, canvas.height); // what it has drawn already
  context.fill = function (...shape) {
    const { e, f } = context.getTransform();
    if (!moved(context.fillStyle, e, f)) fill.apply(context, shape);
  };
}

// `face` as it is now, with its points at `live` (k: [x, y]), into `holder`; `px` is how many px of
// the screen a px of the image has, `seen` the part that is shown.
function drawOnCanvas(holder, face, live, hovered, px, seen) {
  const size = face.radius / px;
  const count = face.points.length;
  const state = (k) => (face.marks[k] || [])[2];
  const fixed = Array.from({ length: count }, (_, k) =>
    (live.has(k) && state(k) !== "suggested" ? live.get(k) : null));
  const corrected = Array.from({ length: count }, (_, k) => face.corrected?.includes(k) && !!fixed[k]);
  const names = (face.names || []).map((name, k) => {
    const at = live.get(k);
    return name && at && [at[0] + name[0] * (face.scale / px), at[1] + name[1] * (face.scale / px), name[2]];
  });
  holder.replaceChildren();
  const layer = drawMarks({
    points: Array.from({ length: count }, (_, k) => fixed[k] || null),
    predicted: (face.predicted || []).map((place, k) => (fixed[k] ? place : null)),
    corrected,
    before: face.before || [],
  }, { ...face, size }, holder);
  const [left, top, width, height] = seen;
  layer.setAttribute("viewBox", `${left} ${top} ${width} ${height}`);
  layer.setAttribute("aria-hidden", "true");
  const ring = (at, radius, thickness, stroke, kind, more = {}) => svg("circle", {
    cx: at[0], cy: at[1], r: radius * size, stroke, "stroke-width": thickness * size, class: kind, ...more,
  }, layer);
  const dots = layer.getElementsByClassName("dot");
  let dot = 0;
  for (let k = 0; k < count; k++) {
    if (fixed[k] && dots[dot++] && state(k) === "occluded") dots[dot - 1].classList.add("occluded");
    if (!fixed[k] && live.has(k)) {
      ring(live.get(k), 1.35, 0.85, "white", "suggested", { opacity: 0.75 });
      ring(live.get(k), 1.35, 0.45, face.points[k].color, "suggested",
        { "stroke-dasharray": `${0.7 * size} ${0.5 * size}` });
    }
  }
  for (const [k, color] of [[hovered, "#ffffff"], [face.active, "#ffe066"]]) {
    const at = live.get(k);
    if (!at) continue;
    ring(at, 2.3, 0.8, "black", "around", { opacity: 0.55 });
    ring(at, 2.3, 0.45, color, "around", { "data-k": k });
  }
  for (const [k, at] of live) {
    const arrow = outside(at, face) && arrowTo(at, seen, 2.4 * size);
    if (arrow) svg("polygon", { points: arrow.shape, fill: face.points[k].color, class: "outside",
      "stroke-width": 0.4 * size, "data-k": k }, layer);
  }
  (names || []).forEach((name, k) => {
    if (!name) return;
    const text = svg("text", { x: name[0], y: name[1], "text-anchor": name[2], class: "name" }, layer);
    text.style.fontSize = `${face.font / px}px`;
    text.style.strokeWidth = `${(0.22 * face.font) / px}px`;
    text.textContent = face.points[k].label;
  });
}

function outside([x, y], { width, height }) {
  return x < -0.5 || y < -0.5 || x > width - 0.5 || y > height - 0.5;
}

// The arrow at the edge of what is `seen` that leads to the place `at`, and where it stands.
function arrowTo([x, y], [left, top, width, height], size) {
  const at = [Math.min(Math.max(x, left + size), left + width - size),
    Math.min(Math.max(y, top + size), top + height - size)];
  const way = Math.atan2(y - at[1], x - at[0]);
  const corner = (turn, far) => [at[0] + far * Math.cos(way + turn), at[1] + far * Math.sin(way + turn)];
  const shape = [corner(0, size), corner(2.4, 0.8 * size), corner(-2.4, 0.8 * size)];
  return { at, shape: shape.map((place) => place.join()).join(" ") };
}
