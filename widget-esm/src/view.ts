/**
 * One view of a sign-in. Its elements are made once; a new state changes attributes and texts only, so that a selection, the
 * focus and a screen reader's place survive.
 */

import type { Problem } from "../../js/src/problem.ts";
import type { Branding } from "../../js/src/traits.ts";
import type { ViewState } from "../../js/src/view_state.ts";
import { AccountChoiceView, type Chooser } from "./account_choice.ts";
import { CodePanel, shortened } from "./code_panel.ts";
import { element, pageLink, point, pointToHelp, textButton } from "./elements.ts";
import { labels } from "./labels.ts";
import { cellButton, isWholePage, reloadButton } from "./next_step.ts";
import { openLink, type Recipient, TroublePanel } from "./trouble.ts";

/** What the user can do; `SignInBinding` does it. */
export interface Actions extends Recipient {
  signIn(): void;
  cancel(): void;
  signOut(): void;
  readonly accounts: Chooser;
  /** Whether there is another way than the popup: a code. */
  readonly offersCode: boolean;
  /** Whether the kernel can run the sign-in in place of the page. */
  readonly offersLink: boolean;
  askForLink(): void;
}

/** Gives a button its logo and label, in the provider's own colours and with its icon, as far as there are any. */
function paint(button: HTMLElement, { name, style, background, foreground, border, icon }: Branding): void {
  button.classList.add(`tokentoss-${style}`);
  const logo = element("span", "tokentoss-logo");
  logo.setAttribute("aria-hidden", "true");
  const label = element("span", "tokentoss-label");
  label.textContent = labels.signInWith(name);
  button.append(logo, label);
  if (background) button.style.setProperty("background-color", background);
  if (foreground) button.style.setProperty("color", foreground);
  if (border) button.style.setProperty("border-color", border);
  if (!icon) {
    // By the style sheet, in the colour of the text.
    logo.classList.toggle("tokentoss-drawn", style === "generic");
    return;
  }
  logo.style.setProperty("background", `url("${icon}") center / contain no-repeat`);
}

export class View {
  readonly root = element("div", "tokentoss");
  readonly #actions: Actions;
  readonly #provider: string;
  readonly #signIn = element("button", "tokentoss-sign-in");
  /** The button's place once the kernel has said where to sign in: a real link, which no popup blocker minds. */
  readonly #follow = element("a", "tokentoss-sign-in");
  readonly #status = element("p", "tokentoss-status");
  readonly #statusText = document.createTextNode("");
  readonly #cancel = textButton(labels.cancel);
  readonly #reload = reloadButton(labels.reload);
  readonly #toCell = cellButton(labels.toCell);
  readonly #signOut = textButton(labels.signOut);
  readonly #useLink = textButton(labels.useLink);
  readonly #code = new CodePanel();
  /** Beside a sentence that says that the popup was blocked. */
  readonly #open: HTMLAnchorElement;
  readonly #help = pageLink(labels.help);
  readonly #account: AccountChoiceView;
  readonly #trouble: TroublePanel;
  /** Nothing in the view could take the focus that a control lost. */
  #adrift = false;

