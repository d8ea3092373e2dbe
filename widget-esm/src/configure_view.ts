/**
 * One view of the form. Its elements are made once, and what the user typed is nowhere but in its fields: it goes from there
 * to the binding in one call, after which the secret's field is empty.
 */

import type { ConfigureState } from "../../js/src/configure_state.ts";
import type { Problem } from "../../js/src/problem.ts";
import { labels } from "./configure_labels.ts";
import { around, element, pageLink, point, pointToHelp, textButton } from "./elements.ts";
import { FileDrop } from "./file_drop.ts";
import { cellButton, isWholePage, reloadButton } from "./next_step.ts";
import { TextField } from "./text_field.ts";

/** Where Google keeps clients. */
const CONSOLE = "https://console.cloud.google.com/auth/clients";

/** What the form fills and where it goes; `ConfigureBinding` is it. */
export interface Recipient {
  readonly initial: { clientId: string; projectId: string };
  readonly currentClient: string;
  submitCredentials(clientId: string, clientSecret: string, projectId: string): void;
  submitFile(name: string, content: Uint8Array): void;
  again(): void;
}

/** What stands before the sentence, or colours it, if nothing went wrong. */
const MARKS: { [kind in ConfigureState["kind"]]?: string } = { editing: "muted", sending: "busy", configured: "done" };

export class ConfigureView {
  readonly root = element("div", "tokentoss tokentoss-configure");
  readonly #recipient: Recipient;
  readonly #form = element("form", "tokentoss-form");
  readonly #current = element("p", "tokentoss-current");
  readonly #fields = element("fieldset", "tokentoss-fields");
  readonly #clientId = new TextField(labels.clientId, labels.clientIdExample);
  readonly #clientSecret = new TextField(labels.clientSecret, labels.clientSecretExample, "password");
  readonly #projectId = new TextField(labels.projectId, labels.projectIdExample);
  readonly #byHand = element("details", "tokentoss-by-hand");
  readonly #drop: FileDrop;
  readonly #configure = element("button", "tokentoss-submit");
  readonly #change = textButton(labels.change);
  readonly #reload = reloadButton(labels.reload);
  readonly #toCell = cellButton(labels.toCell);
  readonly #help = pageLink(labels.help);
  readonly #status = element("p", "tokentoss-status");
  #state: ConfigureState = { kind: "editing", ready: false, problem: { code: "", message: "" } };
  #reading = false;

