/** Every state of the status widget. */

import type { StatusState } from "../../js/src/status_binding.ts";
import type { Session } from "../../js/src/status_traits.ts";
import type { Chosen } from "../../js/src/traits.ts";
import { StatusView } from "../src/status_view.ts";
import { sentence } from "./sentences.ts";
import { chooser } from "./sign_in_states.ts";

const now = Date.now() / 1000;
const session: Session = {
  account: "ada.lovelace@example.org",
  provider: "Google",
  signed_in: true,
  scopes: ["openid", "email", "profile"],
  missing: [],
  expires_at: now + 3541,
  ends_at: now + 82_800,
  renewable: true,
  stored_in: "~/.config/tokentoss/tokens.json",
  problem: "",
};
const signedOut: Session = {
  ...session,
  account: "",
  signed_in: false,
  scopes: [],
  expires_at: null,
  ends_at: null,
  renewable: false,
};
const idle: StatusState = { lost: false, session, notice: "", busy: false, signIn: "" };
const others: Chosen = {
  accounts: [{ id: "1", name: "grace.hopper@example.org" }],
  current: session.account,
  provider_asks: true,
};

const shown: Record<string, { state: StatusState; choosing?: Chosen }> = {
  "signed in": { state: idle },
  "signed in, not all granted": {
    state: {
      ...idle,
      session: {
        ...session,
        provider: "Example Corporation of Lovelace and Babbage",
        missing: ["https://www.googleapis.com/auth/drive.readonly"],
        renewable: false,
        stored_in: "memory, until Python stops",
      },
    },
  },
  expired: { state: { ...idle, session: { ...session, expires_at: now - 60, ends_at: null } } },
  renewing: { state: { ...idle, busy: true } },
  renewed: { state: { ...idle, notice: "The tokens are new." } },
  "not renewed": { state: { ...idle, notice: sentence("token_endpoint_unreachable") } },
  "choosing an account": { state: idle, choosing: others },
  "signed out": { state: { ...idle, session: signedOut } },
  "session ended": { state: { ...idle, session: { ...signedOut, problem: sentence("session_expired") } } },
  "sign-in not shown here": { state: { ...idle, session: signedOut, signIn: "model" } },
  "kernel gone": { state: { ...idle, lost: true } },
};

/** Draws each state into the place that it is given. */
export function drawStatus(place: (title: string) => ParentNode): void {
  for (const [title, { state, choosing }] of Object.entries(shown)) {
    const accounts = chooser(true, choosing ?? null);
    const actions = { accounts, state, refresh() {}, signIn() {}, signOut() {}, ask() {} };
    // No host that shows one widget in another.
    const view = new StatusView(actions, {});
    view.show(state);
    place(title).append(view.root);
  }
}
