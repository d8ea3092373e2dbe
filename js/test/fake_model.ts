/** A traitlets model as a host keeps it, with the kernel's end in the test's hands. */

import type { MessageCallbacks, Model } from "../src/model.ts";
import type { Ticket, ToKernel, Traits } from "../src/traits.ts";

/** A ticket of this id; what the fakes read of it is only that. */
export function ticket(id: string): Ticket {
  return {
    version: 2,
    id,
    nonce: "n",
    public_key: "k",
    client_id: "client",
    scopes: ["openid"],
    redirect_uri: "http://127.0.0.1:1/",
    provider: {
      issuer: "https://issuer.example",
      authorization_endpoint: "https://issuer.example/authorize",
      token_endpoint: "https://issuer.example/token",
    },
  };
}

const DEFAULTS: Traits = {
  branding: { name: "Google", style: "google" },
  ticket: ticket("t1"),
  sealed_tokens: "",
  acknowledged: "",
  offers_code: false,
  code: {},
  status: "Click to sign in",
  error: "",
  error_code: "",
  user_email: "",
  is_authenticated: false,
};

export class FakeModel implements Model {
  /** What the page sent as messages, in order. */
  readonly sent: ToKernel[] = [];
  /** What the page saved, in order. */
  readonly saved: Partial<Traits>[] = [];
  /** The host's answer to sending: a disposed connection throws. */
  sendFails = false;
  readonly #traits: Traits;
  readonly #handlers = new Map<string, Set<(...values: unknown[]) => void>>();
  readonly #callbacks: (MessageCallbacks | undefined)[] = [];
  #unsaved: Partial<Traits> = {};

  constructor(traits: Partial<Traits> = {}) {
    this.#traits = { ...DEFAULTS, ...traits };
  }

  get<K extends keyof Traits>(trait: K): Traits[K] {
    return this.#traits[trait];
  }

  /** Like Backbone: setting a trait to what it is changes nothing, and only changes are saved. */
  set<K extends keyof Traits>(trait: K, value: Traits[K]): void {
    if (this.#traits[trait] === value) return;
    this.#traits[trait] = value;
    this.#unsaved = { ...this.#unsaved, [trait]: value };
    this.trigger(`change:${trait}`);
  }

  save_changes(): void {
    this.saved.push(this.#unsaved);
    this.#unsaved = {};
  }

  send(content: ToKernel, callbacks?: MessageCallbacks): void {
    if (this.sendFails) throw new Error("the connection is disposed");
    this.sent.push(content);
    this.#callbacks.push(callbacks);
  }

  on(event: string, callback: (...values: unknown[]) => void): void {
    const handlers = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, handlers.add(callback));
  }

  off(event: string, callback: (...values: unknown[]) => void): void {
    this.#handlers.get(event)?.delete(callback);
  }

  trigger(event: string, ...values: unknown[]): void {
    for (const handler of [...(this.#handlers.get(event) ?? [])]) handler(...values);
  }

  /** How many handlers are registered. */
  get handlers(): number {
    return [...this.#handlers.values()].reduce((sum, handlers) => sum + handlers.size, 0);
  }

  /** One message of the kernel that changes several traits. */
  kernelSets(traits: Partial<Traits>): void {
    Object.assign(this.#traits, traits);
    for (const trait of Object.keys(traits)) this.trigger(`change:${trait}`);
  }

  kernelSends(message: object): void {
    this.trigger("msg:custom", message);
  }

  /** The kernel has worked through the message sent last. */
  kernelIdle(): void {
    this.#callbacks.at(-1)?.iopub.status({ content: { execution_state: "busy" } });
    this.#callbacks.at(-1)?.iopub.status({ content: { execution_state: "idle" } });
  }

  /** The messages of one type. */
  sentOf<T extends ToKernel["type"]>(type: T): Extract<ToKernel, { type: T }>[] {
    return this.sent.filter((message): message is Extract<ToKernel, { type: T }> => message.type === type);
  }
}
