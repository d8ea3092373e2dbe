/**
 * What a user can do where the browser cannot: open the page without the button, take its link elsewhere, paste the address
 * that the sign-in ended on, or enter a code on another device.
 *
 * A disclosure: it opens by itself where the address has to be pasted.
 */

import type { ByHand } from "../../js/src/view_state.ts";
import { CopyButton } from "./copy_button.ts";
import { element, pageLink, point, textButton } from "./elements.ts";
import { labels } from "./labels.ts";
import { TextField } from "./text_field.ts";

/** What becomes of it; `SignInBinding` does it. */
export interface Recipient {
  linkFollowed(): void;
  /** The result is what to copy. */
  linkCopied(): string;
  paste(address: string): void;
  askForCode(): void;
}

/** What there is to do. */
export interface Offered {
  byHand: ByHand | null;
  /** The link to the page where the panel has it; the view shows it in other places. */
  link: string | undefined;
  code: boolean;
}

const NOTHING: Offered = { byHand: null, link: undefined, code: false };

let made = 0;

export class TroublePanel {
  readonly toggle = textButton(labels.trouble);
  readonly root = element("form", "tokentoss-trouble");
  readonly #recipient: Recipient;
  readonly #confirms: boolean;
  readonly #open: HTMLAnchorElement;
  readonly #address: TextField;
  readonly #how: HTMLElement;
  readonly #link = new TextField(labels.signInAddress, "");
  readonly #copy: CopyButton;
  readonly #useCode = textButton(labels.useCode);
  /** What the user chose; null while the panel follows the way. */
  #chosen: boolean | null = null;
  #offered = NOTHING;

  /** With `confirms`, what is passed on is the code of a broker's page. */
  constructor(recipient: Recipient, confirms = false) {
    const words = confirms ? labels.confirmation : labels;
    this.#recipient = recipient;
    this.#confirms = confirms;
    this.#open = openLink(() => recipient.linkFollowed());
    this.#address = new TextField(words.pastedAddress, words.pastedExample);
    const link = this.#link.input;
    this.#copy = new CopyButton(
      { offer: labels.copyLink, done: labels.linkCopied },
      () => recipient.linkCopied(),
      (text) => {
        link.value = text;
        link.select();
      },
    );
    const send = textButton(words.usePasted);
    this.root.id = `tokentoss-trouble-${++made}`;
    this.root.noValidate = true;
    // JupyterLab's keyboard shortcuts must not act on what is typed here.
    this.root.dataset.lmSuppressShortcuts = "true";
    this.toggle.setAttribute("aria-controls", this.root.id);
    link.readOnly = true;
    link.onfocus = () => link.select();
    this.#how = this.#address.explain(words.pasteHow);
    this.#copy.root.hidden = send.hidden = false;
    this.#link.root.append(this.#copy.root);
    this.#address.root.append(send);
    this.root.append(this.#address.root, this.#open, this.#link.root, this.#useCode);

    this.toggle.onclick = () => this.#choose(this.root.hidden !== false);
    this.#useCode.onclick = () => recipient.askForCode();
    // Not a submission: a sandboxed frame may allow none.
    send.onclick = () => this.#submit();
    this.root.onsubmit = (event) => event.preventDefault();
    this.root.onkeydown = (event) => this.#onKey(event);
    this.#address.input.oninput = (event) => {
      this.#address.complain("");
      // Nothing is left to do once a whole address was pasted.
      if ((event as InputEvent).inputType === "insertFromPaste") this.#submit();
    };
  }

  /** Shows what there is to do. */
  show(offered: Offered): void {
    const before = this.#offered.byHand;
    const { byHand } = offered;
    this.#offered = offered;
    // A code and a state stand in them.
    if (!byHand) this.#address.input.value = this.#link.input.value = "";
    if (!byHand !== !before) this.#chosen = null;
    if (byHand?.link !== before?.link) this.#copy.reset();
    if (byHand && this.#link.input.value !== byHand.link) this.#link.input.value = byHand.link;
    if (byHand?.pasteProblem !== before?.pasteProblem) this.#address.complain(byHand?.pasteProblem ?? "");
    this.#render();
  }

  #choose(open: boolean): void {
    this.#chosen = open;
    this.#render();
    if (!open) this.toggle.focus();
    else if (this.#offered.byHand) this.#address.input.focus();
  }

  #render(): void {
    const { byHand, link, code } = this.#offered;
    const useful = byHand !== null || code;
    const open = useful && (this.#chosen ?? byHand?.way === "paste");
    point(this.#open, link);
    this.#address.root.hidden = this.#link.root.hidden = !byHand;
    // The status line says more of it then.
    this.#how.hidden = byHand?.way === "paste" && !this.#confirms;
    this.#useCode.hidden = !code;
    this.toggle.hidden = !useful;
    this.toggle.setAttribute("aria-expanded", String(open));
    this.root.hidden = !open;
  }

  #submit(): void {
    this.#recipient.paste(this.#address.input.value);
    // Also when the sentence is the same as before.
    this.#address.complain(this.#offered.byHand?.pasteProblem ?? "");
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
      this.#choose(false);
    }
  }
}

/** A link to the sign-in page; `followed` is called when it was. */
export function openLink(followed: () => void): HTMLAnchorElement {
  const link = pageLink(labels.openByHand);
  // The page that opens must be able to introduce itself to this one.
  link.rel = "opener";
  // After the browser has followed it: a view that hides the link takes its address away.
  link.onclick = () => setTimeout(followed);
  return link;
}
