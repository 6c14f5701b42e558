// A line chart for data that grows: it is drawn anew with every update, and what the user zoomed
// to stays. (The charts of Streamlit begin anew with every update and lose the zoom.)
const NS = "http://www.w3.org/2000/svg";
const MARGIN = { left: 48, right: 14, top: 8, bottom: 36 };

function add(parent, name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

// Round numbers between low and high, about `count` of them.
function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
    ticks.push(+(i * step).toPrecision(12));
  return ticks;
}

function logTicks(low, high, count) {
  if (high / low < 4) return linearTicks(low, high, count).filter((v) => v > 0);
  const ticks = [];
  const digits = high / low > 1000 ? [1] : [1, 2, 5];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
    for (const digit of digits) ticks.push(+(digit * 10 ** e).toPrecision(12));
  return ticks.filter((v) => v >= low && v <= high);
}

const number = (v) => (Math.abs(v) >= 1e5 || (v && Math.abs(v) < 1e-3) ? v.toExponential(1)
  : String(+v.toPrecision(4)));

// The range of the data along one axis (0: x, 1: y), of points whose x lies within `among`.
function extent(data, axis, among) {
  let [low, high] = [Infinity, -Infinity];
  for (const line of data.lines) {
    for (let i = 0; i < line.x.length; i++) {
      const v = axis ? line.y[i] : line.x[i];
      if (v === null || (among && (line.x[i] < among[0] || line.x[i] > among[1]))) continue;
      if (axis && data.log && v <= 0) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  if (low > high) return axis && data.log ? [1, 10] : [0, 1];
  if (!axis) return [Math.min(0, low), Math.max(high, low + 1) * 1.02];
  // More room below: that is where the best point's words stand.
  if (data.log) return [low * (low / high) ** 0.1 / 1.02, high * 1.06];
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  return [low >= 0 ? Math.max(0, low - 2 * room) : low - 2 * room, high + room];
}

// From values to px and back.
function scale([low, high], [from, to], log) {
  const f = log ? Math.log : (v) => v;
  const back = log ? Math.exp : (v) => v;
  const span = f(high) - f(low) || 1;
  const px = (v) => from + ((f(v) - f(low)) / span) * (to - from);
  px.invert = (p) => back(f(low) + ((p - from) / (to - from)) * span);
  return px;
}

function draw(box, data) {
  const plot = box.querySelector(".plot");
  const [width, height] = [plot.clientWidth, data.height];
  if (!width) return;
  const zoom = box.zoom || {};
  const xs = zoom.x || extent(data, 0);
  let ys = zoom.y || extent(data, 1, zoom.x);
  if (data.log && ys[0] <= 0) ys = extent(data, 1, zoom.x);
  const inner = { x0: MARGIN.left, x1: width - MARGIN.right, y0: height - MARGIN.bottom, y1: MARGIN.top };
  const x = scale(xs, [inner.x0, inner.x1], false);
  const y = scale(ys, [inner.y0, inner.y1], data.log);
  box.scales = { x, y, inner, data };
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", height);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", data.summary);
  svg.dataset.domain = [...xs, ...ys].map((v) => v.toFixed(4)).join(" ");
  for (const v of linearTicks(...xs, width / 90)) {
    add(svg, "line", { x1: x(v), x2: x(v), y1: inner.y0, y2: inner.y1, class: "rule" });
    add(svg, "text", { x: x(v), y: inner.y0 + 16, "text-anchor": "middle", class: "tick" }, number(v));
  }
  for (const v of (data.log ? logTicks : linearTicks)(...ys, height / 45)) {
    add(svg, "line", { x1: inner.x0, x2: inner.x1, y1: y(v), y2: y(v), class: "rule" });
    add(svg, "text", { x: inner.x0 - 6, y: y(v) + 4, "text-anchor": "end", class: "tick" }, number(v));
  }
  add(svg, "text", { x: (inner.x0 + inner.x1) / 2, y: height - 4, "text-anchor": "middle", class: "title" }, data.x_title);
  const clip = add(add(svg, "clipPath", { id: box.clip }), "rect",
    { x: inner.x0, y: inner.y1, width: inner.x1 - inner.x0, height: inner.y0 - inner.y1 });
  clip.parentNode.remove();
  svg.prepend(clip.parentNode);
  const lines = add(svg, "g", { "clip-path": `url(#${box.clip})` });
  for (const line of data.lines) {
    let path = "";
    let pen = false;
    line.x.forEach((v, i) => {
      const w = line.y[i];
      if (w === null || (data.log && w <= 0)) { pen = false; return; }
      path += `${pen ? "L" : "M"}${x(v).toFixed(1)} ${y(w).toFixed(1)}`;
      pen = true;
    });
    if (!path) continue;
    add(lines, "path", { d: path, stroke: line.color, class: `line ${line.kind}` });
    if (line.x.length === 1)
      add(lines, "circle", { cx: x(line.x[0]), cy: y(line.y[0]), r: 3, fill: line.color });
  }
  for (const mark of data.marks) {
    const [cx, cy] = [x(mark.x), y(mark.y)];
    add(lines, "path", { d: `M${cx} ${cy - 6}l6 6l-6 6l-6 -6z`, fill: mark.color, class: "best" });
    const end = cx > inner.x1 - 90;
    add(lines, "text", { x: cx + (end ? -9 : 9), y: cy + (cy > inner.y1 + 24 ? -10 : 18), class: "mark",
      "text-anchor": end ? "end" : "start" }, mark.text);
  }
  add(svg, "g", { class: "pointer" });
  plot.replaceChildren(svg);
  box.querySelector(".reset").hidden = !box.zoom;
  if (box.at) point(box, box.at);
}

// The point of a line that is nearest to v along x, if it is within half a step; else -1.
function nearest(line, v) {
  let found = -1;
  for (let i = 0; i < line.x.length; i++)
    if (line.y[i] !== null && Math.abs(line.x[i] - v) <= 0.5
      && (found < 0 || Math.abs(line.x[i] - v) < Math.abs(line.x[found] - v))) found = i;
  return found;
}

// What lies nearest to the pointer: a rule, and a dot and the value of each line, lowest first.
function point(box, [px, py]) {
  const { x, y, inner, data } = box.scales;
  const tip = box.querySelector(".tip");
  const pointer = box.querySelector(".pointer");
  pointer.replaceChildren();
  const named = data.lines.filter((line) => line.kind === "solid" || line.kind === "dashed");
  const lines = named.some((line) => line.x.length) ? named : data.lines;
  let best = null;
  for (const line of lines)
    for (const v of line.x)
      if (best === null || Math.abs(x(v) - px) < Math.abs(x(best) - px)) best = v;
  tip.hidden = best === null || px < inner.x0 || px > inner.x1 || x(best) < inner.x0 || x(best) > inner.x1;
  if (tip.hidden) return;
  add(pointer, "line", { x1: x(best), x2: x(best), y1: inner.y0, y2: inner.y1, class: "rule strong" });
  const head = document.createElement("div");
  head.textContent = `${data.x_title} ${number(best)}`;
  const rows = [head];
  const values = lines.map((line) => ({ line, i: nearest(line, best) })).filter(({ i }) => i >= 0);
  values.sort((a, b) => a.line.y[a.i] - b.line.y[b.i]);
  for (const { line, i } of values) {
    if (y(line.y[i]) >= inner.y1 && y(line.y[i]) <= inner.y0)
      add(pointer, "circle", { cx: x(line.x[i]), cy: y(line.y[i]), r: 3.5, fill: line.color });
    const row = document.createElement("div");
    row.append(sample(line), `${line.name}  ${number(line.y[i])}${data.unit}`);
    rows.push(row);
  }
  tip.replaceChildren(...rows);
  const left = px + 16 + tip.offsetWidth > inner.x1 ? px - 16 - tip.offsetWidth : px + 16;
  tip.style.left = `${Math.max(left, 0)}px`;
  tip.style.top = `${Math.max(py - 20, 0)}px`;
}

// A piece of a line, for the legend and the tip.
function sample({ color, kind }) {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 22 10");
  svg.setAttribute("class", "sample");
  if (kind === "best") add(svg, "path", { d: "M11 0l5 5l-5 5l-5 -5z", fill: color || "currentColor" });
  else add(svg, "path", { d: "M1 5H21", stroke: color || "currentColor", class: `line ${kind}` });
  return svg;
}

function listen(box) {
  const plot = box.querySelector(".plot");
  const band = box.querySelector(".band");
  const place = (event) => {
    const frame = plot.getBoundingClientRect();
    const { inner } = box.scales;
    const at = [event.clientX - frame.left, event.clientY - frame.top];
    return [Math.min(Math.max(at[0], inner.x0), inner.x1), Math.min(Math.max(at[1], inner.y1), inner.y0)];
  };
  const reset = () => { box.zoom = null; draw(box, box.scales.data); };
  let from = null;
  plot.onpointerdown = (event) => {
    if (event.button) return;
    from = place(event);
    plot.setPointerCapture(event.pointerId);
  };
  plot.onpointermove = (event) => {
    box.at = place(event);
    if (!from) return point(box, box.at);
    const to = box.at;
    box.querySelector(".tip").hidden = true;
    const flat = Math.abs(to[1] - from[1]) < 14;  // along x alone; the other axis fits itself
    const { inner } = box.scales;
    Object.assign(band.style, {
      left: `${Math.min(from[0], to[0])}px`,
      width: `${Math.abs(to[0] - from[0])}px`,
      top: `${flat ? inner.y1 : Math.min(from[1], to[1])}px`,
      height: `${flat ? inner.y0 - inner.y1 : Math.abs(to[1] - from[1])}px`,
    });
    band.hidden = Math.abs(to[0] - from[0]) < 6;
  };
  plot.onpointerup = (event) => {
    const to = place(event);
    const zoomed = from && !band.hidden;
    band.hidden = true;
    if (zoomed) {
      const { x, y } = box.scales;
      const flat = Math.abs(to[1] - from[1]) < 14;
      const along = (s, a, b) => [s.invert(a), s.invert(b)].sort((p, q) => p - q);
      box.zoom = { x: along(x, from[0], to[0]), y: flat ? null : along(y, from[1], to[1]) };
      draw(box, box.scales.data);
    }
    from = null;
  };
  plot.onpointercancel = () => { from = null; band.hidden = true; };
  plot.onpointerleave = () => {
    if (from) return;
    box.at = null;
    box.querySelector(".tip").hidden = true;
    box.querySelector(".pointer")?.replaceChildren();
  };
  plot.ondblclick = reset;
  box.querySelector(".reset").onclick = reset;
  new ResizeObserver(() => box.scales ? draw(box, box.scales.data) : box.first()).observe(plot);
}

export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".chart");
  box.first = () => draw(box, data);
  if (!box.clip) {
    box.clip = `clip-${Math.random().toString(36).slice(2)}`;
    listen(box);
  }
  box.querySelector(".legend").replaceChildren(...data.legend.map((entry) => {
    const item = document.createElement("span");
    item.append(sample(entry), entry.text);
    return item;
  }));
  draw(box, data);
}
