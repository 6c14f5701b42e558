// A photo with the squares and points of its faces: zoom and move (zoom.js), hover for names
// (marks.js); both come before this file. With `draw`, dragging draws a box instead of moving.
export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".view");
  const tip = parentElement.querySelector(".tip");
  const { width, height } = data;
  const layer = drawMarks(data.face, data, document.createElement("span"));
  for (const { corners, title } of [...data.boxes].reverse()) {
    for (const kind of ["frame-line", "frame-casing"]) {
      const square = svg("polygon", { points: corners.join(" "), class: kind }, layer);
      layer.prepend(square);
    }
    const text = svg("text", { class: "name" }, layer);
    text.of = corners[0];
    text.textContent = title;
  }
  picture(layer, data.src, data);
  nameOnHover(layer, tip, box.parentElement);
  tip.hidden = true;
  box.replaceChildren(layer);
  box.style.aspectRatio = `${width} / ${height}`;
  box.parentElement.style.maxWidth = `min(100%, ${(data.tall * width) / height}px)`;
  box.classList.toggle("drawing", data.draw);

  // Lines and letters are as thick on every photo, however many px it has.
  const unit = () => width / Math.max(box.clientWidth || 600, 1);
  const { place, show } = zoomable(box, layer, data, (scale) => {
    sizeMarks(layer, data.size / Math.sqrt(scale));
    layer.style.setProperty("--px", `${unit() / scale}px`);
    for (const text of layer.querySelectorAll("text")) {
      const lift = (5 * unit()) / scale;
      text.setAttribute("x", text.of[0] + lift);
      text.setAttribute("y", Math.max(text.of[1] - lift, (14 * unit()) / scale));
    }
  });
  box.resized?.disconnect();
  box.resized = new ResizeObserver(show);
  box.resized.observe(box);
  if (data.draw) drawBoxes();

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
        const least = 8 * unit();
        if (end.type === "pointerup" && drawn && drawn[2] > least && drawn[3] > least)
          setTriggerValue("drawn", drawn);
      };
    };
  }
}
