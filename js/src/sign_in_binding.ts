/**
 * Binds a traitlets model to the sign-in of the WebAssembly: one binding per model, however many views it has.
 *
 * It decides nothing about the protocol. It carries the ticket in, events and envelopes out, and derives what views show.
 */

import type { FlowEvent, SignIn } from "tokentoss:glue";
import { AccountChoice } from "./account_choice.ts";
import { carryOut } from "./effects.ts";
import { Envelope } from "./envelope.ts";
import { FAILED, Instance } from "./instance.ts";
import { KernelLink } from "./kernel_link.ts";
import { hear } from "./kernel_messages.ts";
import { KernelVerdict } from "./kernel_verdict.ts";
import { Lasting } from "./lasting.ts";
import type { Runtime } from "./load.ts";
import type { Model } from "./model.ts";
import { NO_PROBLEM, type Problem } from "./problem.ts";
import { Reports } from "./reports.ts";
import { SignInAtBroker } from "./sign_in_at_broker.ts";
import { SignInByCode } from "./sign_in_by_code.ts";
import { SignInByLink } from "./sign_in_by_link.ts";
import { viewStateOf } from "./standing.ts";
import { isHandingOver, isUnderWay, problemOf, type Status } from "./status_view.ts";
import { pageLanguage, sentenceIn } from "./texts.ts";
import { isTicket } from "./traits.ts";
import type { Unusable, ViewState } from "./view_state.ts";
import { watch } from "./watch.ts";

const WATCHED = [
  "ticket",
  "broker",
  "acknowledged",
  "status",
  "error",
  "notice",
  "choice",
  "user_email",
  "is_authenticated",
  "code",
] as const;

export class SignInBinding {
  readonly #model: Model;
  readonly #instance: Instance;
  readonly #kernel: KernelLink;
  readonly #verdict: KernelVerdict;
  readonly #byCode: SignInByCode;
  readonly #byLink: SignInByLink;
  readonly #atBroker: SignInAtBroker;
  /** Using another account. */
  readonly accounts: AccountChoice;
  readonly #reports: Reports;
  readonly #envelope: Envelope;
  readonly #handOver = new Lasting(() => this.#show());
  readonly #views = new Set<(state: ViewState) => void>();

  #signIn: SignIn | null = null;
  #ticket = "";
  #status: Status | null = null;
  /** What to show while no sign-in is under way; empty for nothing. */
  #failure: Problem;
  /** The WebAssembly cannot start, or does not accept the ticket: there is nothing to click. */
  #unusable: Unusable | null = null;
  #signingOut = false;
  readonly #unwatch: () => void;
  #disposed = false;

