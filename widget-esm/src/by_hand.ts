/**
 * What a user can do where the browser cannot: take the link elsewhere, and paste the address that the sign-in ended on.
 *
 * A disclosure: its button is always there while an answer is awaited, and it opens by itself where no other way is left.
 */

import type { ByHand } from "../../js/src/view_state.ts";
import { element, textButton } from "./elements.ts";
import { labels } from "./labels.ts";
import { TextField } from "./text_field.ts";

/** What becomes of it; `SignInBinding` does it. */
export interface Recipient {
  /** The result is what to copy. */
  linkCopied(): string;
  paste(address: string): void;
}

let made = 0;

export class ByHandPanel {
  readonly toggle: HTMLButtonElement;
  readonly root = element("form", "tokentoss-by-hand");
  readonly #recipient: Recipient;
  readonly #link = new TextField(labels.signInAddress, "");
  readonly #copy = textButton(labels.copyLink);
  readonly #address: TextField;
  /** What the user chose; null while the panel follows the way. */
  #chosen: boolean | null = null;
  #state: ByHand | null = null;

  /** With `confirms`, what is passed on is the code of a broker's page. */
  constructor(recipient: Recipient, confirms?: boolean) {
    const words = confirms ? labels.confirmation : labels;
    this.#recipient = recipient;
    this.toggle = textButton(words.pasteInstead);
    this.#address = new TextField(words.pastedAddress, words.pastedExample);
    const send = textButton(words.usePasted);
    this.root.id = `tokentoss-by-hand-${++made}`;
    this.root.noValidate = true;
    // JupyterLab's keyboard shortcuts must not act on what is typed here.
    this.root.dataset.lmSuppressShortcuts = "true";
    this.toggle.setAttribute("aria-controls", this.root.id);
    this.#link.input.readOnly = true;
    this.#link.input.onfocus = () => this.#link.input.select();
    this.#address.explain(words.pasteHow);
    // Not a submission: a sandboxed frame may allow none.
    send.onclick = () => this.#submit();
    this.#copy.hidden = send.hidden = false;
    this.#link.root.append(this.#copy);
    this.#address.root.append(send);
    this.root.append(this.#address.root, this.#link.root);

    this.toggle.onclick = () => this.#open(this.root.hidden !== false);
    this.#copy.onclick = () => void this.#copyLink();
    this.root.onsubmit = (event) => event.preventDefault();
    this.root.onkeydown = (event) => this.#onKey(event);
    this.#address.input.oninput = (event) => {
      this.#address.complain("");
      // Nothing is left to do once a whole address was pasted.
      if ((event as InputEvent).inputType === "insertFromPaste") this.#submit();
    };
  }

  /** Shows what there is to do; null for nothing. */
  show(state: ByHand | null): void {
    const before = this.#state;
    this.#state = state;
    if (!state) {
      this.#chosen = null;
      // A code and a state stand in them.
      this.#address.input.value = this.#link.input.value = "";
    }
    if (state?.link !== before?.link) this.#copy.textContent = labels.copyLink;
    if (state && this.#link.input.value !== state.link) this.#link.input.value = state.link;
    if (state?.pasteProblem !== before?.pasteProblem) this.#address.complain(state?.pasteProblem ?? "");
    this.#render();
  }

  #open(open: boolean): void {
    this.#chosen = open;
    this.#render();
    if (open) this.#address.input.focus();
    else this.toggle.focus();
  }

  #render(): void {
    const open = this.#state !== null && (this.#chosen ?? this.#state.way === "paste");
    this.toggle.hidden = !this.#state;
    this.toggle.setAttribute("aria-expanded", String(open));
    this.root.hidden = !open;
  }

  #submit(): void {
    this.#recipient.paste(this.#address.input.value);
    // Also when the sentence is the same as before.
    this.#address.complain(this.#state?.pasteProblem ?? "");
  }

  async #copyLink(): Promise<void> {
    const link = this.#recipient.linkCopied();
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      // A frame without that right, or a page without https.
      this.#link.input.value = link;
      this.#link.input.select();
      if (!document.execCommand("copy")) return;
    }
    this.#copy.textContent = labels.linkCopied;
  }

  #onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Enter" && event.target === this.#address.input) {
      // JupyterLab takes the line break from fields in its cells.
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.#open(false);
    }
  }
}
