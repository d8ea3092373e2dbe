/** The form's model as a host keeps it, with the kernel's end in the test's hands. */

import type { ConfigureModel } from "../src/configure_binding.ts";
import type { ConfigureTraits } from "../src/configure_traits.ts";

const DEFAULTS: ConfigureTraits = {
  ticket: { id: "t1", public_key: "k1" },
  sealed_configuration: "",
  acknowledged: "",
  status: "Enter credentials",
  configured: false,
  error: "",
  error_code: "",
  client_id: "",
  project_id: "",
  current_client: "",
};

export class FakeConfigureModel implements ConfigureModel {
  /** What the page saved, in order. */
  readonly saved: Partial<ConfigureTraits>[] = [];
  /** The host's answer to sending: a disposed connection throws. */
  sendFails = false;
  readonly #traits: ConfigureTraits;
  readonly #handlers = new Map<string, Set<(...values: unknown[]) => void>>();
  #unsaved: Partial<ConfigureTraits> = {};

  constructor(traits: Partial<ConfigureTraits> = {}) {
    this.#traits = { ...DEFAULTS, ...traits };
  }

  get<K extends keyof ConfigureTraits>(trait: K): ConfigureTraits[K] {
    return this.#traits[trait];
  }

  /** Like Backbone: setting a trait to what it is changes nothing, and only changes are saved. */
  set<K extends keyof ConfigureTraits>(trait: K, value: ConfigureTraits[K]): void {
    if (this.#traits[trait] === value) return;
    this.#traits[trait] = value;
    this.#unsaved = { ...this.#unsaved, [trait]: value };
    this.#trigger(`change:${trait}`);
  }

  save_changes(): void {
    this.saved.push(this.#unsaved);
    this.#unsaved = {};
  }

  send(): void {
    if (this.sendFails) throw new Error("the connection is disposed");
  }

  on(event: string, callback: (...values: unknown[]) => void): void {
    const handlers = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, handlers.add(callback));
  }

  off(event: string, callback: (...values: unknown[]) => void): void {
    this.#handlers.get(event)?.delete(callback);
  }

  /** How many handlers are registered. */
  get handlers(): number {
    return [...this.#handlers.values()].reduce((sum, handlers) => sum + handlers.size, 0);
  }

  /** One message of the kernel that changes several traits; settles once the page has read it. */
  async kernelSets(traits: Partial<ConfigureTraits>): Promise<void> {
    Object.assign(this.#traits, traits);
    for (const trait of Object.keys(traits)) this.#trigger(`change:${trait}`);
    await Promise.resolve();
  }

  /** The host's word that the kernel restarted. */
  kernelRestarts(): void {
    this.#trigger("comm_live_update");
  }

  #trigger(event: string): void {
    for (const handler of [...(this.#handlers.get(event) ?? [])]) handler();
  }
}