  constructor(recipient: Recipient) {
    this.#recipient = recipient;
    this.#clientId.input.value = recipient.initial.clientId;
    this.#projectId.input.value = recipient.initial.projectId;

    const summary = element("summary", "tokentoss-summary");
    summary.textContent = labels.byHand;
    this.#fields.append(this.#clientId.root, this.#clientSecret.root, this.#projectId.root);
    this.#byHand.append(summary, this.#fields);
    this.#byHand.open = recipient.initial.clientId !== "";
    this.#drop = new FileDrop(this.root, () => this.#render());

    this.#configure.type = "submit";
    this.#configure.textContent = labels.configure;
    this.#form.noValidate = true;
    this.#form.autocomplete = "off";
    this.#form.append(introduction(), this.#current, this.#drop.root, this.#byHand, this.#configure);
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    this.#fields.onkeydown = (event) => this.#onKey(event);
    this.#change.onclick = () => {
      this.#restore();
      recipient.again();
      if (this.#byHand.open) this.#clientId.input.focus();
      else this.#drop.focus();
    };

    this.#status.setAttribute("role", "status");
    this.#status.setAttribute("aria-live", "polite");
    const outcome = element("div", "tokentoss-outcome");
    outcome.append(this.#status, this.#change, this.#reload, this.#toCell, this.#help);

    this.root.tabIndex = -1;
    this.root.lang = labels.language;
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", labels.title);
    // JupyterLab's keyboard shortcuts must not act on what is typed here.
    this.root.dataset.lmSuppressShortcuts = "true";
    this.root.append(this.#form, outcome);
  }

  /** Shows a state. */
  show(state: ConfigureState): void {
    const before = this.#state;
    this.#state = state;
    this.#render();
    if (state.kind === "editing" && before.kind === "sending") this.#pointOut(state.problem.code);
  }

  /** Takes the view off the page, and the secret out of its field. */
  dispose(): void {
    this.#clientSecret.input.value = "";
    this.#drop.clear();
    this.root.remove();
  }

  #render(): void {
    const state = this.#state;
    const focused = this.#focused;
    const editable = state.kind === "editing" && !this.#reading;
    const { currentClient } = this.#recipient;

    const problem = problemOf(state);
    this.root.dataset.state = state.kind === "editing" && problem ? "failed" : state.kind;
    this.root.dataset.mark = problem || state.kind === "kernel_gone" ? "failed" : (MARKS[state.kind] ?? "none");
    this.#form.hidden = state.kind === "configured" || state.kind === "kernel_gone" || state.kind === "unusable";
    this.#current.textContent = currentClient ? labels.current(currentClient) : "";
    this.#current.hidden = !currentClient;
    // What will not be used cannot be edited. The focus must not get lost: JupyterLab takes keys without one for commands.
    const locked = !editable || this.#drop.file !== null;
    if (locked && focused && this.#fields.contains(focused)) this.#configure.focus();
    this.#fields.disabled = locked;
    this.#drop.enabled = editable;
    // Not `disabled`: that would take the focus away from the keyboard user.
    this.#configure.setAttribute("aria-disabled", String(!(editable && state.ready)));
    this.#change.hidden = state.kind !== "configured";
    const gone = state.kind === "kernel_gone";
    this.#reload.hidden = state.kind !== "unusable" && !(gone && isWholePage());
    this.#toCell.hidden = !gone;
    pointToHelp(this.#help, problem?.code);
    const text = this.#describe(state);
    if (this.#status.textContent !== text) this.#status.textContent = text;

    if (focused && this.root.contains(focused) && this.#form.hidden) {
      (this.#change.hidden ? this.root : this.#change).focus();
    }
  }

  /** Marks the field that Python refused, and goes there if the user has not gone elsewhere. */
  #pointOut(code: string): void {
    for (const [field, itsCode] of [
      [this.#clientId, "client_id_invalid"],
      [this.#clientSecret, "client_secret_invalid"],
    ] as const) {
      field.markInvalid(code === itsCode);
      if (code !== itsCode) continue;
      this.#byHand.open = true;
      if (this.root.contains(this.#focused)) field.input.focus();
    }
  }

  get #focused(): Element | null {
    return (this.root.getRootNode() as Document | ShadowRoot).activeElement;
  }

  #describe(state: ConfigureState): string {
    switch (state.kind) {
      case "editing":
        return state.problem.message || (state.ready ? labels.ready : labels.loading);
      case "sending":
        return labels.sending;
      case "configured":
        return labels.configured(state.message, state.client);
      case "unusable":
        return state.message;
      case "kernel_gone":
        return labels.kernelGone;
    }
  }

  /** JupyterLab takes the line break from fields in its cells, and with it the browser's own way to send a form. */
  #onKey(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.isComposing || !(event.target instanceof HTMLInputElement)) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #submit(): void {
    if (this.#configure.getAttribute("aria-disabled") === "true") return;
    const { file } = this.#drop;
    if (file) void this.#submitFile(file);
    else if (this.#byHand.open) this.#submitCredentials();
    else this.#drop.complain(labels.clientMissing);
  }

  #submitCredentials(): void {
    const complaints = this.#complaints();
    for (const [field, complaint] of complaints) field.complain(complaint);
    const wrong = complaints.find(([, complaint]) => complaint);
    if (wrong) {
      wrong[0].input.focus();
      return;
    }
    const secret = this.#clientSecret.input;
    this.#recipient.submitCredentials(this.#clientId.input.value, secret.value, this.#projectId.input.value);
    this.#clear(secret);
  }

  #complaints(): [TextField, string][] {
    const id = this.#clientId.input.value.trim();
    const secret = this.#clientSecret.input.value.trim();
    const aboutId = id ? (id.startsWith("GOCSPX-") ? labels.clientIdIsSecret : "") : labels.clientIdMissing;
    const aboutSecret = secret
      ? secret.endsWith(".apps.googleusercontent.com")
        ? labels.clientSecretIsId
        : ""
      : labels.clientSecretMissing;
    return [
      [this.#clientId, aboutId],
      [this.#clientSecret, aboutSecret],
    ];
  }

  async #submitFile(file: File): Promise<void> {
    this.#reading = true;
    this.#render();
    let content: Uint8Array | undefined;
    try {
      content = new Uint8Array(await file.arrayBuffer());
    } catch {
      // Moved or changed since it was chosen.
    }
    this.#reading = false;
    this.#clear(this.#clientSecret.input);
    this.#drop.clear(content ? "" : labels.fileUnreadable(file.name));
    if (content) this.#recipient.submitFile(file.name, content);
  }

  /** Empties a field, and its history with it: a browser could bring back what was only overwritten. */
  #clear(input: HTMLInputElement): void {
    input.value = "";
    input.defaultValue = "";
  }

  /** The form as it was at the start. */
  #restore(): void {
    this.#clientId.input.value = this.#recipient.initial.clientId;
    this.#projectId.input.value = this.#recipient.initial.projectId;
    for (const field of [this.#clientId, this.#clientSecret, this.#projectId]) field.complain("");
    this.#clear(this.#clientSecret.input);
  }
}

/** What the form is for: a title, and where what it asks for comes from. */
function introduction(): DocumentFragment {
  const introduced = document.createDocumentFragment();
  const title = element("p", "tokentoss-title");
  title.textContent = labels.title;
  const about = element("p", "tokentoss-about");
  const link = pageLink(labels.console);
  point(link, CONSOLE);
  about.append(...around(link, labels.about));
  introduced.append(title, about);
  return introduced;
}

/** What went wrong, if anything did. */
function problemOf(state: ConfigureState): Problem | null {
  if (state.kind === "unusable") return state;
  return state.kind === "editing" && state.problem.message ? state.problem : null;
}
