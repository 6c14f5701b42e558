// A grid of faces with their marks, drawn as SVG over the pictures so that they stay crisp at any
// size. All text goes in as text, never as HTML.
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

export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector(".grid");
  grid.style.setProperty("--face", `${data.face_px}px`);
  grid.style.gridTemplateColumns = data.columns ? `repeat(${data.columns}, minmax(0, 1fr))` : "";
  grid.classList.toggle("pixelated", data.show.includes("pixels"));
  grid.replaceChildren(...data.faces.map((face) => {
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
    drawMarks(face, data, picture);
    const caption = document.createElement("span");
    caption.className = "caption";
    for (const [text, kind] of [[face.title, "title"], [face.note, "note"], [face.lacking, "lacking"]]) {
      if (!text) continue;
      const line = document.createElement("span");
      line.className = kind;
      line.textContent = text;
      caption.append(line);
    }
    button.append(picture, caption);
    return button;
  }));
}
