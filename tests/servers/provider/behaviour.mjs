// What the provider does differently from a plain one, switchable while it runs.

const DEFAULTS = Object.freeze({
  /** Value of Cross-Origin-Opener-Policy, or null for none. */
  coop: null,
  /** Send that header on redirects alone instead of on every answer. */
  coop_on_redirects_only: false,
  /** Origins the client-based CORS check lets in; null lets in any loopback origin. */
  cors_origins: null,
  /** Redirect URIs of all clients besides their own: a page's address is known only once its server has a port. */
  callback_pages: [],
  /** The provider declines at its consent page by itself (access_denied). */
  deny_consent: false,
  /** Token requests wait until this is false again. */
  token_hold: false,
  /** Answer of the token endpoint instead of its own: {status, content_type, body, headers?}; null for its own. */
  token_answer: null,
  /** The token endpoint reads the request to its end and closes the connection without an answer. */
  token_drop: false,
  /** The token endpoint handles the request, rotation included, and the connection ends within its answer. */
  token_answer_lost: false,
  /** The token endpoint handles the request and lets its answer drip, a byte for each of this many milliseconds. */
  token_drip_ms: 0,
  /** Answers of other paths instead of their own, by path, shaped like `token_answer`. */
  answers: {},
  /** Every refresh replaces the refresh token, and using an old one ends the session. */
  rotate: true,
  /** Seconds that access and ID tokens live from their issue. */
  token_lifetime_seconds: 3600,
  /** Seconds by which the provider's clock is ahead of the machine's; negative when it is behind. */
  clock_offset_seconds: 0,
});

const COOP_VALUES = [null, "same-origin", "same-origin-allow-popups", "noopener-allow-popups"];

const isBoolean = (value) => typeof value === "boolean";
const isStrings = (value) => Array.isArray(value) && value.every((item) => typeof item === "string");
const isAnswer = (value) =>
  Number.isInteger(value?.status) &&
  typeof value.content_type === "string" &&
  typeof value.body === "string" &&
  Object.values(value.headers ?? {}).every((header) => typeof header === "string");
const CHECKS = {
  coop: (value) => COOP_VALUES.includes(value),
  coop_on_redirects_only: isBoolean,
  cors_origins: (value) => value === null || isStrings(value),
  callback_pages: isStrings,
  deny_consent: isBoolean,
  token_hold: isBoolean,
  token_answer: (value) => value === null || isAnswer(value),
  token_drop: isBoolean,
  token_answer_lost: isBoolean,
  token_drip_ms: (value) => Number.isInteger(value) && value >= 0,
  answers: (value) => value?.constructor === Object && Object.values(value).every(isAnswer),
  rotate: isBoolean,
  token_lifetime_seconds: (value) => Number.isInteger(value) && value > 0,
  clock_offset_seconds: Number.isFinite,
};

/** The switches, and the token requests that wait for one of them. */
export class Behaviour {
  #values = { ...DEFAULTS };
  #waiting = [];

  get values() {
    return { ...this.#values };
  }

  /** Back to a plain provider. */
  reset() {
    this.#values = { ...DEFAULTS };
    this.#release();
  }

  /** Applies all changes or none; an unknown switch or value is an error, not a silent default. */
  change(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (!CHECKS[name]?.(value)) throw new TypeError(`not a switch or not a value of it: ${name}`);
    }
    Object.assign(this.#values, changes);
    if (!this.#values.token_hold) this.#release();
  }

  /** Settles at once, or when `token_hold` is switched off. */
  tokenRequestMayGoOn() {
    if (!this.#values.token_hold) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  corsAllowed(origin) {
    const { cors_origins: allowed } = this.#values;
    if (allowed) return allowed.includes(origin);
    return URL.canParse(origin) && ["127.0.0.1", "localhost", "[::1]"].includes(new URL(origin).hostname);
  }

  #release() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
