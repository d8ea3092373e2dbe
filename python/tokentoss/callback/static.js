(() => {
  const address = location.href;
  const query = location.search.slice(1);
  history.replaceState(null, "", location.pathname);
  const LONGEST_MESSAGE = 65536;
  const PATIENCE = 1500;
  const paste = document.getElementById("paste");
  const field = document.getElementById("address");

  // "self" stands for this page's own origin; no origin is ever taken from the address's query.
  const origins = JSON.parse(document.getElementById("origins").textContent)
    .map((origin) => (origin === "self" ? location.origin : origin));
  const answer = new URLSearchParams(query);
  const states = answer.getAll("state");
  const isAnswer = states.length === 1 && /^[A-Za-z0-9._~-]{16,512}$/.test(states[0])
    && (answer.has("code") || answer.has("error")) && query.length < LONGEST_MESSAGE / 2;
  if (!isAnswer) {
    show("note", texts.nothingToDo, texts.nothingToDoHow);
    return;
  }

  let finished = false;
  const isDone = (data) => {
    if (typeof data !== "string" || data.length > LONGEST_MESSAGE) return false;
    try {
      const content = JSON.parse(data);
      return content !== null && typeof content === "object" && content.type === "done";
    } catch {
      return false;
    }
  };
  const channel = new BroadcastChannel(`tokentoss/${states[0]}`);
  const finish = () => {
    if (finished) return;
    finished = true;
    channel.close();
    field.value = "";
    paste.hidden = true;
    sayHowToGoOn(answer);
    window.close();
  };
  const offerPaste = () => {
    if (finished) return;
    show("asking", texts.oneMoreStep, texts.copyAddress);
    field.value = address;
    paste.hidden = false;
  };
  document.getElementById("copy").addEventListener("click", async (event) => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Without a secure context there is no clipboard API.
      document.execCommand("copy");
    }
    event.target.textContent = texts.copied;
  });

  channel.addEventListener("message", (event) => { if (isDone(event.data)) finish(); });
  window.addEventListener("message", (event) => {
    if (event.source === window.opener && origins.includes(event.origin) && isDone(event.data)) finish();
  });
  const text = JSON.stringify({ type: "callback", query });
  channel.postMessage(text);
  if (window.opener) for (const origin of origins) window.opener.postMessage(text, origin);
  setTimeout(offerPaste, PATIENCE);
})();
