/** The sealed envelope on its way to the kernel. */

import type { KernelLink } from "./kernel_link.ts";
import type { Model } from "./model.ts";

export class Envelope {
  readonly #model: Model;
  readonly #kernel: KernelLink;
  #saved = "";

  constructor(model: Model, kernel: KernelLink) {
    this.#model = model;
    this.#kernel = kernel;
  }

  /** Sends it; again as a message, because hosts keep a trait back until the kernel answered the change before. */
  deliver(ticket: string, sealed: string): void {
    if (sealed === this.#saved) {
      this.#kernel.send({ type: "deliver", ticket, sealed });
    } else {
      this.#saved = sealed;
      this.#model.set("sealed_tokens", sealed);
      this.#model.save_changes();
    }
    queueMicrotask(() => this.#kernel.probe());
  }

  /** One that nobody takes must not stay in the model, whose state may be saved with the notebook. */
  clear(): void {
    if (this.#model.get("sealed_tokens")) this.#model.set("sealed_tokens", "");
  }

  /** Nobody waits for it any more: it must leave the kernel's state, too. */
  takeBack(): void {
    if (!this.#model.get("sealed_tokens")) return;
    this.#model.set("sealed_tokens", "");
    this.#model.save_changes();
  }
}
