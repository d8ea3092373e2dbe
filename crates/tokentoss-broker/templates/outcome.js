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
// Scripts close the windows that scripts opened, but no tab: one that still stands after the click keeps no button.
const closeButton = document.getElementById("close");
const offerToClose = (outcome) => {
  const isPopup = "popup" in closeButton.dataset || window.opener !== null;
  closeButton.hidden = !isPopup || outcome === "waiting" || outcome === "asking";
};
closeButton.addEventListener("click", () => {
  closeButton.hidden = true;
  window.close();
});
offerToClose(document.querySelector("main").dataset.outcome);
