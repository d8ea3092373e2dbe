/** A labelled text field that can say what is wrong with it. */

import { element } from "./elements.ts";

let made = 0;

export class TextField {
  readonly root = element("div", "tokentoss-field");
  readonly input = element("input", "tokentoss-input");
  readonly #hint = element("p", "tokentoss-hint");

  constructor(label: string, example: string, type: "text" | "password" = "text") {
    const id = `tokentoss-field-${++made}`;
    this.input.id = id;
    this.input.type = type;
    this.input.placeholder = example;
    this.input.spellcheck = false;
    // Identifiers read from left to right in every language.
    this.input.dir = "ltr";
    // Neither the browser nor a password manager is to keep what is entered here.
    this.input.autocomplete = "off";
    this.input.setAttribute("autocapitalize", "off");
    for (const manager of ["1pIgnore", "bwignore", "lpignore"]) this.input.dataset[manager] = "true";
    this.#hint.id = `${id}-hint`;
    this.#hint.hidden = true;
    this.#hint.setAttribute("aria-live", "polite");
    this.input.setAttribute("aria-describedby", this.#hint.id);
    const caption = element("label", "tokentoss-caption");
    caption.htmlFor = id;
    caption.textContent = label;
    this.root.append(caption, this.input, this.#hint);
    this.input.oninput = () => this.complain("");
  }

  /** Says what belongs into it, below the caption; the result is that sentence. */
  explain(text: string): HTMLElement {
    const note = element("p", "tokentoss-note");
    note.id = `${this.input.id}-note`;
    note.textContent = text;
    this.input.before(note);
    this.input.setAttribute("aria-describedby", `${note.id} ${this.#hint.id}`);
    return note;
  }

  /** Shows what is wrong; "" for nothing. */
  complain(hint: string): void {
    this.#hint.textContent = hint;
    this.#hint.hidden = !hint;
    this.markInvalid(hint !== "");
  }

  /** Marks the field when the sentence about it stands elsewhere. */
  markInvalid(invalid: boolean): void {
    if (invalid) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }
}
