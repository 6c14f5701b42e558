// One face, large: wheel to zoom, drag to move, double-click to reset, hover for names (marks.js
// comes before this file). The zoom outlives reruns: only another face resets it.
export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".view");
  const tip = parentElement.querySelector(".tip");
  const { width, height } = data;
  if (box.dataset.face !== data.id || !box.window) {
    box.dataset.face = data.id;
    box.window = { x: -0.5, y: -0.5, scale: 1 };
  }
  const picture = document.createElement("span");
  drawMarks(data.face, data, picture);
  const layer = picture.querySelector("svg");
  const image = document.createElementNS(SVG, "image");
  for (const [key, value] of Object.entries({ href: data.face.src, x: -0.5, y: -0.5, width, height }))
    image.setAttribute(key, value);
  layer.prepend(image);
  for (const title of layer.querySelectorAll("title")) {
    const dot = title.parentNode;
    const text = title.textContent;
    title.remove();  // our own tip comes at once, the browser's after a second
    dot.setAttribute("aria-label", text);
    dot.onpointerenter = () => { tip.textContent = text; tip.hidden = false; };
    dot.onpointermove = (event) => {
      const frame = box.getBoundingClientRect();
      tip.style.left = `${event.clientX - frame.left + 14}px`;
      tip.style.top = `${event.clientY - frame.top + 10}px`;
    };
    dot.onpointerleave = () => { tip.hidden = true; };
  }
  tip.hidden = true;
  box.replaceChildren(layer);

  function show() {
    const view = box.window;
    const [w, h] = [width / view.scale, height / view.scale];
    view.x = Math.min(Math.max(view.x, -0.5), width - 0.5 - w);
    view.y = Math.min(Math.max(view.y, -0.5), height - 0.5 - h);
    layer.setAttribute("viewBox", `${view.x} ${view.y} ${w} ${h}`);
    // Marks keep their size on the screen, so that they hide less the closer one looks.
    sizeMarks(layer, data.size / view.scale);
    for (const text of layer.querySelectorAll("text")) {
      text.style.fontSize = `${2.3 / view.scale}px`;
      text.style.strokeWidth = `${0.5 / view.scale}px`;
    }
  }

  function place(event) {  // where the pointer is, in image px
    const frame = box.getBoundingClientRect();
    return [
      box.window.x + ((event.clientX - frame.left) / frame.width) * (width / box.window.scale),
      box.window.y + ((event.clientY - frame.top) / frame.height) * (height / box.window.scale),
    ];
  }

  box.onwheel = (event) => {
    event.preventDefault();
    const [x, y] = place(event);
    const view = box.window;
    const scale = Math.min(Math.max(view.scale * Math.exp(-event.deltaY * 0.0015), 1), 16);
    view.x = x - (x - view.x) * (view.scale / scale);
    view.y = y - (y - view.y) * (view.scale / scale);
    view.scale = scale;
    show();
  };
  box.onpointerdown = (event) => {
    const from = place(event);
    box.setPointerCapture(event.pointerId);
    box.onpointermove = (move) => {
      const to = place(move);
      box.window.x += from[0] - to[0];
      box.window.y += from[1] - to[1];
      show();
    };
  };
  box.onpointerup = box.onpointercancel = () => { box.onpointermove = null; };
  box.ondblclick = () => { box.window = { x: -0.5, y: -0.5, scale: 1 }; show(); };
  show();
}
