/** Every state of the sign-in view side by side, in light and dark, for looking at and for screenshots. */

import type { ViewState } from "../../js/src/view_state.ts";
import { type Actions, View } from "../src/view.ts";

const link = "http://127.0.0.1:41231/tokentoss/start";

const states: [title: string, state: ViewState][] = [
  ["loading", { kind: "loading" }],
  ["ready", { kind: "ready" }],
  ["waiting", { kind: "waiting", link, problem: null }],
  [
    "waiting, popup seems closed",
    {
      kind: "waiting",
      link,
      problem: "The sign-in window was closed before it finished. Click Retry to sign in again.",
    },
  ],
  ["asking for a code", { kind: "code", code: null }],
  [
    "code",
    {
      kind: "code",
      code: {
        user_code: "WDJB-MJHT",
        verification_uri: "https://login.example.com/device",
        page: "https://login.example.com/device?user_code=WDJB-MJHT",
        expires_at: Date.now() / 1000 + 582,
        qr: `data:image/svg+xml,${encodeURIComponent(sampleQr())}`,
      },
    },
  ],
  ["signing in", { kind: "signing_in" }],
  ["handing over", { kind: "handing_over" }],
  ["signed in", { kind: "signed_in", said: "Signed in as ada.lovelace@example.org" }],
  ["signing out", { kind: "signing_out", account: "ada.lovelace@example.org" }],
  [
    "failed",
    { kind: "failed", message: "Access was denied. Click Retry and allow the access.", link: null, retry: true },
  ],
  [
    "failed, popup blocked",
    {
      kind: "failed",
      message: "The browser blocked the sign-in window. Allow popups for this page, or open the sign-in page by hand.",
      link,
      retry: true,
    },
  ],
  [
    "failed, nothing to click",
    {
      kind: "failed",
      message:
        "This page's security policy forbids WebAssembly, which the sign-in needs. Ask the administrator to add 'wasm-unsafe-eval' to the script-src policy.",
      link: null,
      retry: false,
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
    const view = new View({ name: style === "google" ? "Google" : "Example Corp", style }, actions);
    view.show(state);
    column.append(heading, view.root);
  }
}
