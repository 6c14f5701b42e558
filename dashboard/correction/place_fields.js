// The place of one point as two numbers. Told is only what somebody has entered: a field of
// Streamlit's also sends what it showed a moment ago along with a key pressed fast.
export default function ({ data, parentElement, setTriggerValue }) {
  for (const axis of ["x", "y"]) {
    const field = parentElement.querySelector(`[name=${axis}]`);
    const [low, high] = data.bounds[axis];
    Object.assign(field, { min: low, max: high, step: data.step });
    const shown = data.place[axis].toFixed(2);
    // What is being entered stays, unless the point has gone elsewhere meanwhile.
    if (field.dataset.shown !== `${data.k} ${shown}`) field.value = shown;
    field.dataset.shown = `${data.k} ${shown}`;
    field.onchange = () => {
      const value = field.valueAsNumber;
      const fits = value >= low && value <= high;
      field.value = fits ? value.toFixed(2) : shown;
      if (field.value !== shown) setTriggerValue("entered", { k: data.k, axis, value });
    };
  }
}
