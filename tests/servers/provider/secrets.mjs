// The values that a sign-in must leave nowhere, in memory alone: what a leak scan searches for.

const REQUESTED = ["code", "code_verifier", "device_code", "refresh_token"];
const ANSWERED = ["access_token", "id_token", "refresh_token", "device_code"];
const CALLBACK = ["code", "state"];

/** Secrets by name, in the order in which the provider met them. */
export class SecretsSeen {
  #values = new Map();

  /** As [name, value] pairs: a name comes again with each further value. */
  get entries() {
    return [...this.#values].map(([value, name]) => [name, value]);
  }

  clear() {
    this.#values.clear();
  }

  /** Takes what an exchange, which was handled, consisted of. */
  note(ctx) {
    this.#take(REQUESTED, ctx.oidc?.body ?? {});
    this.#take(ANSWERED, ctx.body ?? {});
    const location = ctx.response.get("Location");
    if (location && URL.canParse(location)) this.#take(CALLBACK, Object.fromEntries(new URL(location).searchParams));
  }

  #take(names, values) {
    for (const name of names) {
      if (typeof values[name] === "string" && !this.#values.has(values[name])) this.#values.set(values[name], name);
    }
  }
}
