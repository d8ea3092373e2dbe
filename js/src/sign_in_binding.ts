/**
 * Binds a traitlets model to the sign-in of the WebAssembly: one binding per model, however many views it has.
 *
 * It decides nothing about the protocol. It carries the ticket in, events and envelopes out, and derives what views show.
 */

import type { FlowEvent, SignIn } from "tokentoss:glue";
import { webassembly_failed, webassembly_unavailable } from "tokentoss:sentences";
import { KernelLink } from "./kernel_link.ts";
import { isForbidden, type Runtime } from "./load.ts";
import type { Model } from "./model.ts";
import { SignInByCode } from "./sign_in_by_code.ts";
import { fromKernel, type ReportedPhase, type Way } from "./traits.ts";
import type { ByHand, NextStep, ViewState } from "./view_state.ts";

type Status = Extract<FlowEvent, { type: "status" }>;

const WATCHED = ["ticket", "acknowledged", "status", "error", "user_email", "is_authenticated", "code"] as const;
const REPORTED: readonly string[] = ["ready", "waiting", "code", "signing_in", "failed"] satisfies ReportedPhase[];

export class SignInBinding {
  readonly #model: Model;
  readonly #load: () => Promise<Runtime>;
  readonly #kernel: KernelLink;
  readonly #byCode: SignInByCode;
  readonly #views = new Set<(state: ViewState) => void>();

  #runtime: Runtime | null = null;
  #signIn: SignIn | null = null;
  #ticket = "";
  #acknowledged: string;
  #error: string;
  #status: Status | null = null;
  /** The sentence to show while no sign-in is under way; "" for none. */
  #failure: string;
  /** The WebAssembly cannot start, or does not accept the ticket: there is nothing to click. */
  #unusable: { message: string; next: NextStep } | null = null;
  /** The ticket for which the kernel runs the sign-in, and where to sign in as soon as it has said so. */
  #link: { ticket: string; byHand: ByHand | null } | null = null;
  #delivered = "";
  #signingOut = false;
  #syncing = false;
  #reported = "ready";
  readonly #page = Math.random();
  #reports = 0;
  #disposed = false;

