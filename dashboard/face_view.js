// One face, large: wheel to zoom, drag to move, double-click to reset, hover for names (marks.js
// comes before this file). The zoom outlives reruns: only another face resets it.
export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".view");
  const tip = parentElement.querySelector(".tip");
  const { width, height } = data;
  const opened = !box.window;
  if (box.dataset.face !== data.id || opened) {
    box.dataset.face = data.id;
    box.window = { x: -0.5, y: -0.5, scale: 1 };
  }
  const layer = drawMarks(data.face, data, document.createElement("span"));
  const image = document.createElementNS(SVG, "image");
  for (const [key, value] of Object.entries({ href: data.face.src, x: -0.5, y: -0.5, width, height }))
    image.setAttribute(key, value);
  layer.prepend(image);
  nameOnHover(layer, tip, box.parentElement);
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
      text.setAttribute("x", text.of[0] + text.apart[0] / view.scale);
      text.setAttribute("y", text.of[1] + text.apart[1] / view.scale);
      text.style.fontSize = `${data.font / view.scale}px`;
      text.style.strokeWidth = `${(0.22 * data.font) / view.scale}px`;
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
  // Opened from far down the grid, or from its duplicates below it, the face would be out of sight.
  if (opened || box.getBoundingClientRect().bottom < 0) box.scrollIntoView();
}
