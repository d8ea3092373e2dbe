/** Using another account: the stored ones as the kernel lists them, and what the user decides. */

import type { KernelLink } from "./kernel_link.ts";
import type { Connection } from "./model.ts";
import type { Choice, Chosen } from "./traits.ts";

/** A model with the trait `choice`. */
export interface ChoiceModel extends Connection {
  get(trait: "choice"): Choice | undefined;
}

export class AccountChoice {
  readonly #model: ChoiceModel;
  readonly #kernel: KernelLink;

  constructor(model: ChoiceModel, kernel: KernelLink) {
    this.#model = model;
    this.#kernel = kernel;
  }

  /** Whether another account can be asked for. */
  get offered(): boolean {
    return this.#model.get("choice")?.offered === true;
  }

  /** What there is to choose from; null while nobody wants another account. */
  get open(): Chosen | null {
    const choice = this.#model.get("choice");
    return choice?.accounts ? (choice as Chosen) : null;
  }

  /** The user wants another account. */
  begin(): void {
    this.#kernel.send({ type: "choose_account" });
    this.#kernel.probe();
  }

  /** The user wants none after all. */
  keep(): void {
    this.#kernel.send({ type: "keep_account" });
  }

  /** The user wants this one of the list. */
  use(id: string): void {
    this.#kernel.send({ type: "use_account", id });
    this.#kernel.probe();
  }
}
