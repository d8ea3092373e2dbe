// What a page says: its icon, title and heading, one sentence, and the code of an error.
const show = (outcome, heading, sentence = "", code = "") => {
  document.querySelector("main").dataset.outcome = outcome;
  document.title = heading;
  document.getElementById("heading").textContent = heading;
  document.getElementById("message").textContent = sentence;
  document.getElementById("code").hidden = code === "";
  document.querySelector("#code > code").textContent = code;
  offerToClose(outcome);
};
// Browsers close popups for a script, also one that lost its opener, but no tabs that were opened otherwise.
const offerToClose = (outcome) => {
  const isPopup = window.opener !== null || !window.menubar.visible;
  document.getElementById("close").hidden = !isPopup || outcome === "waiting" || outcome === "asking";
};
document.getElementById("close").addEventListener("click", () => window.close());
offerToClose(document.querySelector("main").dataset.outcome);
