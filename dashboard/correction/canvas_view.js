// What of the canvas is seen: the whole face as large as the window has room for it, or a part. The
// canvas keeps its size; it is shown larger or smaller.
const LEAST = 260; // px of the screen that the face has at least
const SIDE = 400; // px that are left for what stands beside it
const MOST_ZOOM = 16;

class View {
  // In `root`, around `box`; `changed` is called whenever something else is seen.
  constructor(root, box, changed) {
    Object.assign(this, { root: root.querySelector(".dc-root"), box, changed, zoom: 1, x: 0, y: 0 });
    this.scroll = root.querySelector(".dc-scroll");
    const bar = document.createElement("div");
    bar.className = "zoom";
    const button = (text, label, press) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = text;
      made.title = label;
      made.setAttribute("aria-label", label);
      made.onclick = press;
      bar.append(made);
      return made;
    };
    button("−", "Zoom out (-)", () => this.zoomBy(1 / 1.5));
    this.percent = button("100 %", "Show the whole image (Home)", () => this.reset());
    button("+", "Zoom in (+)", () => this.zoomBy(1.5));
    this.root.append(bar);
    this.scroll.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * 0.0015), event);
    }, { passive: false });
  }

  // As large as the room around the element `frame` allows.
  fit(frame) {
    const row = frame.parentElement.closest('[data-testid="stHorizontalBlock"]') || frame;
    const main = frame.closest('[data-testid="stMain"]') || document.scrollingElement;
    const top = this.scroll.getBoundingClientRect().top + main.scrollTop;
    const [width, height] = [this.box.offsetWidth, this.box.offsetHeight];
    const room = [row.clientWidth - SIDE - 16, window.innerHeight - top - 12];
    this.whole = Math.min(...room.map((px) => Math.max(px, LEAST)).map((px, i) => px / [width, height][i]));
    for (const node of [this.root, this.scroll]) {
      node.style.width = `${Math.floor(width * this.whole)}px`;
      node.style.height = `${Math.floor(height * this.whole)}px`;
    }
    this.show();
  }

  reset() {
    Object.assign(this, { zoom: 1, x: 0, y: 0 });
    this.show();
  }

  // Towards where the `event` is, else towards the middle.
  zoomBy(factor, event) {
    const edges = this.scroll.getBoundingClientRect();
    const at = event ? [event.clientX - edges.left, event.clientY - edges.top]
      : [edges.width / 2, edges.height / 2];
    const zoom = Math.min(Math.max(this.zoom * factor, 1), MOST_ZOOM);
    this.x = at[0] - (at[0] - this.x) * (zoom / this.zoom);
    this.y = at[1] - (at[1] - this.y) * (zoom / this.zoom);
    this.zoom = zoom;
    this.show();
  }

  panBy(x, y) {
    this.x += x;
    this.y += y;
    this.show();
  }

  // px of the screen for each of the canvas'.
  get scale() { return this.whole * this.zoom; }

  show() {
    const inside = (at, size, room) => Math.min(0, Math.max(at, room - size * this.scale));
    this.x = inside(this.x, this.box.offsetWidth, this.scroll.clientWidth);
    this.y = inside(this.y, this.box.offsetHeight, this.scroll.clientHeight);
    this.box.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.percent.textContent = `${Math.round(100 * this.zoom)} %`;
    this.changed();
  }

  // Left, top, width and height of what is seen, in px of the canvas.
  get seen() {
    return [-this.x, -this.y, this.scroll.clientWidth, this.scroll.clientHeight].map((px) => px / this.scale);
  }

  // Where an event is, in px of the canvas.
  place(event) {
    const { left, top, width, height } = this.box.getBoundingClientRect();
    const point = event.changedTouches ? event.changedTouches[0] : event;
    return [((point.clientX - left) / width) * this.box.offsetWidth,
      ((point.clientY - top) / height) * this.box.offsetHeight];
  }
}