  constructor(branding: Branding, actions: Actions) {
    this.#actions = actions;
    this.#provider = branding.name;
    this.#signIn.type = "button";
    paint(this.#signIn, branding);
    paint(this.#follow, branding);
    this.#follow.target = "_blank";
    this.#follow.rel = "noopener";

    this.#status.setAttribute("role", "status");
    this.#status.setAttribute("aria-live", "polite");
    this.#status.append(this.#statusText);

    this.#open = openLink(() => actions.linkFollowed());
    this.#account = new AccountChoiceView(actions.accounts, branding.name, labels.accounts);
    this.#trouble = new TroublePanel(actions, branding.confirms);
    const controls = element("div", "tokentoss-controls");
    controls.append(
      this.#cancel,
      this.#reload,
      this.#toCell,
      this.#signOut,
      this.#open,
      this.#account.button,
      this.#useLink,
      this.#help,
      this.#trouble.toggle,
    );
    const text = element("div", "tokentoss-text");
    text.append(this.#status, this.#code.root, this.#account.root, controls);

    this.root.tabIndex = -1;
    this.root.lang = labels.language;
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", labels.account(branding.name));
    this.root.append(this.#signIn, this.#follow, text, this.#trouble.root);

    this.#signIn.onclick = () => {
      if (this.#signIn.getAttribute("aria-disabled") !== "true") actions.signIn();
    };
    this.#cancel.onclick = () => actions.cancel();
    this.#signOut.onclick = () => actions.signOut();
    this.#useLink.onclick = () => actions.askForLink();
    this.root.onkeydown = (event) => this.#onKey(event);
  }

  /** Shows a state. */
  show(state: ViewState): void {
    const { kind } = state;
    const focused = (this.root.getRootNode() as Document | ShadowRoot).activeElement;
    const code = kind === "code";
    const byLink = kind === "link";
    const cancellable = code || byLink || kind === "waiting" || kind === "signing_in" || kind === "handing_over";
    const signedIn = kind === "signed_in" || kind === "signing_out";
    const problem = problemOf(state);
    const retry = kind === "waiting" ? problem !== null : kind === "failed" && state.next === "retry";
    const usable = !byLink && (kind === "ready" || cancellable || retry);

    this.root.dataset.state = kind;
    this.root.dataset.mark = markOf(state);
    const byHand = "byHand" in state ? state.byHand : null;
    const link = byLink ? undefined : byHand?.link;
    const blocked = problem?.code === "popup_blocked";
    point(this.#open, blocked ? link : undefined);
    point(this.#follow, byLink ? byHand?.link : undefined);
    pointToHelp(this.#help, problem?.code);
    this.#signIn.hidden = signedIn || code || !this.#follow.hidden;
    this.#signIn.disabled = !usable;
    // Not `disabled` while a sign-in is under way: that would take the focus away from the keyboard user.
    this.#signIn.setAttribute("aria-disabled", String(!usable || (cancellable && !retry)));
    this.#cancel.hidden = !cancellable;
    const gone = kind === "kernel_gone";
    this.#reload.hidden = gone ? !isWholePage() : kind !== "failed" || state.next !== "reload";
    this.#toCell.hidden = !gone && (kind !== "failed" || state.next !== "cell");
    this.#signOut.hidden = !signedIn;
    this.#signOut.disabled = kind === "signing_out";
    this.#useLink.hidden = kind !== "failed" || !this.#actions.offersLink;
    this.#code.show(code ? state.code : null);
    this.#account.show(["ready", "failed", "signed_in"].includes(kind));
    this.#trouble.show({
      byHand,
      link: blocked ? undefined : link,
      code: this.#actions.offersCode && ["ready", "waiting", "failed"].includes(kind),
    });

    const text = this.#describe(state);
    if (this.#statusText.data !== text) this.#statusText.data = text;
    // What the panel shows is said as one sentence, to those who hear it.
    this.#status.classList.toggle("tokentoss-heard", code && state.code !== null);

    if (!(focused instanceof HTMLElement) || !this.root.contains(focused)) this.#adrift = false;
    else if (!canFocus(focused) || (this.#adrift && focused === this.root)) this.#focusNext();
  }

  #describe(state: ViewState): string {
    switch (state.kind) {
      case "loading":
        return labels.loading;
      case "ready":
        return this.#account.said ?? state.notice ?? "";
      case "waiting":
        return state.problem?.message ?? labels.waiting[state.byHand.way];
      case "code":
        if (!state.code) return labels.askingForCode;
        return labels.enterCode(state.code.user_code, shortened(state.code.verification_uri));
      case "link":
        if (!state.byHand) return labels.askingForLink;
        return state.byHand.way === "paste" ? labels.followLinkAndPaste : labels.followLink;
      case "signing_in":
        return labels.signingIn;
      case "handing_over":
        return labels.handingOver(this.#provider);
      case "signed_in":
        return state.said;
      case "signing_out":
        return labels.signingOut;
      case "failed":
        return state.message;
      case "kernel_gone":
        return labels.kernelGone;
    }
  }

  /** Lets go of what would outlive the element. */
  dispose(): void {
    this.#code.dispose();
  }

  /** The control that had the focus went away: hand it on, but never to one that would undo what was just done. */
  #focusNext(): void {
    const next = [this.#signIn, this.#follow].find(canFocus);
    this.#adrift = !next;
    (next ?? this.root).focus();
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape" || this.#cancel.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    this.#actions.cancel();
  }
}

/** What went wrong, or looks as if it had. */
function problemOf(state: ViewState): Problem | null {
  if (state.kind === "waiting") return state.problem;
  return state.kind === "failed" ? state : null;
}

/** What stands before the sentence, or colours it. */
function markOf(state: ViewState): "busy" | "done" | "failed" | "muted" | "none" {
  switch (state.kind) {
    case "loading":
      return "muted";
    case "ready":
      return "none";
    case "signed_in":
      return "done";
    case "failed":
    case "kernel_gone":
      return "failed";
    case "waiting":
      return state.problem ? "none" : "busy";
    default:
      return "busy";
  }
}

function canFocus(control: HTMLElement): boolean {
  return !control.closest("[hidden]") && !(control instanceof HTMLButtonElement && control.disabled);
}
