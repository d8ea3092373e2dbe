// A page that is the same file for everybody holds its texts in several languages, and speaks the browser's.
const spoken = JSON.parse(document.getElementById("texts").textContent);
const codes = navigator.languages.map((tag) => tag.split("-")[0].toLowerCase());
const language = codes.find((code) => Object.hasOwn(spoken, code)) ?? document.documentElement.lang;
const texts = spoken[language];
document.documentElement.lang = language;
show("waiting", texts.signingIn);
for (const element of document.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = texts[element.dataset.label];
