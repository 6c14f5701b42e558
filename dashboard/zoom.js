// Wheel to zoom, drag to move, double-click to reset, for a picture in an SVG layer within a box.
// The zoom outlives reruns: only another picture (id) resets it. `rescale(scale)` is called whenever
// it changed. Returns whether the picture was just opened, where an event is on it, in its px, and
// what shows it anew.
function zoomable(box, layer, { id, width, height }, rescale) {
  const opened = !box.window;
  const reset = () => { box.window = { x: -0.5, y: -0.5, scale: 1 }; };
  if (box.dataset.face !== id || opened) {
    box.dataset.face = id;
    reset();
  }

  function show() {
    const view = box.window;
    const [w, h] = [width / view.scale, height / view.scale];
    view.x = Math.min(Math.max(view.x, -0.5), width - 0.5 - w);
    view.y = Math.min(Math.max(view.y, -0.5), height - 0.5 - h);
    layer.setAttribute("viewBox", `${view.x} ${view.y} ${w} ${h}`);
    rescale(view.scale);
  }

  function place(event) {
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
  box.ondblclick = () => { reset(); show(); };
  show();
  return { opened, place, show };
}
