// What the page says, in its language.
const texts = JSON.parse(document.getElementById("texts").textContent);
