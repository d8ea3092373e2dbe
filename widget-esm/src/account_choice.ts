/** Another account: how to ask for one, and the stored ones to choose from. */

import type { Chosen } from "../../js/src/traits.ts";
import type { AccountLabels } from "./account_labels.ts";
import { element, textButton } from "./elements.ts";

/** What lists the accounts and hears of the choice; `AccountChoice` does. */
export interface Chooser {
  readonly offered: boolean;
  readonly open: Chosen | null;
  begin(): void;
  keep(): void;
  use(id: string): void;
}

export class AccountChoiceView {
  readonly root = element("div", "tokentoss-accounts");
  /** Asks for another account. */
  readonly button = textButton("");
  readonly #choice: Chooser;
  readonly #provider: string;
  readonly #labels: AccountLabels;
  readonly #list = element("ul", "tokentoss-account-list");
  readonly #note = element("p", "tokentoss-note");
  readonly #keep = textButton("");
  /** What the list was made of. */
  #shown = "";

  constructor(choice: Chooser, provider: string, labels: AccountLabels) {
    this.#choice = choice;
    this.#provider = provider;
    this.#labels = labels;
    this.button.textContent = labels.useAnother;
    this.#list.setAttribute("aria-label", labels.accounts);
    this.#note.textContent = labels.providerDecides(provider);
    this.#keep.hidden = false;
    this.root.append(this.#list, this.#note, this.#keep);
    this.button.onclick = () => choice.begin();
    this.#keep.onclick = () => choice.keep();
  }

  /** What there is to do while the user chooses; null while nobody does. */
  get said(): string | null {
    const { open } = this.#choice;
    if (!open) return null;
    return open.accounts.length > 0 ? this.#labels.choose(this.#provider) : this.#labels.signIn(this.#provider);
  }

  /** Shows what there is, if it can be used now. */
  show(usable: boolean): void {
    const { open } = this.#choice;
    this.button.hidden = !usable || open !== null || !this.#choice.offered;
    this.root.hidden = !usable || open === null;
    if (open) this.#fill(open);
  }

  #fill({ accounts, current, provider_asks }: Chosen): void {
    this.#note.hidden = provider_asks;
    this.#keep.textContent = this.#labels.keep(current);
    // Only when it changed: the focus survives.
    const shown = JSON.stringify(accounts);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#list.hidden = accounts.length === 0;
    this.#list.replaceChildren(
      ...accounts.map(({ id, name }) => {
        const button = textButton(this.#labels.use(name));
        button.hidden = false;
        button.onclick = () => this.#choice.use(id);
        const entry = element("li", "tokentoss-account");
        entry.append(button);
        return entry;
      }),
    );
  }
}