  constructor(model: Model, load: () => Promise<Runtime>) {
    this.#model = model;
    this.#load = load;
    this.#acknowledged = model.get("acknowledged");
    this.#error = model.get("error");
    this.#failure = this.#error;
    this.#kernel = new KernelLink(model, () => this.#onKernelLost());
    this.#byCode = new SignInByCode(model, this.#kernel);
    for (const trait of WATCHED) model.on(`change:${trait}`, this.#scheduleSync);
    model.on("msg:custom", this.#onMessage);
    this.#start();
  }

  /** What views show now. */
  get state(): ViewState {
    if (this.#kernel.lost) return { kind: "kernel_gone" };
    const account = this.#model.get("user_email");
    if (this.#signingOut) return { kind: "signing_out", account };
    // A ticket that is outstanding all the same asks a user who is signed in for more.
    if (this.#model.get("is_authenticated") && !this.#model.get("ticket").id) {
      return { kind: "signed_in", said: this.#model.get("status") };
    }
    const code = this.#byCode.shown(this.#status);
    if (code !== undefined) return { kind: "code", code };
    if (this.#link) return { kind: "link", byHand: this.#link.byHand };
    if (this.#unusable) {
      const { message, next } = this.#unusable;
      // How another way ended comes first.
      return { kind: "failed", message: this.#failure || message, byHand: null, next };
    }
    const byHand = this.#byHand;
    switch (this.#status?.phase) {
      case "waiting":
        if (byHand) return { kind: "waiting", problem: this.#status.message, byHand };
        break;
      case "signing_in":
        return { kind: "signing_in" };
      case "handing_over":
      case "done":
        return { kind: "handing_over" };
    }
    if (this.#failure) {
      // Without a ticket, the kernel is asked for one.
      const next = this.#signIn || (this.#runtime && !this.#ticket) ? "retry" : null;
      return { kind: "failed", message: this.#failure, next, byHand };
    }
    return { kind: this.#signIn ? "ready" : "loading" };
  }

  /** Calls `view` with every new state until the returned function is called. */
  subscribe(view: (state: ViewState) => void): () => void {
    this.#views.add(view);
    return () => this.#views.delete(view);
  }

  /** The click: the popup opens inside this call. */
  signIn(): void {
    if (this.#unusable?.next === "retry") {
      this.#unusable = null;
      this.#start();
    } else if (!this.#ticket) {
      // The kernel could not make one: its ports were taken, say.
      this.#kernel.send({ type: "ask_for_ticket" });
      this.#kernel.probe();
    } else {
      this.#signIn?.signIn();
    }
  }

  cancel(): void {
    if (this.#byCode.drop(this.#status)) {
      this.#show();
    } else if (this.#link) {
      this.#link = null;
      this.#kernel.send({ type: "drop_link" });
      this.#show();
    } else {
      this.#signIn?.cancel();
    }
  }

  /** Whether the user can sign in with a code on another device. */
  get offersCode(): boolean {
    return this.#model.get("offers_code");
  }

  /** The user wants a code to enter on another device. */
  askForCode(): void {
    this.#failure = "";
    if (this.#signIn) this.#signIn.askForCode();
    else this.#byCode.askWithoutSignIn();
    this.#show();
  }

  /** Whether the kernel can run the sign-in, because this page cannot. */
  get offersLink(): boolean {
    return this.#unusable !== null && !this.#runtime && this.#model.get("ticket").id !== undefined;
  }

  /** The user wants a link, behind which the kernel runs the sign-in. */
  askForLink(): void {
    this.#link = { ticket: this.#model.get("ticket").id ?? "", byHand: null };
    this.#failure = "";
    this.#kernel.send({ type: "ask_for_link" });
    this.#kernel.probe();
    this.#show();
  }

  /** The user opened the sign-in page by hand. */
  linkFollowed(): void {
    this.#signIn?.linkFollowed();
  }

  /** The user copies the link, to open it in another browser; the result is what to copy. */
  linkCopied(): string {
    this.#signIn?.linkCopied();
    return (this.#link?.byHand ?? this.#status)?.link ?? "";
  }

  /** The user pasted the address of the page that the sign-in ended on. */
  paste(address: string): void {
    if (this.#link) {
      const { ticket, byHand } = this.#link;
      this.#link = { ticket, byHand: byHand && { ...byHand, pasteProblem: null } };
      this.#kernel.send({ type: "paste", ticket, address });
      this.#show();
    } else {
      this.#signIn?.paste(address);
    }
  }

  signOut(): void {
    this.#signingOut = true;
    this.#kernel.send({ type: "sign_out" });
    this.#kernel.probe();
    this.#show();
  }

  /** A view found that its host counts the model as disconnected. */
  kernelLost(): void {
    this.#kernel.lose();
  }

  /** Ends the sign-in and lets go of the model. */
  dispose(): void {
    this.#disposed = true;
    this.#kernel.dispose();
    for (const trait of WATCHED) this.#model.off(`change:${trait}`, this.#scheduleSync);
    this.#model.off("msg:custom", this.#onMessage);
    this.#runtime?.onTrap.delete(this.#onTrap);
    // Closes the popup, which leads nowhere any more.
    this.#signIn?.cancel();
    this.#endSignIn();
    this.#views.clear();
  }

  #start(): void {
    this.#show();
    this.#load().then(
      (runtime) => {
        if (this.#disposed) return;
        this.#runtime = runtime;
        runtime.onTrap.add(this.#onTrap);
        this.#sync();
      },
      (reason) => {
        console.error("tokentoss cannot start:", reason);
        const forbidden = isForbidden(reason);
        this.#refuse(
          forbidden ? "webassembly_unavailable" : "webassembly_failed",
          forbidden ? webassembly_unavailable : webassembly_failed,
          forbidden ? "reload" : "retry",
        );
      },
    );
  }

  /** Traits of one message change one after the other; they are read together once all of them did. */
  readonly #scheduleSync = (): void => {
    if (this.#syncing) return;
    this.#syncing = true;
    queueMicrotask(() => {
      this.#syncing = false;
      this.#sync();
    });
  };

  #sync(): void {
    if (this.#disposed || this.#kernel.lost) return;
    const model = this.#model;
    const acknowledged = model.get("acknowledged");
    if (acknowledged !== this.#acknowledged) {
      this.#acknowledged = acknowledged;
      if (acknowledged === this.#ticket) {
        this.#signIn?.acknowledge(acknowledged, model.get("error_code"), model.get("error"));
      }
    }
    const error = model.get("error");
    if (error !== this.#error) {
      this.#error = error;
      this.#signingOut = false;
      // The kernel takes back what it said last before it begins anew: that is no answer.
      if (error) {
        this.#byCode.settle();
        if (this.#status?.phase === "code") this.#signIn?.kernelCodeFailed(model.get("error_code"), error);
      }
      if (!this.#underWay) this.#failure = error;
    }
    // A ticket that is decided on, or given up, ends the link, too.
    if (this.#link?.ticket !== model.get("ticket").id) this.#link = null;
    if (!model.get("is_authenticated")) this.#signingOut = false;
    this.#byCode.sync();
    this.#renew();
    if (this.#signIn) this.#byCode.tell(this.#signIn);
    this.#show();
  }

  get #byHand(): ByHand | null {
    const { link, way, paste_problem } = this.#status ?? {};
    return link ? { link, way: way ?? "loopback", pasteProblem: paste_problem ?? null } : null;
  }

  get #underWay(): boolean {
    const phase = this.#status?.phase;
    return phase === "waiting" || phase === "code" || phase === "signing_in" || phase === "handing_over";
  }

  /** Makes a sign-in of the outstanding ticket, unless it has one. */
  #renew(): void {
    const ticket = this.#model.get("ticket");
    const id = ticket.id ?? "";
    if (!this.#runtime || id === this.#ticket) return;
    this.#endSignIn();
    this.#ticket = id;
    this.#unusable = null;
    this.#reported = "ready";
    if (!id) return;
    try {
      this.#signIn = new this.#runtime.SignIn(ticket, (event) => this.#onEvent(id, event));
    } catch (reason) {
      if (this.#unusable) return; // it trapped
      const { code, message } = reason as Error & { code?: string };
      this.#refuse(code ?? "ticket_invalid", message, "cell");
    }
  }

  /** The sign-in went with the instance; a page that was not in one gets its next instance at once. */
  readonly #onTrap = (): void => {
    this.#runtime = null;
    // Without `free()`, which would work on what the trap left.
    this.#signIn = null;
    const wanted = this.#ticket !== "";
    this.#ticket = "";
    this.#endSignIn();
    if (wanted) this.#refuse("webassembly_failed", webassembly_failed, "retry");
    else this.#start();
  };

  #endSignIn(): void {
    this.#signIn?.free();
    this.#signIn = null;
    this.#status = null;
    this.#byCode.forget();
    this.#clearEnvelope();
  }

  #onEvent(ticket: string, event: FlowEvent): void {
    if (this.#disposed || ticket !== this.#ticket) return;
    if (event.type === "deliver") {
      this.#deliver(ticket, event.envelope);
      return;
    }
    if (event.type === "register") {
      queueMicrotask(() => this.#kernel.send(event));
      return;
    }
    if (event.type === "ask_kernel_for_code") {
      this.#byCode.askKernel();
      return;
    }
    if (event.type === "drop_kernel_code") {
      this.#byCode.dropKernelCode();
      return;
    }
    this.#status = event;
    this.#byCode.draw(event);
    if (event.phase === "waiting" || event.phase === "code") this.#failure = "";
    if (event.phase === "failed") this.#failure = event.message ?? "";
    if (event.phase === "failed" || event.phase === "done") this.#clearEnvelope();
    if (this.#acknowledged !== ticket) {
      this.#report(event);
      // The popup says so; what the kernel said of it may be lost.
      if (event.phase === "done") this.#probeLater();
    }
    this.#show();
  }

  /** Sends the envelope; again as a message, because hosts keep a trait back until the kernel answered the change before. */
  #deliver(ticket: string, sealed: string): void {
    if (sealed === this.#delivered) {
      this.#kernel.send({ type: "deliver", ticket, sealed });
    } else {
      this.#delivered = sealed;
      this.#model.set("sealed_tokens", sealed);
      this.#model.save_changes();
    }
    this.#probeLater();
  }

  /** An envelope that nobody takes must not stay in the model, whose state may be saved with the notebook. */
  #clearEnvelope(): void {
    if (this.#model.get("sealed_tokens")) this.#model.set("sealed_tokens", "");
  }

  #report(status: Status): void {
    const { phase, way, code, subject } = status;
    const told = [phase, way, code, subject].join(" ").trim();
    if (told === this.#reported || !REPORTED.includes(phase)) return;
    // Not before there is one to enter: the kernel may have to be asked for it.
    if (phase === "code" && (!status.to_enter || this.#byCode.ofKernel)) return;
    // The kernel's own words need not be told to it.
    if (phase === "failed" && status.message === this.#error) return;
    this.#reported = told;
    this.#tell(this.#ticket, phase as ReportedPhase, code ?? "", subject ?? "", way ?? "");
    // A failure may be the kernel's: its listener went with it.
    if (phase === "waiting" || phase === "code" || phase === "failed") this.#probeLater();
  }

  // Messages to the kernel leave in a turn of their own: none may come between the click and the popup, and a kernel found
  // lost ends the sign-in, which must not happen inside one of its own calls.

  #tell(ticket: string, phase: ReportedPhase, code: string, subject = "", way: Way | "" = ""): void {
    this.#reports += 1;
    const [page, number] = [this.#page, this.#reports];
    queueMicrotask(() => this.#kernel.send({ type: "report", ticket, page, number, phase, way, code, subject }));
  }

  #probeLater(): void {
    queueMicrotask(() => this.#kernel.probe());
  }

  #refuse(code: string, message: string, next: NextStep): void {
    if (this.#disposed) return;
    this.#unusable = { message, next };
    this.#failure = "";
    this.#tell(this.#model.get("ticket").id ?? "", "failed", code);
    this.#show();
  }

  readonly #onMessage = (content: unknown): void => {
    const message = fromKernel(content);
    switch (message?.type) {
      case "relay":
        if (message.ticket === this.#ticket) this.#signIn?.relay(message.sealed);
        break;
      case "registered":
        if (message.ticket === this.#ticket) this.#signIn?.registered(message.secret);
        break;
      case "link":
        if (message.ticket === this.#link?.ticket) {
          const { ticket, link, paste, problem } = message;
          this.#link = { ticket, byHand: { link, way: paste ? "paste" : "loopback", pasteProblem: problem } };
          this.#show();
        }
        break;
      case "qr":
        if (this.#byCode.drawn(message)) this.#show();
    }
  };

  #onKernelLost(): void {
    this.#signIn?.kernelLost();
    this.#endSignIn();
    this.#show();
  }

  #show(): void {
    const state = this.state;
    for (const view of this.#views) view(state);
  }
}
