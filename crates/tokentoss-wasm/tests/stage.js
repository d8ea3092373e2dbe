// A notebook page whose popup, network and clock the test controls.

const LISTENER = "http://127.0.0.1:41231";

const text = (bytes) => {
  const base64 = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(bytes))));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

export class Stage {
  constructor() {
    this.ticket = {
      version: 2,
      id: text(16),
      nonce: text(32),
      // Of the private key that the tests open with.
      public_key: "E75P6uryBMf9M1j8nAByGIHRdCeBKCJ-xnTzf3_pe20",
      client_id: "client",
      client_secret_sealed: false,
      scopes: ["openid"],
      redirect_uri: `${LISTENER}/`,
      provider: {
        issuer: "https://issuer.example",
        authorization_endpoint: "https://issuer.example/authorize",
        token_endpoint: "https://issuer.example/token",
        iss_parameter_supported: false,
        authorization_params: {},
        id_token_signing_algs: ["RS256"],
        token_endpoint_cors: true,
      },
      hosted_domain: null,
      login_hint: null,
    };
    this.events = [];
    this.onEvent = (event) => {
      this.events.push(event);
      this.reaction?.(event);
    };
    /** "listen", "open" and "fetch" in the order in which they happened. */
    this.effects = [];
    this.posted = [];
    this.requests = [];
    this.answer = () => new Promise(() => {});
    this.timers = new Map();
    this.lag = 0;

    // A frame stands in for the popup: like one, it is a window that messages can name as their source.
    this.frame = document.body.appendChild(document.createElement("iframe"));
    this.popup = this.frame.contentWindow;
    this.popup.postMessage = (message, origin) => this.posted.push({ message, origin });
    this.popup.close = () => this.effects.push("close");
    this.opens = () => this.popup;

    const { fetch, setTimeout, clearTimeout, open, addEventListener } = window;
    const now = Date.now;
    this.leave = () => {
      Object.assign(window, { fetch, setTimeout, clearTimeout, open, addEventListener });
      Date.now = now;
      this.frame.remove();
    };
    window.open = (url, target, features) => {
      this.effects.push("open");
      this.opened = { url, target, features };
      return this.opens();
    };
    window.addEventListener = (type, ...rest) => {
      if (type === "message") this.effects.push("listen");
      addEventListener.call(window, type, ...rest);
    };
    window.fetch = (request, ...rest) => {
      // The test runner fetches, too.
      const { token_endpoint, device_authorization_endpoint } = this.ticket.provider;
      const endpoints = [token_endpoint, device_authorization_endpoint];
      if (!endpoints.includes(request.url)) return fetch.call(window, request, ...rest);
      this.effects.push("fetch");
      this.requests.push(request);
      return this.answer(request);
    };
    window.setTimeout = (callback, delay) => {
      const id = setTimeout(() => {}, 0);
      this.timers.set(id, { callback, delay });
      return id;
    };
    window.clearTimeout = (id) => {
      this.timers.delete(id);
      clearTimeout(id);
    };
    Date.now = () => now() + this.lag;
  }

  /** A message as the popup, or somebody else, sends it. */
  receive(content, origin = LISTENER, source = this.popup) {
    const data = typeof content === "string" ? content : JSON.stringify(content);
    window.dispatchEvent(new MessageEvent("message", { data, origin, source }));
  }

  receiveFromStranger(content) {
    const stranger = document.body.appendChild(document.createElement("iframe"));
    this.receive(content, LISTENER, stranger.contentWindow);
    stranger.remove();
  }

  /** The start page introduces itself; the result is what it is told. */
  introduceStartPage() {
    this.receive({ type: "ready" });
    return this.posted.at(-1).message;
  }

  /** The provider sends the popup back with a code. */
  comeBack(url) {
    const state = new URL(url).searchParams.get("state");
    this.receive({ type: "callback", query: `code=c0de&state=${encodeURIComponent(state)}` });
  }

  /** Lets the time pass that the latest timer waits for, and fires it. */
  passTime() {
    const [id, { callback, delay }] = [...this.timers].at(-1);
    this.lag += delay;
    this.timers.delete(id);
    callback();
    return delay;
  }

