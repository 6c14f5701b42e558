// A grid of faces with their marks (marks.js comes before this file).
export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector(".grid");
  const tip = parentElement.querySelector(".tip");
  const turned = grid.dataset.page !== undefined && grid.dataset.page !== String(data.page);
  grid.dataset.page = data.page;
  grid.style.setProperty("--ratio", `${data.width} / ${data.height}`);
  grid.style.setProperty("--face", `${data.face_px}px`);
  grid.style.gridTemplateColumns = data.columns ? `repeat(${data.columns}, minmax(0, 1fr))` : "";
  grid.classList.toggle("pixelated", data.show.includes("pixels"));
  grid.classList.toggle("pairs", data.pairs);
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
    nameOnHover(drawMarks(face, data, picture), tip, tip.parentElement);
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
  tip.hidden = true;
  const at = data.faces.findIndex((face) => face.id === data.focus);
  if (at >= 0) {
    grid.children[at].scrollIntoView({ block: "center" });
    grid.children[at].focus({ preventScroll: true });
  } else if (turned && grid.getBoundingClientRect().top < 0) {
    grid.scrollIntoView();
  }
}
