(() => {
  const query = location.search.slice(1);
  history.replaceState(null, "", location.pathname);
  const LONGEST_MESSAGE = 65536;
  const PATIENCE = 1500;
  const LIFETIME = 15000;
  const answer = new URLSearchParams(query);
  const page = JSON.parse(document.getElementById("page").textContent);
  // Without an origin to address there is nobody to talk to but the kernel.
  const notebook = page.origin ? window.opener : null;
  let finished = false;
  let answered = false;
  let relaying = false;

  const finish = (...said) => {
    if (finished) return;
    finished = true;
    if (said.length > 0) say(answer, ...said);
    else sayHowToGoOn(answer);
    window.close();
  };
  const fail = (sentence, code) => finish("failed", texts.notSignedIn, sentence, code);
  const tell = (content) => { if (notebook) notebook.postMessage(JSON.stringify(content), page.origin); };
  const post = (path, content) => fetch(path, {
    method: "POST", body: JSON.stringify({ page_token: page.token, ...content }),
    headers: { "Content-Type": "application/json" },
    cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "same-origin",
  });

  const relay = async () => {
    if (answered || relaying || finished) return;
    relaying = true;
    try {
      const response = await post("/tokentoss/relay", {});
      if (response.ok) finish();
      else fail(texts.over, (await response.json()).code);
    } catch {
      fail(texts.kernelStopped);
    }
  };
  const deliver = async (sealed) => {
    let code;
    try {
      code = (await (await post("/tokentoss/deliver", { sealed })).json()).code;
    } catch {
      // The listener closes soon after a sign-in: the tokens may have arrived through the notebook.
      finish();
      return;
    }
    tell({ type: "delivered", code });
    const signedInWith = texts.signedInWith.replace("{provider}", () => page.provider);
    if (code === "") finish("done", texts.signedIn, `${signedInWith} ${texts.mayClose}`);
    else fail(texts.notebookSaysWhy, code);
  };

  window.addEventListener("message", (event) => {
    if (event.source !== notebook || event.origin !== page.origin || typeof event.data !== "string") return;
    if (event.data.length > LONGEST_MESSAGE) return;
    let content;
    try { content = JSON.parse(event.data); } catch { return; }
    if (content === null || typeof content !== "object") return;
    if (content.type === "done") { answered = true; finish(); }
    if (content.type === "envelope" && typeof content.sealed === "string" && !answered) {
      answered = true;
      deliver(content.sealed);
    }
  });
  setTimeout(finish, LIFETIME);
  if (notebook) {
    tell({ type: "callback", query });
    setTimeout(relay, PATIENCE);
  } else {
    relay();
  }
})();
