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
  if (show.includes("edges")) {
    for (const [a, b] of edges) {
      if (!at(a) || !at(b)) continue;
      const [x1, y1] = at(a), [x2, y2] = at(b);
      svg("line", { x1, y1, x2, y2, stroke: points[a].color, "stroke-width": size * 0.35 }, layer);
    }
  }
  points.forEach((point, k) => {
    if (!at(k)) return;
    const [cx, cy] = at(k);
    if (show.includes("points")) {
      const dot = svg("circle", { cx, cy, r: size, fill: point.color, class: "dot",
        "stroke-width": size * 0.3 }, layer);
      svg("title", {}, dot).textContent = `${point.label}  ${cx.toFixed(1)}, ${cy.toFixed(1)}`;
    }
    if (show.includes("names")) {
      const [x, y, anchor] = besides(k, face.points, points, size, width);
      const text = svg("text", { x, y, "text-anchor": anchor, fill: point.color, class: "name" },
        layer);
      text.textContent = point.short;
    }
  });
}
