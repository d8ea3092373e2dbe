/** What the kernel decided, as its traits say it: which ticket it is done with, and what went wrong. */

import type { Model } from "./model.ts";

export class KernelVerdict {
  readonly #model: Model;
  /** The ticket that was acknowledged last. */
  acknowledged: string;
  /** The error that was shown last; "" for none. */
  error: string;

  constructor(model: Model) {
    this.#model = model;
    this.acknowledged = model.get("acknowledged");
    this.error = model.get("error");
  }

  /** Whether a ticket was acknowledged since the last look. */
  acknowledges(ticket: string): boolean {
    const before = this.acknowledged;
    this.acknowledged = this.#model.get("acknowledged");
    return this.acknowledged !== before && this.acknowledged === ticket;
  }

  /** The error, if it is another one than at the last look; "" if it was taken back, null if nothing changed. */
  newError(): string | null {
    const before = this.error;
    this.error = this.#model.get("error");
    return this.error === before ? null : this.error;
  }
}
