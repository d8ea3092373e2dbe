/** Every state of the form for a client. */

import type { ConfigureState } from "../../js/src/configure_state.ts";
import { NO_PROBLEM } from "../../js/src/problem.ts";
import { ConfigureView } from "../src/configure_view.ts";
import { problem } from "./sentences.ts";

const CLIENT_ID = "123456789012-q3v7n1k2m4.apps.googleusercontent.com";
const FILE = "client_secret_123456789012-q3v7n1k2m4.apps.googleusercontent.com.json";

interface Shown {
  states: ConfigureState[];
  typed?: [clientId: string, clientSecret: string];
  current?: string;
  file?: string;
  byHand?: true;
  submit?: true;
}

const editing: ConfigureState = { kind: "editing", ready: true, problem: NO_PROBLEM };

const shown: Record<string, Shown> = {
  loading: { states: [{ kind: "editing", ready: false, problem: NO_PROBLEM }] },
  editing: { states: [editing] },
  "editing, one set up already, by hand": {
    states: [editing],
    typed: [CLIENT_ID, "GOCSPX-not-a-secret"],
    current: CLIENT_ID,
  },
  "by hand, empty": { states: [editing], byHand: true },
  "nothing chosen": { states: [editing], submit: true },
  "nothing entered": { states: [editing], typed: ["GOCSPX-oops", ""], submit: true },
  "file chosen": { states: [editing], file: FILE },
  sending: { states: [{ kind: "sending" }], typed: [CLIENT_ID, ""] },
  failed: {
    typed: [CLIENT_ID, ""],
    states: [{ kind: "sending" }, { ...editing, problem: problem("client_secret_invalid") }],
  },
  configured: {
    // As Python puts it.
    states: [
      {
        kind: "configured",
        message: "Configured! Saved to /home/ada/.config/tokentoss/client_secrets.json",
        client: CLIENT_ID,
      },
    ],
  },
  unusable: { states: [{ kind: "unusable", ...problem("webassembly_failed") }] },
  "kernel gone": { states: [{ kind: "kernel_gone" }] },
};

/** Draws each state into the place that it is given. */
export function drawConfigure(place: (title: string) => ParentNode): void {
  for (const [title, { states, typed, current, file, byHand, submit }] of Object.entries(shown)) {
    const view = new ConfigureView({
      initial: { clientId: typed?.[0] ?? "", projectId: "" },
      currentClient: current ?? "",
      submitCredentials() {},
      submitFile() {},
      again() {},
    });
    for (const state of states) view.show(state);
    place(title).append(view.root);
    const secret = view.root.querySelector<HTMLInputElement>("[type=password]");
    if (secret) secret.value = typed?.[1] ?? "";
    if (byHand) view.root.querySelector("details")?.toggleAttribute("open", true);
    if (submit) view.root.querySelector("form")?.requestSubmit();
    if (file) {
      const files = new DataTransfer();
      files.items.add(new File(["{}"], file));
      view.root.dispatchEvent(new DragEvent("drop", { dataTransfer: files }));
    }
  }
  // Nobody uses it: none is shown with the focus.
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}
