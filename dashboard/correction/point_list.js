// The points of a face, one line each; a click chooses one.
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".list");
  list.replaceChildren(...data.points.map((point, k) => {
    const line = document.createElement("button");
    line.type = "button";
    line.className = `line ${point.state}`;
    line.setAttribute("aria-pressed", String(k === data.active));
    line.title = point.note;
    line.onclick = () => setTriggerValue("chosen", k);
    const dot = document.createElement("span");
    dot.className = "dot";
    dot.style.setProperty("--color", point.color);
    line.append(dot);
    for (const [kind, text] of [["label", point.label], ["where", point.where], ["off", point.off]]) {
      const cell = document.createElement("span");
      cell.className = kind;
      cell.textContent = text;
      line.append(cell);
    }
    line.querySelector(".off").classList.toggle("far", point.far);
    return line;
  }));
}
