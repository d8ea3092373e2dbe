/** What the user enters on another device: the page, the code, a QR code of both, and the time that is left. */

import type { DeviceCode } from "../../js/src/traits.ts";
import { CopyButton } from "./copy_button.ts";
import { around, element, pageLink, point } from "./elements.ts";
import { labels } from "./labels.ts";

const SECOND = 1000;

export class CodePanel {
  readonly root = element("div", "tokentoss-code");
  readonly #qr = element("img", "tokentoss-qr");
  readonly #page = pageLink("");
  readonly #userCode = element("p", "tokentoss-user-code");
  readonly #copy: CopyButton;
  readonly #countdown = element("p", "tokentoss-countdown");
  #endsAt = 0;
  #ticking: ReturnType<typeof setInterval> | undefined;

  constructor() {
    this.#qr.alt = labels.qrCode;
    const userCode = this.#userCode;
    this.#copy = new CopyButton(
      { offer: labels.copyCode, done: labels.codeCopied },
      () => userCode.textContent ?? "",
      () => getSelection()?.selectAllChildren(userCode),
    );
    this.#copy.root.hidden = false;
    // Read once, not every second.
    this.#countdown.setAttribute("aria-live", "off");
    const where = element("p", "tokentoss-where");
    where.append(...around(this.#page, labels.enterAt));
    const line = element("div", "tokentoss-code-line");
    line.append(userCode, this.#copy.root);
    const text = element("div", "tokentoss-code-text");
    text.append(where, line, this.#countdown);
    this.root.append(text, this.#qr);
    this.root.hidden = true;
  }

  /** Shows a code, or hides when there is none. */
  show(code: DeviceCode | null): void {
    this.root.hidden = code === null;
    if (!code) {
      this.dispose();
      return;
    }
    if (this.#page.getAttribute("href") !== code.page) {
      point(this.#page, code.page);
      this.#page.textContent = shortened(code.verification_uri);
    }
    // It may come later than the code.
    this.#qr.hidden = !code.qr;
    if (code.qr && this.#qr.getAttribute("src") !== code.qr) this.#qr.src = code.qr;
    // Only when it changed: a selection of it survives.
    if (this.#userCode.textContent !== code.user_code) {
      this.#userCode.textContent = code.user_code;
      this.#copy.reset();
    }
    this.#endsAt = code.expires_at * SECOND;
    this.#ticking ??= setInterval(() => this.#tick(), SECOND);
    this.#tick();
  }

  /** Stops the clock. */
  dispose(): void {
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  #tick(): void {
    const seconds = Math.ceil((this.#endsAt - Date.now()) / SECOND);
    // This clock may be wrong; whether the code still counts is the provider's to say.
    this.#countdown.textContent = seconds > 0 ? labels.timeLeft(Math.floor(seconds / 60), seconds % 60) : "";
  }
}

/** An address as people type it. */
export function shortened(address: string): string {
  return address.replace(/^https:\/\//, "");
}
