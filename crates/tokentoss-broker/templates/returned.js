// The code is spent, and need not stay in the address bar.
history.replaceState(null, "", location.pathname);
const { id, origin } = document.getElementById("script").dataset;
const texts = JSON.parse(document.getElementById("texts").textContent);
const tell = (kind, code) => {
  if (window.opener && origin) window.opener.postMessage({ tokentoss: "broker", id, kind, code }, origin);
};
const askForConfirmation = () => {
  show("asking", texts.oneMoreStep, texts.typeThis);
  document.getElementById("confirm").hidden = false;
};
const connect = async () => {
  try {
    const answer = await fetch(`/connect/${id}/here`, { method: "POST" });
    if (answer.status === 410) {
      show("failed", texts.notSignedIn, texts.interrupted, "sign_in_interrupted");
      tell("failed", "sign_in_interrupted");
      return;
    }
    if (!answer.ok) throw new Error();
  } catch {
    askForConfirmation();
    return;
  }
  show("done", texts.signedIn, texts.mayClose);
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
