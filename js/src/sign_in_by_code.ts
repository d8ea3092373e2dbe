/** The sign-in by code (RFC 8628): run by this page's own sign-in, or by the kernel where the page cannot; what there is to show. */

import type { FlowEvent } from "tokentoss:glue";
import type { KernelLink } from "./kernel_link.ts";
import type { Model } from "./model.ts";
import type { DeviceCode, FromKernel, Traits } from "./traits.ts";

type Status = Extract<FlowEvent, { type: "status" }>;

export class SignInByCode {
  readonly #model: Model;
  readonly #kernel: KernelLink;
  /** The kernel was asked for a code, which is not there yet. */
  #asking = false;
  /** The picture of a page that the kernel draws for this page's own code; "" until it came. */
  #qr = { page: "", qr: "" };

  constructor(model: Model, kernel: KernelLink) {
    this.#model = model;
    this.#kernel = kernel;
  }

  /** The code to show, or null for one that is on its way; undefined for none. */
  shown(status: Status | null): DeviceCode | null | undefined {
    const code = this.#model.get("code");
    if (isCode(code)) return code;
    if (status?.phase === "code") return status.to_enter && { ...status.to_enter, qr: this.#qr.qr };
    return this.#asking ? null : undefined;
  }

  /** Has the kernel ask for a code. Like every message that the sign-in causes, this one leaves in a turn of its own. */
  askKernel(): void {
    this.#asking = true;
    queueMicrotask(() => {
      this.#kernel.send({ type: "ask_for_code" });
      this.#kernel.probe();
    });
  }

  /** Has the kernel drop its code; the result says whether it had to. */
  drop(): boolean {
    if (!this.#asking && !isCode(this.#model.get("code"))) return false;
    this.#asking = false;
    this.#kernel.send({ type: "drop_code" });
    return true;
  }

  /** The kernel's answer is there, or none will come. */
  settle(): void {
    this.#asking = false;
  }

  /** Takes in the traits. */
  sync(): void {
    if (this.#model.get("is_authenticated") || isCode(this.#model.get("code"))) this.#asking = false;
  }

  /** Asks the kernel, once a page, for the picture of the page's own code; there is no room for a painter here. */
  draw({ to_enter }: Status): void {
    const page = to_enter?.page;
    if (!page || page === this.#qr.page) return;
    this.#qr = { page, qr: "" };
    queueMicrotask(() => this.#kernel.send({ type: "draw_qr", page }));
  }

  /** The kernel has drawn it; whether that is the one to show. */
  drawn({ page, qr }: Extract<FromKernel, { type: "qr" }>): boolean {
    if (page !== this.#qr.page) return false;
    this.#qr = { page, qr };
    return true;
  }
}

/** Whether there is a code; a kernel of an older version has no such trait. */
function isCode(code: Traits["code"] | undefined): code is DeviceCode {
  return code?.user_code !== undefined;
}
