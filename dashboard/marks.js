// Marks on a face, as SVG so that they stay crisp at any size; shared by the grid and the large
// view. All text goes in as text, never as HTML.
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent.append(node);
  return node;
}

// Where the name of point k goes: away from the middle of the points it belongs with (an eye, a
// brow, the mouth), so that names of neighbours do not lie over each other.
function besides(k, places, points, size, width) {
  const group = places.filter((place, i) => place && points[i].group === points[k].group);
  const middle = [0, 1].map((axis) => group.reduce((sum, p) => sum + p[axis], 0) / group.length);
  const [x, y] = places[k];
  const [dx, dy] = [x - middle[0], y - middle[1]];
  const away = size + 0.6;
  const room = 1.15 * points[k].short.length;
  const right = group.length === 1 || dx > 0;
  const fits = right ? x + room < width : x - room > 0;
  const sideways = Math.abs(dx) > Math.max(Math.abs(dy), 2);
  // Between two eyes or brows there is no room for the names of both inner ends.
  const inward = sideways && (x - width / 2) * dx < 0 && !points[k].central;
  if (fits && !inward && (group.length === 1 || sideways))
    return [x + (right ? away : -away), y + 0.8, right ? "start" : "end"];
  const inside = Math.min(Math.max(x, room / 2), width - 1 - room / 2);
  const below = inward || (points[k].central && dy > 0 && !sideways);
  return [inside, below ? y + away + 1.7 : y - away - 0.3, "middle"];
}

function drawMarks(face, { points, edges, size, show, width, height }, picture) {
  // A pixel's centre is its index: the picture reaches from -0.5 to width - 0.5.
  const layer = svg("svg", { viewBox: `-0.5 -0.5 ${width} ${height}` }, picture);
  const at = (k) => face.points[k];
  const guess = (k) => (face.predicted || [])[k];
  const line = (kind, [x1, y1], [x2, y2], color) =>
    svg("line", { x1, y1, x2, y2, stroke: color, class: kind }, layer);
  const circle = (kind, [cx, cy], paint, title) => {
    const node = svg("circle", { cx, cy, class: kind, ...paint }, layer);
    if (title) svg("title", {}, node).textContent = title;
  };
  const numbers = ([x, y]) => `${x.toFixed(1)}, ${y.toFixed(1)}`;
  if (show.includes("edges")) {
    for (const [a, b] of edges) if (at(a) && at(b)) line("edge", at(a), at(b), points[a].color);
  }
  const truth = (k) => show.includes("points") && at(k);
  points.forEach(({ color }, k) => {
    if (!truth(k) || !guess(k)) return;
    line("casing", at(k), guess(k), "white");
    line("error", at(k), guess(k), color);
  });
  points.forEach(({ color, label }, k) => {
    if (truth(k)) circle("dot", at(k), { fill: color }, `${label}  ${numbers(at(k))}`);
  });
  points.forEach(({ color, label }, k) => {
    if (!guess(k)) return;
    const off = at(k) && Math.hypot(at(k)[0] - guess(k)[0], at(k)[1] - guess(k)[1]);
    const far = at(k) ? `, ${off.toFixed(1)} px off` : "";
    circle("halo", guess(k), { stroke: "white" });
    circle("ring", guess(k), { stroke: color },
      `${label} predicted  ${numbers(guess(k))}${far}`);
  });
  if (show.includes("names")) {
    points.forEach(({ color, short }, k) => {
      if (!at(k)) return;
      const [x, y, anchor] = besides(k, face.points, points, size, width);
      const text = svg("text", { x, y, "text-anchor": anchor, fill: color, class: "name" }, layer);
      text.textContent = short;
    });
  }
  sizeMarks(layer, size);
}

// Radius and line width of each kind of mark, as multiples of the size of a dot.
const PROPORTIONS = {
  dot: [1, 0.3],
  ring: [1.35, 0.42],
  halo: [1.35, 0.85],
  edge: [0, 0.35],
  error: [0, 0.35],
  casing: [0, 0.7],
};

function sizeMarks(layer, size) {
  for (const [kind, [radius, width]] of Object.entries(PROPORTIONS)) {
    for (const node of layer.getElementsByClassName(kind)) {
      if (radius) node.setAttribute("r", size * radius);
      node.setAttribute("stroke-width", size * width);
    }
  }
}