  constructor(model: Model, load: () => Promise<Runtime>) {
    this.#model = model;
    this.#instance = new Instance(load, {
      started: () => this.#sync(),
      failed: (reason) => this.#refuse(reason),
      trapped: () => this.#onTrap(),
    });
    this.#verdict = new KernelVerdict(model);
    this.#failure = this.#reported(this.#verdict.error);
    this.#kernel = new KernelLink(
      model,
      () => this.#onKernelLost(),
      () => {
        this.#signIn?.connected();
        this.#atBroker.introduce();
      },
    );
    this.#byCode = new SignInByCode(model, this.#kernel);
    this.#byLink = new SignInByLink(model, this.#kernel);
    this.#atBroker = new SignInAtBroker(model, this.#kernel, () => this.#show());
    this.accounts = new AccountChoice(model, this.#kernel);
    this.#reports = new Reports(this.#kernel);
    this.#envelope = new Envelope(model, this.#kernel);
    this.#unwatch = watch(model, WATCHED, () => this.#sync());
    model.on("msg:custom", this.#onMessage);
    const language = pageLanguage();
    if (language) this.#kernel.send({ type: "language", language });
    this.#start();
  }

  /** What views show now. */
  get state(): ViewState {
    const atBroker = this.#atBroker.isUsed;
    const offered = this.#atBroker.offer !== null;
    return viewStateOf({
      kernelLost: this.#kernel.lost,
      signingOut: this.#signingOut,
      account: this.#model.get("user_email"),
      signedIn:
        this.#model.get("is_authenticated") && !this.#model.get("ticket").id && !offered
          ? this.#model.get("status")
          : null,
      code: this.#byCode.shown(this.#status),
      link: this.#byLink.shown,
      unusable: atBroker ? null : this.#unusable,
      failure: this.#failure,
      notice: this.#model.get("notice") ?? "",
      status: this.#latest,
      handsOverLong: this.#handOver.isLong,
      canRetry: atBroker || this.#signIn !== null || (this.#instance.SignIn !== null && !this.#ticket),
      isReady: offered || this.#signIn !== null,
    });
  }

  /** Calls `view` with every new state until the returned function is called. */
  subscribe(view: (state: ViewState) => void): () => void {
    this.#views.add(view);
    return () => this.#views.delete(view);
  }

  /** The click: the popup opens inside this call. */
  signIn(): void {
    if (this.#atBroker.signIn()) {
      this.#failure = NO_PROBLEM;
      this.#show();
    } else if (this.#unusable?.next === "retry" && !this.#atBroker.isUsed) {
      this.#unusable = null;
      this.#start();
    } else if (!this.#ticket) {
      this.#kernel.send({ type: "ask_for_ticket" });
      this.#kernel.probe();
    } else {
      this.#signIn?.signIn();
    }
  }

  cancel(): void {
    if (this.#atBroker.cancel() || this.#byCode.drop(this.#status) || this.#byLink.drop()) this.#show();
    else this.#signIn?.cancel();
  }

  /** Whether the user can sign in with a code on another device. */
  get offersCode(): boolean {
    return this.#model.get("offers_code");
  }

  /** The user wants a code to enter on another device. */
  askForCode(): void {
    this.#failure = NO_PROBLEM;
    if (this.#signIn) this.#signIn.askForCode();
    else this.#byCode.askWithoutSignIn();
    this.#show();
  }

  /** Whether the kernel can run the sign-in, because this page cannot. */
  get offersLink(): boolean {
    return this.#unusable !== null && !this.#instance.SignIn && this.#model.get("ticket").id !== undefined;
  }

  /** The user wants a link, behind which the kernel runs the sign-in. */
  askForLink(): void {
    this.#failure = NO_PROBLEM;
    this.#byLink.ask();
    this.#show();
  }

  /** The user opened the sign-in page by hand. */
  linkFollowed(): void {
    this.#atBroker.linkFollowed();
    this.#signIn?.linkFollowed();
  }

  /** The user copies the link, to open it in another browser; the result is what to copy. */
  linkCopied(): string {
    this.#signIn?.linkCopied();
    return (this.#byLink.shown ?? this.#latest)?.link ?? "";
  }

  /** The user pasted the address of the page that the sign-in ended on. */
  paste(address: string): void {
    if (this.#atBroker.paste(address) || this.#byLink.paste(address)) this.#show();
    else this.#signIn?.paste(address);
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
    this.#unwatch();
    this.#model.off("msg:custom", this.#onMessage);
    this.#instance.dispose();
    this.#signIn?.cancel(); // and closes the popup
    this.#endSignIn();
    this.#atBroker.dispose();
    this.#handOver.stop();
    this.#views.clear();
  }

  /** Where the sign-in stands that the user has to do with. */
  get #latest(): Status | null {
    const { status } = this.#atBroker;
    return status ? this.#spoken(status) : this.#status;
  }

  /** The kernel's error; its code came in the same message. */
  #reported(message: string): Problem {
    return message ? { code: this.#model.get("error_code"), message } : NO_PROBLEM;
  }

  #start(): void {
    this.#show();
    this.#instance.start();
  }

  #sync(): void {
    if (this.#disposed || this.#kernel.lost) return;
    const model = this.#model;
    if (this.#verdict.acknowledges(this.#ticket)) {
      this.#signIn?.acknowledge(this.#ticket, model.get("error_code"), model.get("error"));
    }
    const error = this.#verdict.newError();
    if (error !== null) {
      this.#signingOut = false;
      // The kernel takes back what it said last before it begins anew: that is no answer.
      if (error) {
        this.#byCode.settle();
        if (this.#status?.phase === "code") this.#signIn?.kernelCodeFailed(model.get("error_code"), error);
      }
      if (!isUnderWay(this.#status)) this.#failure = this.#reported(error);
    }
    this.#byLink.sync();
    this.#atBroker.sync();
    if (!model.get("is_authenticated")) this.#signingOut = false;
    this.#byCode.sync();
    this.#renew();
    if (this.#signIn) this.#byCode.tell(this.#signIn);
    this.#show();
  }

  /** Makes a sign-in of the outstanding ticket, unless it has one. */
  #renew(): void {
    const ticket = this.#model.get("ticket");
    const id = ticket.id ?? "";
    const { SignIn } = this.#instance;
    if (!SignIn || id === this.#ticket) return;
    this.#endSignIn();
    this.#ticket = id;
    this.#unusable = null;
    this.#reports.restart();
    if (!isTicket(ticket)) return;
    try {
      this.#signIn = new SignIn(ticket, (event) => this.#onEvent(id, event));
      this.#signIn.connected();
    } catch (reason) {
      if (this.#unusable) return; // it trapped
      const { code, message } = reason as Error & { code?: string };
      this.#refuse({ code: code ?? "ticket_invalid", message, next: "cell" });
    }
  }

  /** The sign-in went with the instance; a page that was not in one gets its next instance at once. */
  #onTrap(): void {
    // Without `free()`, which would work on what the trap left.
    this.#signIn = null;
    const wanted = this.#ticket !== "";
    this.#ticket = "";
    this.#endSignIn();
    if (wanted) this.#refuse(FAILED);
    else this.#start();
  }

  #endSignIn(): void {
    this.#signIn?.free();
    this.#signIn = null;
    this.#status = null;
    this.#byCode.forget();
    this.#envelope.clear();
  }

  #onEvent(ticket: string, event: FlowEvent): void {
    if (this.#disposed || ticket !== this.#ticket) return;
    if (event.type === "status") this.#onStatus(ticket, this.#spoken(event));
    else carryOut(event, ticket, this.#envelope, this.#kernel, this.#byCode);
  }

  /** The same in the page's language; what the kernel said is in it already. */
  #spoken(status: Status): Status {
    const texts = this.#model.get("texts");
    const { code, message, subject, paste_code, paste_problem } = status;
    const said = (code: string | null, english: string | null, subject?: string | null) =>
      english && english !== this.#model.get("error") ? sentenceIn(texts, code ?? "", english, subject) : english;
    return { ...status, message: said(code, message, subject), paste_problem: said(paste_code, paste_problem) };
  }

  #onStatus(ticket: string, status: Status): void {
    const { phase } = status;
    this.#status = status;
    this.#byCode.draw(status);
    if (phase === "waiting" || phase === "code") this.#failure = NO_PROBLEM;
    if (phase === "failed") this.#failure = problemOf(status) ?? NO_PROBLEM;
    if (phase === "failed" || phase === "done") this.#envelope.clear();
    if (this.#verdict.acknowledged !== ticket) {
      this.#reports.tell(ticket, status, this.#byCode.ofKernel, this.#verdict.error);
      // The popup says so; what the kernel said of it may be lost.
      if (phase === "done") queueMicrotask(() => this.#kernel.probe());
    }
    this.#show();
  }

  #refuse(reason: Unusable): void {
    if (this.#disposed) return;
    this.#unusable = { ...reason, message: sentenceIn(this.#model.get("texts"), reason.code, reason.message) };
    this.#failure = NO_PROBLEM;
    this.#reports.refused(this.#model.get("ticket").id ?? "", reason.code);
    this.#show();
  }

  readonly #onMessage = (content: unknown): void => {
    if (hear(content, this.#ticket, this.#signIn, this.#byCode, this.#byLink, this.#atBroker)) this.#show();
  };

  #onKernelLost(): void {
    this.#signIn?.kernelLost();
    this.#endSignIn();
    this.#show();
  }

  #show(): void {
    this.#handOver.follow(isHandingOver(this.#latest));
    const state = this.state;
    for (const view of this.#views) view(state);
  }
}
