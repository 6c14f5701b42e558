// A switch for notices of the browser, and the notices: one for each run that has ended, told once
// in this tab whatever page it ended on.
const KEY = "fkd-notices";

const allowed = () => "Notification" in window && Notification.permission === "granted";
const wanted = () => localStorage.getItem(KEY) === "on";

function tell(run) {
  const known = `fkd-told-${run.key}`;
  if (sessionStorage.getItem(known)) return;
  sessionStorage.setItem(known, "1");
  if (wanted() && allowed()) new Notification(run.title, { body: run.body, tag: run.key });
}

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button");
  const show = () => {
    const denied = "Notification" in window && Notification.permission === "denied";
    const on = wanted() && allowed();
    button.hidden = !data.offered;
    button.disabled = denied || !("Notification" in window);
    button.setAttribute("aria-pressed", on);
    button.textContent = denied ? "Notifications are blocked by the browser"
      : on ? "Notification at the end: on" : "Notify me when it ends";
  };
  button.onclick = async () => {
    if (wanted() && allowed()) localStorage.removeItem(KEY);
    else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(KEY, "on");
    show();
  };
  show();
  for (const run of data.ended) tell(run);
}
