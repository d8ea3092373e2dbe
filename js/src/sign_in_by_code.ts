/** The sign-in by code (RFC 8628), as far as it is not the WebAssembly's: the picture of its page, and the kernel's code. */

import type { SignIn } from "tokentoss:glue";
import type { KernelLink } from "./kernel_link.ts";
import type { Model } from "./model.ts";
import type { Status } from "./status_view.ts";
import type { DeviceCode, FromKernel, Traits } from "./traits.ts";

export class SignInByCode {
  readonly #model: Model;
  readonly #kernel: KernelLink;
  /** The kernel was asked for a code without a sign-in of this page, and has not answered. */
  #asking = false;
  /** The picture of a page that the kernel draws for this page's own code; "" until it came. */
  #qr = { page: "", qr: "" };
  /** The trait as the sign-in of this page was told of it last. */
  #told: Traits["code"] | undefined;

  constructor(model: Model, kernel: KernelLink) {
    this.#model = model;
    this.#kernel = kernel;
  }

  /** The code to show, or null for one that is on its way; undefined for none. */
  shown(status: Status | null): DeviceCode | null | undefined {
    const code = this.#model.get("code");
    if (status?.phase === "code") {
      const { to_enter } = status;
      const qr = isCode(code) && code.page === to_enter?.page ? code.qr : this.#qr.qr;
      return to_enter && { ...to_enter, qr };
    }
    // Without a sign-in of this page, or none yet.
    if (!status && isCode(code)) return code;
    return this.#asking ? null : undefined;
  }

  /** Whether the kernel shows a code. */
  get ofKernel(): boolean {
    return isCode(this.#model.get("code"));
  }

  /** Tells a sign-in of this page what the kernel shows, if that changed. */
  tell(signIn: SignIn): void {
    const code = this.#model.get("code");
    if (code === this.#told) return;
    const before = this.#told;
    this.#told = code;
    if (isCode(code)) signIn.kernelCodeShown(code.user_code, code.verification_uri, code.page, code.expires_at);
    else if (isCode(before)) signIn.kernelCodeEnded();
  }

  /** A new sign-in of this page was told nothing yet. */
  forget(): void {
    this.#told = undefined;
  }

  /** Has the kernel ask for a code. Like every message that the sign-in causes, this one leaves in a turn of its own. */
  askKernel(): void {
    queueMicrotask(() => {
      this.#kernel.send({ type: "ask_for_code" });
      this.#kernel.probe();
    });
  }

  /** The same without a sign-in of this page, which would know that it asked. */
  askWithoutSignIn(): void {
    this.#asking = true;
    this.askKernel();
  }

  /** Has the kernel drop its code. */
  dropKernelCode(): void {
    queueMicrotask(() => this.#kernel.send({ type: "drop_code" }));
  }

  /** Drops a code that no sign-in of this page knows of; the result says whether there was one. */
  drop(status: Status | null): boolean {
    if (!this.#asking && (status || !this.ofKernel)) return false;
    this.#asking = false;
    this.dropKernelCode();
    return true;
  }

  /** The kernel's answer is there, or none will come. */
  settle(): void {
    this.#asking = false;
  }

  /** Takes in the traits. */
  sync(): void {
    if (this.#model.get("is_authenticated") || this.ofKernel) this.#asking = false;
  }

  /** Asks the kernel, once a page, for the picture of the page's own code; there is no room for a painter here. */
  draw({ to_enter }: Status): void {
    const page = to_enter?.page;
    if (!page || page === this.#qr.page || this.ofKernel) return;
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
