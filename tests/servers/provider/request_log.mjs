// What reached the provider, in memory and without values that could be secret.

// Headers whose value a test may need and which carry no credential.
const READABLE = [
  "origin",
  "referer",
  "content-type",
  "sec-fetch-mode",
  "sec-fetch-site",
  "access-control-request-method",
];

/** Requests in the order in which they arrived. */
export class RequestLog {
  #entries = [];

  get entries() {
    return this.#entries;
  }

  clear() {
    this.#entries = [];
  }

  /** Starts the entry of a request; `finish` adds what is known only after it was handled. */
  start(ctx) {
    const entry = {
      method: ctx.method,
      path: ctx.path.replace(/^(\/(?:interaction|auth))\/.*$/, "$1/…"),
      query: Object.keys(ctx.query),
      header_names: Object.keys(ctx.headers),
      headers: Object.fromEntries(
        READABLE.filter((name) => ctx.headers[name]).map((name) => [name, ctx.headers[name]]),
      ),
      body: [],
      status: null,
    };
    // A referrer's query could hold a code: only whether and from where is of interest.
    if (entry.headers.referer) entry.headers.referer = new URL(entry.headers.referer).origin;
    this.#entries.push(entry);
    return {
      finish: (status, bodyNames) => Object.assign(entry, { status, body: bodyNames }),
    };
  }
}
