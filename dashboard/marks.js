// Marks on a face, as SVG so that they stay crisp at any size; shared by the grid and the large
// view. All text goes in as text, never as HTML.
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent.append(node);
  return node;
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
      const left = cx > width * 0.62;
      const text = svg("text", { x: cx + (left ? -1 : 1) * (size + 0.6), y: cy + 1,
        "text-anchor": left ? "end" : "start", fill: point.color, class: "name" }, layer);
      text.textContent = point.short;
    }
  });
}
