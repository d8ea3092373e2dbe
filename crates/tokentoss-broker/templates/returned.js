// The code is spent, and need not stay in the address bar.
history.replaceState(null, "", location.pathname);
const { id, origin } = document.getElementById("script").dataset;
const tell = (kind, code) => {
  if (window.opener && origin) window.opener.postMessage({ tokentoss: "broker", id, kind, code }, origin);
};
const askForConfirmation = () => {
  show("asking", "One more step", "This window can't reach your notebook. To finish, type this into the notebook's "
    + "sign-in, if it was you who clicked its button:");
  document.getElementById("confirm").hidden = false;
};
const connect = async () => {
  try {
    const answer = await fetch(`/connect/${id}/here`, { method: "POST" });
    if (answer.status === 410) {
      show("failed", "Not signed in", "The broker was interrupted while you signed in. Sign in again.",
        "sign_in_interrupted");
      tell("failed", "sign_in_interrupted");
      return;
    }
    if (!answer.ok) throw new Error();
  } catch {
    askForConfirmation();
    return;
  }
  show("done", "Signed in", "You can close this window.");
  document.getElementById("who").hidden = false;
  tell("done");
  window.close();
};
// A notebook page that answers at once needs no more than this; one that was cut off never does.
const impatience = setTimeout(askForConfirmation, 3000);
window.addEventListener("message", ({ source, origin: sender, data }) => {
  const isAnswer = data?.tokentoss === "broker" && data.id === id && data.kind === "here";
  if (!isAnswer || sender !== origin || source !== window.opener || document.body.dataset.answered) return;
  document.body.dataset.answered = "yes";
  clearTimeout(impatience);
  document.getElementById("confirm").hidden = true;
  void connect();
});
if (window.opener && origin) tell("who");
else askForConfirmation();
