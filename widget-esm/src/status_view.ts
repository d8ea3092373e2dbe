/** One view of a session. Its elements are made once; a new state changes attributes and texts only. */

import type { StatusState } from "../../js/src/status_binding.ts";
import type { Session } from "../../js/src/status_traits.ts";
import { AccountChoiceView, type Chooser } from "./account_choice.ts";
import { element, textButton } from "./elements.ts";
import { cellButton } from "./next_step.ts";
import { type Host, SignInSlot } from "./sign_in_slot.ts";
import { labels } from "./status_labels.ts";
import { TimeLeft } from "./time_left.ts";

/** What the user can do; `StatusBinding` does it. */
export interface StatusActions {
  readonly accounts: Chooser;
  readonly state: StatusState;
  refresh(): void;
  signIn(): void;
  signOut(): void;
  /** The time that is shown is over. */
  ask(): void;
}

export class StatusView {
  readonly root = element("div", "tokentoss tokentoss-session");
  readonly #status = element("p", "tokentoss-status");
  readonly #notice = element("p", "tokentoss-note");
  readonly #facts = element("dl", "tokentoss-facts");
  readonly #expires: TimeLeft;
  readonly #ends: TimeLeft;
  readonly #scopes = element("dd", "tokentoss-fact");
  readonly #place = element("dd", "tokentoss-fact");
  readonly #refresh = textButton(labels.refresh);
  readonly #signIn = textButton(labels.signIn);
  readonly #another = textButton(labels.signInWithAnother);
  readonly #signOut = textButton(labels.signOut);
  readonly #toCell = cellButton(labels.toCell);
  readonly #account: AccountChoiceView;
  readonly #slot: SignInSlot;
  #session: Session;

  constructor(actions: StatusActions, host: unknown) {
    this.#session = actions.state.session;
    this.#status.setAttribute("role", "status");
    this.#status.setAttribute("aria-live", "polite");
    this.#notice.setAttribute("role", "status");
    this.#expires = new TimeLeft(
      element("dd", "tokentoss-fact"),
      (left) => labels.expires(left, this.#session.renewable),
      () => actions.ask(),
    );
    this.#ends = new TimeLeft(
      element("dd", "tokentoss-fact"),
      (left) => labels.ends(left),
      () => actions.ask(),
    );
    for (const [name, fact] of [
      [labels.expiry, this.#expires.root],
      [labels.session, this.#ends.root],
      [labels.scopes, this.#scopes],
      [labels.place, this.#place],
    ] as const) {
      const term = element("dt", "tokentoss-term");
      term.textContent = name;
      this.#facts.append(term, fact);
    }

    this.#account = new AccountChoiceView(actions.accounts, this.#session.provider, labels.accounts);
    this.#account.button.textContent = labels.switchAccount;
    this.#account.root.lastElementChild?.before(this.#another);
    this.#slot = new SignInSlot(host as Host);
    const controls = element("div", "tokentoss-controls");
    controls.append(this.#refresh, this.#account.button, this.#signIn, this.#signOut, this.#toCell);
    this.root.tabIndex = -1;
    this.root.lang = labels.language;
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", labels.account(this.#session.provider));
    this.root.append(this.#status, this.#facts, this.#notice, this.#account.root, controls, this.#slot.root);

    this.#refresh.onclick = () => {
      if (this.#refresh.getAttribute("aria-disabled") !== "true") actions.refresh();
    };
    this.#signIn.onclick = () => actions.signIn();
    this.#another.onclick = () => actions.signIn();
    this.#signOut.onclick = () => actions.signOut();
  }

  /** Shows a state. */
  show({ lost, session, notice, busy, signIn }: StatusState): void {
    const focused = (this.root.getRootNode() as Document | ShadowRoot).activeElement;
    const signedIn = session.signed_in && !lost;
    const idle = !lost && !signIn;
    this.#session = session;

    this.root.dataset.state = lost ? "kernel_gone" : signedIn ? "signed_in" : "signed_out";
    say(this.#status, lost ? labels.kernelGone : describe(session));
    const said = lost ? "" : busy ? labels.refreshing : notice;
    say(this.#notice, said);
    this.#notice.hidden = !said;

    this.#facts.hidden = !signedIn;
    this.#expires.show(signedIn ? session.expires_at : null);
    this.#ends.show(signedIn ? session.ends_at : null);
    this.#fill(this.#scopes, labels.granted(session.scopes, session.missing));
    this.#fill(this.#place, session.stored_in);
    for (const fact of this.#facts.querySelectorAll<HTMLElement>(".tokentoss-fact")) {
      (fact.previousElementSibling as HTMLElement).hidden = fact.hidden;
    }

    this.#refresh.hidden = !signedIn || !session.renewable;
    // Not `disabled`, which would take the focus away from the keyboard user.
    this.#refresh.setAttribute("aria-disabled", String(busy));
    this.#signIn.hidden = signedIn || !idle;
    this.#another.hidden = false;
    this.#signOut.hidden = !signedIn;
    this.#toCell.hidden = !lost;
    this.#account.show(idle);
    this.#slot.show(lost ? "" : signIn);

    const hidden = focused instanceof HTMLElement && this.root.contains(focused) && focused.closest("[hidden]");
    if (hidden) this.root.focus();
  }

  #fill(fact: HTMLElement, text: string): void {
    say(fact, text);
    fact.hidden = !text;
  }

  /** Takes the view off the page. */
  dispose(): void {
    this.#expires.dispose();
    this.#ends.dispose();
    this.#slot.dispose();
    this.root.remove();
  }
}

function describe({ signed_in, account, provider, problem }: Session): string {
  if (signed_in) return labels.signedIn(account, provider);
  return problem || labels.signedOut(provider);
}

/** Writes a text that changed; one that did not is not read again. */
function say(where: HTMLElement, text: string): void {
  if (where.textContent !== text) where.textContent = text;
}
