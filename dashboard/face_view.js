// One face, large: zoom and move (zoom.js), hover for names (marks.js); both come before this file.
export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".view");
  const tip = parentElement.querySelector(".tip");
  const layer = drawMarks(data.face, data, document.createElement("span"));
  picture(layer, data.face.src, data);
  nameOnHover(layer, tip, box.parentElement);
  tip.hidden = true;
  box.replaceChildren(layer);

  const { opened } = zoomable(box, layer, data, (scale) => {
    // Marks keep their size on the screen, so that they hide less the closer one looks.
    sizeMarks(layer, data.size / scale);
    for (const text of layer.querySelectorAll("text")) {
      text.setAttribute("x", text.of[0] + text.apart[0] / scale);
      text.setAttribute("y", text.of[1] + text.apart[1] / scale);
      text.style.fontSize = `${data.font / scale}px`;
      text.style.strokeWidth = `${(0.22 * data.font) / scale}px`;
    }
  });
  // Opened from far down the grid, or from its duplicates below it, the face would be out of sight.
  if (opened || box.getBoundingClientRect().bottom < 0) box.scrollIntoView();
}
