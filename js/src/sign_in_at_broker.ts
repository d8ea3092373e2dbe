/**
 * The sign-in at a broker: its pages do everything, in a popup, and the kernel hears from the broker how it ended.
 *
 * This page opens the popup, answers it that it is there, and passes on a code that the user copies.
 */

import type { FlowEvent } from "tokentoss:glue";
import { popup_blocked, popup_closed } from "tokentoss:sentences";
import type { KernelLink } from "./kernel_link.ts";
import type { Model } from "./model.ts";
import type { Problem } from "./problem.ts";
import type { Status } from "./status_view.ts";
import type { FromKernel, Offer } from "./traits.ts";

/** How often the popup is looked after, in milliseconds. */
const LOOK = 1000;

const BLOCKED: Problem = { code: "popup_blocked", message: popup_blocked };
const CLOSED: Problem = { code: "popup_closed", message: popup_closed };

export class SignInAtBroker {
  readonly #model: Model;
  readonly #kernel: KernelLink;
  readonly #show: () => void;
  /** Whether the kernel may use a broker. */
  readonly #confirms: boolean;
  /** The sign-in that the user began here. */
  #begun: Offer | null = null;
  #popup: MessageEventSource | null = null;
  #looking: ReturnType<typeof setInterval> | undefined;
  /** What looks wrong though the sign-in still waits. */
  #problem: Problem | null = null;
  #pasteProblem: string | null = null;
  /** The popup said that the broker has what it needs. */
  #done = false;

  constructor(model: Model, kernel: KernelLink, show: () => void) {
    this.#model = model;
    this.#kernel = kernel;
    this.#show = show;
    this.#confirms = model.get("branding").confirms === true;
    if (this.#confirms) addEventListener("message", this.#onMessage);
    this.introduce();
  }

  /** Tells the kernel where this page is, which the broker's pages speak to alone. */
  introduce(): void {
    if (this.#confirms) this.#say("page", "", location.origin);
  }

  /** Whether sign-ins run at the broker's pages, as far as is known; without a ticket, they need nothing of the WebAssembly. */
  get isUsed(): boolean {
    return this.#confirms && !this.#model.get("ticket").id;
  }

  /** What can be clicked; null while there is nothing. */
  get offer(): Offer | null {
    const offer = this.#model.get("broker");
    return offer?.id ? (offer as Offer) : null;
  }

  /** Where the sign-in stands, as one of the WebAssembly would say it; null while none is under way here. */
  get status(): Status | null {
    const asked = this.offer?.confirm ? this.offer : null;
    const offer = this.#begun ?? asked;
    if (!offer) return null;
    return {
      type: "status",
      phase: this.#done ? "handing_over" : "waiting",
      way: asked ? "paste" : "loopback",
      link: offer.url,
      message: this.#problem?.message ?? null,
      paste_problem: this.#pasteProblem,
      paste_code: null,
      code: this.#problem?.code ?? null,
      subject: null,
      to_enter: null,
    } satisfies Extract<FlowEvent, Status>;
  }

  /** The sign-in that the user has to do with; empty if there is none. */
  get #id(): string {
    return (this.#begun ?? this.offer)?.id ?? "";
  }

  /** The click; whether there was a popup to open, which happens inside this call. */
  signIn(): boolean {
    const { offer } = this;
    if (!offer) return false;
    this.#close();
    this.#begun = offer;
    this.#popup = window.open(offer.url, "", "popup");
    this.#problem = this.#popup ? null : BLOCKED;
    this.#looking = setInterval(this.#look, LOOK);
    this.#say("opened", offer.id);
    this.#show();
    return true;
  }

  /** The user opened the page by the link: the next window that asks is the one. */
  linkFollowed(): void {
    this.#popup = null;
  }

  /** Gives the sign-in up; whether there was one. */
  cancel(): boolean {
    if (!this.status) return false;
    this.#say("give_up", this.#id);
    this.#end();
    return true;
  }

  /** Passes on the code that the broker's page shows; whether a sign-in waits for one. */
  paste(text: string): boolean {
    if (!this.status) return false;
    this.#pasteProblem = null;
    this.#say("confirm", this.#id, text);
    return true;
  }

  /** The kernel says what is wrong with that code; whether it is about this. */
  given({ ticket, problem }: Extract<FromKernel, { type: "link" }>): boolean {
    if (ticket !== this.#id) return false;
    this.#pasteProblem = problem;
    return true;
  }

  /** Takes in the traits: whoever is signed in, or whose sign-in ended, is done here. */
  sync(): void {
    const model = this.#model;
    const id = this.#begun?.id;
    if (id && (model.get("acknowledged") === id || (model.get("is_authenticated") && !this.offer))) this.#end();
  }

  /** Lets go of the page. */
  dispose(): void {
    removeEventListener("message", this.#onMessage);
    this.#end();
  }

  #end(): void {
    this.#close();
    this.#begun = this.#pasteProblem = null;
  }

  #close(): void {
    clearInterval(this.#looking);
    (this.#popup as Window | null)?.close();
    this.#popup = null;
    this.#problem = null;
    this.#done = false;
  }

  readonly #look = (): void => {
    const problem = (this.#popup as Window | null)?.closed ? CLOSED : this.#problem;
    if (problem === this.#problem || this.#done) return;
    this.#problem = problem;
    this.#show();
  };

  readonly #onMessage = ({ data, origin, source }: MessageEvent): void => {
    const begun = this.#begun;
    if (!begun || origin !== begun.origin || data?.tokentoss !== "broker" || data.id !== begun.id) return;
    this.#popup ??= source;
    if (source !== this.#popup || !source) return;
    this.#problem = null;
    if (data.kind === "who") {
      source.postMessage({ tokentoss: "broker", id: begun.id, kind: "here" }, { targetOrigin: origin });
    } else if (data.kind === "done" || data.kind === "failed") {
      // How it failed comes from the kernel, with its sentence.
      this.#done = data.kind === "done";
      queueMicrotask(() => this.#kernel.probe());
    }
    this.#show();
  };

  /** In a turn of its own: nothing may come between the click and the popup. */
  #say(kind: "page" | "opened" | "give_up" | "confirm", id: string, text = ""): void {
    queueMicrotask(() => this.#kernel.send({ type: "broker", kind, id, text }));
  }
}
