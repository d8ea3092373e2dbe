/** Every state of the sign-in view. */

import type { Chosen } from "../../js/src/traits.ts";
import type { ByHand, ViewState } from "../../js/src/view_state.ts";
import { type Actions, View } from "../src/view.ts";
import { problem, sentence } from "./sentences.ts";

const byHand: ByHand = { link: "http://127.0.0.1:41231/tokentoss/start", way: "loopback", pasteProblem: null };
const pasting: ByHand = {
  link: "https://accounts.google.com/o/oauth2/v2/auth?response_type=code&client_id=1234.apps.googleusercontent.com&redirect_uri=http%3A%2F%2F127.0.0.1%3A41231%2F",
  way: "paste",
  pasteProblem: null,
};
const code = {
  user_code: "WDJB-MJHT",
  verification_uri: "https://login.example.com/device",
  page: "https://login.example.com/device?user_code=WDJB-MJHT",
  expires_at: Date.now() / 1000 + 582,
  qr: `data:image/svg+xml,${encodeURIComponent(sampleQr())}`,
};
const account = "ada.lovelace@example.org";

const states: Record<string, ViewState> = {
  loading: { kind: "loading" },
  ready: { kind: "ready" },
  "ready, the session ended": { kind: "ready", notice: sentence("session_expired") },
  "choosing an account": { kind: "ready" },
  "choosing, none stored": { kind: "ready" },
  waiting: { kind: "waiting", problem: null, byHand },
  "waiting, in trouble": { kind: "waiting", problem: null, byHand },
  "waiting, by a callback page": { kind: "waiting", problem: null, byHand: { ...byHand, way: "callback_page" } },
  "waiting for a pasted address": { kind: "waiting", problem: null, byHand: pasting },
  "waiting, the pasted address is refused": {
    kind: "waiting",
    problem: null,
    byHand: { ...pasting, pasteProblem: sentence("paste_code_only") },
  },
  "waiting, popup seems closed": { kind: "waiting", problem: problem("popup_closed"), byHand },
  "asking for a code": { kind: "code", code: null },
  "code, not drawn yet": { kind: "code", code: { ...code, qr: "" } },
  code: { kind: "code", code },
  "asking for a link": { kind: "link", byHand: null },
  link: { kind: "link", byHand: { ...pasting, way: "loopback" } },
  "link, to paste the address": { kind: "link", byHand: pasting },
  "signing in": { kind: "signing_in" },
  "handing over": { kind: "handing_over" },
  // As Python puts it.
  "signed in": { kind: "signed_in", said: `Signed in as ${account}` },
  "signing out": { kind: "signing_out", account },
  failed: { kind: "failed", ...problem("access_denied"), byHand: null, next: "retry" },
  "failed, popup blocked": { kind: "failed", ...problem("popup_blocked"), byHand, next: "retry" },
  "failed, no popups in this frame": { kind: "failed", ...problem("popup_blocked"), byHand: pasting, next: "retry" },
  "failed, no WebAssembly": { kind: "failed", ...problem("webassembly_unavailable"), byHand: null, next: "reload" },
  "failed, to be put right in the cell": {
    kind: "failed",
    ...problem("endpoint_insecure"),
    byHand: null,
    next: "cell",
  },
  "kernel gone": { kind: "kernel_gone" },
};

/** Those that offer another account, and what there is to choose from in those where the user chooses. */
const choices: Record<string, Chosen | null> = {
  "ready, the session ended": null,
  "choosing an account": {
    accounts: [
      { id: "1", name: account },
      { id: "2", name: "grace.hopper@example.org" },
    ],
    current: "",
    provider_asks: true,
  },
  "choosing, none stored": { accounts: [], current: account, provider_asks: false },
  "signed in": null,
  failed: null,
};

export const chooser = (offered: boolean, open: Chosen | null): Actions["accounts"] => ({
  offered,
  open,
  begin() {},
  keep() {},
  use() {},
});

const actions: Actions = {
  signIn() {},
  cancel() {},
  linkFollowed() {},
  signOut() {},
  accounts: chooser(false, null),
  offersCode: true,
  askForCode() {},
  offersLink: false,
  askForLink() {},
  linkCopied: () => pasting.link,
  paste() {},
};

const GOOGLE = { name: "Google", style: "google" } as const;
/** A name that is longer than most, and a button in the page's own colours. */
const OTHER = { name: "Example Corporation of Lovelace and Babbage", style: "generic" } as const;

/** Looks like a QR code and says nothing. */
function sampleQr(): string {
  const dots = Array.from({ length: 33 * 33 }, (_, i) => {
    const [x, y] = [i % 33, Math.floor(i / 33)];
    return (x * x * y + 5 * x + 3 * y * y) % 7 < 3 ? `M${x} ${y}h1v1h-1z` : "";
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 37 37"><path d="${dots.join("")}"/></svg>`;
}

/** Draws each state into the place that it is given; every other one with a button of another provider. */
export function drawSignIn(place: (title: string) => ParentNode): void {
  for (const [index, [title, state]] of Object.entries(states).entries()) {
    const offersLink = title === "failed, no WebAssembly";
    const view = new View(index % 2 ? OTHER : GOOGLE, {
      ...actions,
      accounts: chooser(title in choices, choices[title] ?? null),
      offersLink,
    });
    view.show(state);
    place(title).append(view.root);
    if (title.endsWith("in trouble")) view.root.querySelector<HTMLElement>("[aria-expanded]")?.click();
  }
}
