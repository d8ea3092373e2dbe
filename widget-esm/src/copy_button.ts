/** A button that copies, and says so. */

import { textButton } from "./elements.ts";

/** Its texts, before and after. */
export interface CopyTexts {
  offer: string;
  done: string;
}

export class CopyButton {
  readonly root: HTMLButtonElement;
  readonly #texts: CopyTexts;

  /** `take` gives what to copy. `select` selects it in the page, for browsers that keep the clipboard from this one. */
  constructor(texts: CopyTexts, take: () => string, select: (text: string) => void) {
    this.root = textButton(texts.offer);
    this.#texts = texts;
    this.root.onclick = () => void this.#copy(take(), select);
  }

  /** There is something else to copy. */
  reset(): void {
    this.root.textContent = this.#texts.offer;
  }

  async #copy(text: string, select: (text: string) => void): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // A frame without that right, or a page without https.
      select(text);
      if (!document.execCommand("copy")) return;
    }
    this.root.textContent = this.#texts.done;
  }
}
