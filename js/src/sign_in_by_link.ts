/** The sign-in behind a link: the kernel runs it, because WebAssembly cannot start in this page. */

import type { KernelLink } from "./kernel_link.ts";
import type { Model } from "./model.ts";
import type { FromKernel } from "./traits.ts";
import type { ByHand } from "./view_state.ts";

export class SignInByLink {
  readonly #model: Model;
  readonly #kernel: KernelLink;
  /** The ticket for which the kernel runs the sign-in, and where to sign in as soon as it has said so. */
  #asked: { ticket: string; byHand: ByHand | null } | null = null;

  constructor(model: Model, kernel: KernelLink) {
    this.#model = model;
    this.#kernel = kernel;
  }

  /** The link to show, or null for one that is on its way; undefined for none. */
  get shown(): ByHand | null | undefined {
    return this.#asked?.byHand;
  }

  /** Has the kernel run the sign-in of the outstanding ticket. */
  ask(): void {
    this.#asked = { ticket: this.#model.get("ticket").id ?? "", byHand: null };
    this.#kernel.send({ type: "ask_for_link" });
    this.#kernel.probe();
  }

  /** Gives the link up; the result says whether there was one. */
  drop(): boolean {
    if (!this.#asked) return false;
    this.#asked = null;
    this.#kernel.send({ type: "drop_link" });
    return true;
  }

  /** Hands the kernel a pasted address; the result says whether it is the kernel's to read. */
  paste(address: string): boolean {
    if (!this.#asked) return false;
    const { ticket, byHand } = this.#asked;
    this.#asked = { ticket, byHand: byHand && { ...byHand, pasteProblem: null } };
    this.#kernel.send({ type: "paste", ticket, address });
    return true;
  }

  /** Takes in the traits: a ticket that is decided on, or given up, ends its link, too. */
  sync(): void {
    if (this.#asked?.ticket !== this.#model.get("ticket").id) this.#asked = null;
  }

  /** The kernel says where to sign in; whether that is the link that was asked for. */
  given({ ticket, link, paste, problem }: Extract<FromKernel, { type: "link" }>): boolean {
    if (ticket !== this.#asked?.ticket) return false;
    this.#asked = { ticket, byHand: { link, way: paste ? "paste" : "loopback", pasteProblem: problem } };
    return true;
  }
}
