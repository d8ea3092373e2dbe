/** Every state of the sign-in view side by side, in light and dark, for looking at and for screenshots. */

import type { ByHand, ViewState } from "../../js/src/view_state.ts";
import { type Actions, View } from "../src/view.ts";

const byHand: ByHand = {
  link: "http://127.0.0.1:41231/tokentoss/start",
  way: "loopback",
  pasteProblem: null,
};
const pasting: ByHand = {
  link: "https://accounts.google.com/o/oauth2/v2/auth?response_type=code&client_id=1234.apps.googleusercontent.com&redirect_uri=http%3A%2F%2F127.0.0.1%3A41231%2F",
  way: "paste",
  pasteProblem: null,
};
const blocked =
  "The browser blocked the sign-in window. Follow the link to open it by hand, or allow pop-ups for this page.";

const code = {
  user_code: "WDJB-MJHT",
  verification_uri: "https://login.example.com/device",
  page: "https://login.example.com/device?user_code=WDJB-MJHT",
  expires_at: Date.now() / 1000 + 582,
  qr: `data:image/svg+xml,${encodeURIComponent(sampleQr())}`,
};

const states: [title: string, state: ViewState][] = [
  ["loading", { kind: "loading" }],
  ["ready", { kind: "ready" }],
  ["waiting", { kind: "waiting", problem: null, byHand }],
  ["waiting, by a callback page", { kind: "waiting", problem: null, byHand: { ...byHand, way: "callback_page" } }],
  ["waiting for a pasted address", { kind: "waiting", problem: null, byHand: pasting }],
  [
    "waiting, the pasted address is refused",
    {
      kind: "waiting",
      problem: null,
      byHand: {
        ...pasting,
        pasteProblem:
          "This is only the code, and without the rest of the address nobody can tell which sign-in it belongs to. Paste the whole address.",
      },
    },
  ],
  ["failed, no popups in this frame", { kind: "failed", message: blocked, next: "retry", byHand: pasting }],
  [
    "waiting, popup seems closed",
    {
      kind: "waiting",
      byHand,
      problem: "The sign-in window was closed before it finished. Click Retry to sign in again.",
    },
  ],
  ["asking for a code", { kind: "code", code: null }],
  ["code, not drawn yet", { kind: "code", code: { ...code, qr: "" } }],
  ["code", { kind: "code", code }],
  ["asking for a link", { kind: "link", byHand: null }],
  ["link", { kind: "link", byHand: { ...pasting, way: "loopback" } }],
  ["link, to paste the address", { kind: "link", byHand: pasting }],
  ["signing in", { kind: "signing_in" }],
  ["handing over", { kind: "handing_over" }],
  ["signed in", { kind: "signed_in", said: "Signed in as ada.lovelace@example.org" }],
  ["signing out", { kind: "signing_out", account: "ada.lovelace@example.org" }],
  [
    "failed",
    { kind: "failed", message: "Access was denied. Click Retry and allow the access.", byHand: null, next: "retry" },
  ],
  [
    "failed, popup blocked",
    {
      kind: "failed",
      message: blocked,
      byHand,
      next: "retry",
    },
  ],
  [
    "failed, no WebAssembly",
    {
      kind: "failed",
      message:
        "This page's security policy forbids WebAssembly, which this widget needs. Ask the administrator to add 'wasm-unsafe-eval' to the script-src policy.",
      byHand: null,
      next: "reload",
    },
  ],
  [
    "failed, to be put right in the cell",
    {
      kind: "failed",
      message: "An endpoint is not an https address. Correct the provider's endpoints.",
      byHand: null,
      next: "cell",
    },
  ],
  ["kernel gone", { kind: "kernel_gone" }],
];

const actions: Actions = {
  signIn() {},
  cancel() {},
  linkFollowed() {},
  signOut() {},
  offersCode: true,
  askForCode() {},
  offersLink: false,
  askForLink() {},
  linkCopied: () => pasting.link,
  paste() {},
};

/** Looks like a QR code and says nothing. */
function sampleQr(): string {
  const dots = Array.from({ length: 33 * 33 }, (_, i) => {
    const [x, y] = [i % 33, Math.floor(i / 33)];
    return (x * x * y + 5 * x + 3 * y * y) % 7 < 3 ? `M${x} ${y}h1v1h-1z` : "";
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 37 37"><path d="${dots.join("")}"/></svg>`;
}

for (const column of document.querySelectorAll<HTMLElement>("[data-branding]")) {
  const style = column.dataset.branding === "google" ? "google" : "generic";
  for (const [title, state] of states) {
    const heading = document.createElement("h2");
    heading.textContent = title;
    const offersLink = title === "failed, no WebAssembly";
    const branding = { name: style === "google" ? "Google" : "Example Corp", style } as const;
    const view = new View(branding, { ...actions, offersLink });
    view.show(state);
    column.append(heading, view.root);
  }
}