  answerWith(status, body) {
    this.answer = () => Promise.resolve(new Response(body, { status, headers: { "content-type": "application/json" } }));
  }

  /** An answer that never ends; `pulled` counts its bytes. */
  answerEndlessly() {
    this.pulled = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        this.pulled += 1024;
        controller.enqueue(new Uint8Array(1024).fill(32));
      },
      cancel: () => this.effects.push("cancelled"),
    });
    this.answer = () => Promise.resolve(new Response(body, { status: 200 }));
  }

  answerNever() {
    this.answer = (request) =>
      new Promise((_, reject) => {
        request.signal.addEventListener("abort", () => {
          this.effects.push("aborted");
          reject(request.signal.reason);
        });
      });
  }

  breakConnection() {
    this.answer = () => Promise.reject(new TypeError("Failed to fetch"));
  }

  /** A popup that notes where it is sent; it is no real window, so it can say nothing. */
  noteNavigation() {
    const note = (url) => {
      this.navigatedTo = url;
      this.effects.push("navigate");
    };
    this.opens = () => ({ closed: false, postMessage() {}, close() {}, location: { replace: note } });
  }

  /** The ticket of a kernel without a listener, whose callback page is of this origin. */
  useOwnCallbackPage() {
    this.ticket.redirect_uri = null;
    this.ticket.callback_pages = [`${location.origin}/callback.html`];
  }

  offerCodes() {
    this.ticket.provider.device_authorization_endpoint = "https://issuer.example/device";
  }

  forgetCors() {
    this.ticket.provider.token_endpoint_cors = null;
  }

  /** The callback page of this origin broadcasts the provider's answer; settles once it is told that it is done. */
  broadcast(url) {
    const state = new URL(url).searchParams.get("state");
    const channel = new BroadcastChannel(`tokentoss/${state}`);
    channel.postMessage(JSON.stringify({ type: "callback", query: `code=c0de&state=${encodeURIComponent(state)}` }));
    return new Promise((resolve) => {
      channel.onmessage = ({ data }) => {
        channel.close();
        resolve(data);
      };
    });
  }

  blockPopups() {
    this.opens = () => null;
  }

  /** Calls `method` of `signIn` from inside the event that shows `phase`. */
  reactTo(phase, signIn, method) {
    this.reaction = (event) => {
      if (event.phase === phase) signIn[method]();
    };
  }

  get state() {
    const { phase, code } = this.events.filter((event) => event.type === "status").at(-1) ?? {};
    return [phase, code].filter(Boolean).join(" ");
  }

  get lastEvent() {
    return JSON.stringify(this.events.at(-1));
  }

  get order() {
    return this.effects.join(" ");
  }

  get openedUrl() {
    return this.opened.url;
  }

  get postedOrigins() {
    return [...new Set(this.posted.map(({ origin }) => origin))].join(" ");
  }

  get postedCount() {
    return this.posted.length;
  }

  /** Everything about the token request that C42 names. */
  get requestSummary() {
    const { url, method, credentials, mode, redirect, cache, referrerPolicy, headers } = this.requests[0];
    const names = [...headers.keys()].join(" ");
    return [url, method, credentials, mode, redirect, cache, referrerPolicy, names].join(", ");
  }

  get requestCount() {
    return this.requests.length;
  }

  async requestBody() {
    return this.requests[0].clone().text();
  }

  /** Settles once the token request was sent. */
  async fetched(count = 1) {
    while (this.requests.length < count) await Promise.resolve();
  }

  /** Settles once an event of `type` came. */
  async told(type) {
    while (!this.events.some((event) => event.type === type)) await new Promise((resolve) => requestAnimationFrame(resolve));
  }

  /** Settles once there is a code to enter. */
  async codeShown() {
    while (!this.events.at(-1)?.to_enter) await new Promise((resolve) => requestAnimationFrame(resolve));
  }

  /** Settles once a status of `phase` was shown. */
  async shown(phase) {
    while (!this.events.some((event) => event.phase === phase)) await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}
