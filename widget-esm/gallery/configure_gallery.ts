/** Every state of the form side by side, in light and dark, for looking at and for screenshots. */

import type { ConfigureState } from "../../js/src/configure_state.ts";
import { ConfigureView } from "../src/configure_view.ts";

const CLIENT_ID = "123456789012-q3v7n1k2m4.apps.googleusercontent.com";
const none = { code: "", message: "" };

interface Shown {
  title: string;
  states: ConfigureState[];
  typed?: [clientId: string, clientSecret: string];
  current?: string;
  file?: string;
  advanced?: boolean;
  submit?: boolean;
}

const editing: ConfigureState = { kind: "editing", ready: true, problem: none };

const shown: Shown[] = [
  { title: "loading", states: [{ kind: "editing", ready: false, problem: none }] },
  { title: "editing", states: [editing] },
  {
    title: "editing, one set up already, advanced",
    states: [editing],
    typed: [CLIENT_ID, "GOCSPX-not-a-secret"],
    current: CLIENT_ID,
    advanced: true,
  },
  { title: "nothing entered", states: [editing], typed: ["GOCSPX-oops", ""], submit: true },
  {
    title: "file chosen",
    states: [editing],
    file: "client_secret_123456789012-q3v7n1k2m4.apps.googleusercontent.com.json",
  },
  { title: "sending", states: [{ kind: "sending" }], typed: [CLIENT_ID, ""] },
  {
    title: "failed",
    typed: [CLIENT_ID, ""],
    states: [
      { kind: "sending" },
      {
        kind: "editing",
        ready: true,
        problem: {
          code: "client_secret_invalid",
          message:
            "The client secret cannot be used: it holds a space or a special character. Copy it from the provider's console.",
        },
      },
    ],
  },
  {
    title: "configured",
    states: [
      {
        kind: "configured",
        message: "Configured! Saved to /home/ada/.config/tokentoss/client_secrets.json",
        client: CLIENT_ID,
      },
    ],
  },
  {
    title: "unusable",
    states: [
      {
        kind: "unusable",
        message:
          "This widget could not start in this browser. Reload the page; if that does not help, update the browser.",
      },
    ],
  },
  { title: "kernel gone", states: [{ kind: "kernel_gone" }] },
];

for (const column of document.querySelectorAll<HTMLElement>("[data-forms]")) {
  for (const { title, states, typed, current, file, advanced, submit } of shown) {
    const heading = document.createElement("h2");
    heading.textContent = title;
    const view = new ConfigureView({
      initial: { clientId: typed?.[0] ?? "", projectId: "" },
      currentClient: current ?? "",
      submitCredentials() {},
      submitFile() {},
      again() {},
    });
    for (const state of states) view.show(state);
    column.append(heading, view.root);
    const secret = view.root.querySelector<HTMLInputElement>("[type=password]");
    if (secret) secret.value = typed?.[1] ?? "";
    if (advanced) view.root.querySelector("details")?.toggleAttribute("open", true);
    if (submit) view.root.querySelector("form")?.requestSubmit();
    if (file) {
      const files = new DataTransfer();
      files.items.add(new File(["{}"], file));
      view.root.dispatchEvent(new DragEvent("drop", { dataTransfer: files }));
    }
  }
}
