// Marks on a face, as SVG so that they stay crisp at any size; shared by the grid and the large
// view. All text goes in as text, never as HTML.
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent.append(node);
  return node;
}

// The picture at `src` under the marks of a layer.
function picture(layer, src, { width, height }) {
  const image = document.createElementNS(SVG, "image");
  for (const [key, value] of Object.entries({ href: src, x: -0.5, y: -0.5, width, height }))
    image.setAttribute(key, value);
  layer.prepend(image);
}

function drawMarks(face, { points, edges, size, show, width, height }, picture) {
  // A pixel's centre is its index: the picture reaches from -0.5 to width - 0.5.
  const layer = svg("svg", { viewBox: `-0.5 -0.5 ${width} ${height}` }, picture);
  const at = (k) => face.points[k];
  const guess = (k) => (face.predicted || [])[k];
  const line = (kind, [x1, y1], [x2, y2], color) =>
    svg("line", { x1, y1, x2, y2, stroke: color, class: kind }, layer);
  const circle = (kind, [cx, cy], paint, words) =>
    svg("circle", { cx, cy, class: kind, ...paint, ...(words && { role: "img", "aria-label": words }) }, layer);
  const numbers = ([x, y]) => `${x.toFixed(1)}, ${y.toFixed(1)}`;
  if (show.includes("edges")) {
    const ends = face.points.some((point) => point) ? at : guess;
    for (const [a, b] of edges) {
      if (ends(a) && ends(b)) line("edge", ends(a), ends(b), points[a].color);
    }
  }
  const truth = (k) => show.includes("points") && at(k);
  points.forEach(({ color }, k) => {
    if (!truth(k) || !guess(k)) return;
    line("casing", at(k), guess(k), "white");
    line("error", at(k), guess(k), color);
  });
  const corrected = (k) => (face.corrected || [])[k];
  points.forEach(({ color }, k) => {
    if (!corrected(k) || !show.includes("points")) return;
    const was = face.before[k];
    if (was) {
      for (const kind of ["cross-casing", "cross"])
        for (const [dx, dy] of [[1, 1], [1, -1]])
          line(kind, [was[0] - 0.8 * size * dx, was[1] - 0.8 * size * dy],
            [was[0] + 0.8 * size * dx, was[1] + 0.8 * size * dy], kind === "cross" ? color : "white");
    }
    if (at(k)) circle("glow", at(k), { fill: "white" });
  });
  points.forEach(({ color, label }, k) => {
    if (truth(k)) circle("dot", at(k), { fill: color }, `${label}${corrected(k) ? ", corrected" : ""}  ${numbers(at(k))}`);
  });
  points.forEach(({ color, label }, k) => {
    if (!guess(k)) return;
    const off = at(k) && Math.hypot(at(k)[0] - guess(k)[0], at(k)[1] - guess(k)[1]);
    const far = at(k) ? `, ${off.toFixed(1)} px off` : "";
    circle("halo", guess(k), { stroke: "white" });
    circle("ring", guess(k), { stroke: color },
      `${label} predicted  ${numbers(guess(k))}${far}${(face.remarks || [])[k] || ""}`);
  });
  (face.names || []).forEach((name, k) => {
    if (!name) return;
    const [x, y, anchor] = name;
    const text = svg("text", { x, y, "text-anchor": anchor, class: "name" }, layer);
    text.of = at(k);
    text.apart = [x - text.of[0], y - text.of[1]];
    text.textContent = points[k].short;
  });
  sizeMarks(layer, size);
  return layer;
}

// Radius and line width of each kind of mark, as multiples of the size of a dot.
const PROPORTIONS = {
  dot: [1, 0.3],
  ring: [1.35, 0.42],
  halo: [1.35, 0.85],
  edge: [0, 0.35],
  error: [0, 0.35],
  casing: [0, 0.7],
  glow: [1.9, 0],
  cross: [0, 0.3],
  "cross-casing": [0, 0.6],
};

function sizeMarks(layer, size) {
  for (const [kind, [radius, width]] of Object.entries(PROPORTIONS)) {
    for (const node of layer.getElementsByClassName(kind)) {
      if (radius) node.setAttribute("r", size * radius);
      node.setAttribute("stroke-width", size * width);
    }
  }
}

// The name of the mark next to the pointer, in `tip` within `frame`. At once: the browser's own tip
// takes a second. Next to it: a mark on a small face is smaller than a hand is steady.
function nameOnHover(layer, tip, frame) {
  layer.onpointermove = (event) => {
    let [nearest, least] = [null, 5];
    for (const mark of layer.querySelectorAll("[aria-label]")) {
      const box = mark.getBoundingClientRect();
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      const away = Math.hypot(event.clientX - x, event.clientY - y) - box.width / 2;
      if (away < least) [nearest, least] = [mark, away];
    }
    tip.hidden = !nearest;
    if (!nearest) return;
    tip.textContent = nearest.getAttribute("aria-label");
    const edges = frame.getBoundingClientRect();
    const room = edges.width - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(event.clientX - edges.left + 14, room))}px`;
    tip.style.top = `${event.clientY - edges.top + 14}px`;
  };
  layer.onpointerleave = () => { tip.hidden = true; };
}
