(() => {
  // Whose start page this is: nobody but this page's own listener learns it, and the address bar forgets it.
  const [, ticket, key] = /^#([\w-]+)\.([\w-]+)$/.exec(location.hash) ?? [];
  history.replaceState(null, "", location.pathname);
  // Where pages are zoomed, a popup has fewer CSS pixels than it was opened with. Tabs stay as they are.
  const [width, height] = [500, 640];
  let tries = 5;
  const makeRoom = () => {
    if (innerWidth >= width || tries === 0) return;
    tries -= 1;
    if (innerWidth > 0) resizeTo(outerWidth * width / innerWidth, outerHeight * height / innerHeight);
    // A window that the browser has yet to place ignores it, and the screen may have no more.
    setTimeout(makeRoom, 200);
  };
  makeRoom();
  const LONGEST_MESSAGE = 65536;
  const PATIENCE = 6000;
  const LIFETIME = 600000;
  const goOn = () => show("waiting", texts.goingOn);
  const fail = (sentence, code) => show("failed", texts.notSignedIn, sentence, code);
  const post = (path, content) => fetch(path, {
    method: "POST", body: JSON.stringify(content), headers: { "Content-Type": "application/json" },
    cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "same-origin",
  });

  // Cut off by the notebook page's own policy: what it would have said here, it says to the kernel.
  const ask = async () => {
    const since = Date.now();
    let pause = 250;
    let failures = 0;
    while (Date.now() - since < LIFETIME) {
      try {
        const response = await post("/tokentoss/where", { ticket, key });
        const { url, code } = await response.json();
        if (!response.ok) {
          fail(texts.over, code);
          return;
        }
        if (url) {
          location.replace(url);
          return;
        }
        failures = 0;
      } catch {
        failures += 1;
      }
      if (failures > 3) {
        fail(texts.kernelStopped);
        return;
      }
      if (Date.now() - since > PATIENCE) {
        show("waiting", texts.waitingForNotebook, texts.waitingForNotebookHow);
        pause = 1000;
      }
      await new Promise((resolve) => { setTimeout(resolve, pause); });
    }
    fail(texts.noAnswer);
  };

  const notebook = window.opener;
  if (!notebook) {
    if (key) ask();
    else fail(texts.lost);
    return;
  }
  const knock = () => notebook.postMessage('{"type":"ready"}', "*");
  const knocking = setInterval(knock, 50);
  const patience = setTimeout(() => {
    clearInterval(knocking);
    fail(texts.noAnswer);
  }, 20000);

  // Tells what the user answers to whether this page may sign in. It is unknown here: nothing vouches for it.
  const confirmed = (origin, asked) => new Promise((resolve) => {
    const element = (id) => document.getElementById(id);
    element("origin").textContent = origin;
    const scopes = Array.isArray(asked.scopes) ? asked.scopes.join(" ") : "";
    const rows = [
      [texts.provider, asked.provider], [texts.account, asked.account], [texts.client, asked.client_id], [texts.scopes, scopes],
    ];
    for (const [name, value] of rows) {
      if (!value) continue;
      for (const [tag, text] of [["dt", name], ["dd", value]]) {
        element("details").append(Object.assign(document.createElement(tag), { textContent: text, dir: "auto" }));
      }
    }
    const [yes, no] = [element("yes"), element("no")];
    const onKey = (event) => { if (event.key === "Escape") finish(false); };
    const finish = (answer) => {
      document.removeEventListener("keydown", onKey);
      element("question").hidden = true;
      element("state").hidden = false;
      resolve(answer);
    };
    no.addEventListener("click", () => finish(false));
    yes.addEventListener("click", () => finish(true));
    document.addEventListener("keydown", onKey);
    // A key or a click that was meant for the page before must not say yes.
    yes.disabled = true;
    setTimeout(() => { yes.disabled = false; }, 700);
    show("asking", element("title").textContent);
    element("state").hidden = true;
    element("question").hidden = false;
    element("title").focus();
  });

  const register = async (sealed, origin) => {
    // A page without an origin cannot be addressed; what it is told tells a stranger nothing.
    const tell = (content) => notebook.postMessage(JSON.stringify(content), origin === "null" ? "*" : origin);
    const content = { ticket, key, origin, sealed };
    let code = "registration_refused";
    try {
      let response = await post("/tokentoss/register", content);
      let answer = await response.json();
      if (response.ok && answer.confirm) {
        tell({ type: "confirming" });
        if (!await confirmed(origin, answer)) {
          tell({ type: "refused", code: "page_refused" });
          show("note", texts.notSignedIn, texts.saidNo);
          return;
        }
        goOn();
        response = await post("/tokentoss/register", { ...content, confirm: answer.confirm });
        answer = await response.json();
      }
      if (response.ok && answer.answer) {
        tell({ type: "registered", answer: answer.answer });
        location.replace(answer.url);
        return;
      }
      // A question that is asked again was answered too late.
      if (!response.ok) code = answer.code;
    } catch {
      code = "registration_refused";
    }
    tell({ type: "refused", code });
    fail(texts.notStarted, code);
  };

  const onMessage = (event) => {
    if (event.source !== notebook || typeof event.data !== "string" || event.data.length > LONGEST_MESSAGE) return;
    let start;
    try { start = JSON.parse(event.data); } catch { return; }
    if (start === null || typeof start !== "object" || start.type !== "start") return;
    // Two widgets of one page both speak to this window: it belongs to the one that opened it.
    if (!key || start.ticket !== ticket || start.key !== key || typeof start.sealed !== "string") return;
    window.removeEventListener("message", onMessage);
    clearInterval(knocking);
    clearTimeout(patience);
    register(start.sealed, event.origin);
  };
  window.addEventListener("message", onMessage);
  knock();
})();
