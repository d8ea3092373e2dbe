/**
 * Binds a traitlets model to the form for a client: one binding per model, however many views it has.
 *
 * What the user entered is sealed in the call in which it comes, and only its sealed form is kept, until Python decided on it.
 */

import { configuration_unsealed, webassembly_failed, webassembly_unavailable } from "tokentoss:sentences";
import type { ConfigureState } from "./configure_state.ts";
import type { ConfigureTraits } from "./configure_traits.ts";
import { isForbidden } from "./forbidden.ts";
import { KernelLink } from "./kernel_link.ts";
import type { Sealer } from "./load_sealer.ts";
import type { ModelOf } from "./model.ts";
import { NO_PROBLEM, type Problem } from "./problem.ts";
import { pageLanguage, sentenceIn } from "./texts.ts";
import { watch } from "./watch.ts";

export type ConfigureModel = ModelOf<ConfigureTraits>;

const WATCHED = ["acknowledged", "configured", "error", "status"] as const;

/** First and longest pause before a sealed client is sent again, in milliseconds; Python takes it once at most. */
const RESEND = { first: 2000, longest: 30_000 };

export class ConfigureBinding {
  readonly #model: ConfigureModel;
  readonly #load: () => Promise<Sealer>;
  readonly #kernel: KernelLink;
  readonly #views = new Set<(state: ConfigureState) => void>();

  #sealer: Sealer | null = null;
  /** The ticket that was answered and not yet decided on; "" for none. */
  #pending = "";
  #resending: ReturnType<typeof setTimeout> | undefined;
  #problem: Problem;
  #unusable: Problem | null = null;
  /** The user wants to set up another client after one was installed. */
  #again = false;
  readonly #unwatch: () => void;
  #disposed = false;

  constructor(model: ConfigureModel, load: () => Promise<Sealer>) {
    this.#model = model;
    this.#load = load;
    this.#problem = this.#reported;
    this.#kernel = new KernelLink(model, () => this.#onKernelLost());
    this.#unwatch = watch(model, WATCHED, () => this.#sync());
    const language = pageLanguage();
    if (language) this.#kernel.send({ type: "language", language });
    this.#start();
  }

  /** What views show now. */
  get state(): ConfigureState {
    if (this.#kernel.lost) return { kind: "kernel_gone" };
    if (this.#unusable) return { kind: "unusable", ...this.#unusable };
    if (this.#pending) return { kind: "sending" };
    if (this.#model.get("configured") && !this.#again) {
      return { kind: "configured", message: this.#model.get("status"), client: this.#model.get("client_id") };
    }
    return { kind: "editing", ready: this.#sealer !== null, problem: this.#problem };
  }

  /** Client ID of the client that is installed now, or "". */
  get currentClient(): string {
    return this.#model.get("current_client");
  }

  /** What the form starts with. */
  get initial(): { clientId: string; projectId: string } {
    return { clientId: this.#model.get("client_id"), projectId: this.#model.get("project_id") };
  }

  /** Calls `view` with every new state until the returned function is called. */
  subscribe(view: (state: ConfigureState) => void): () => void {
    this.#views.add(view);
    return () => this.#views.delete(view);
  }

  /** Seals what was typed in before it returns. */
  submitCredentials(clientId: string, clientSecret: string, projectId: string): void {
    const { id, public_key } = this.#model.get("ticket");
    this.#send(id, this.#sealer?.sealCredentials(id, public_key, clientId, clientSecret, projectId));
  }

  /** Seals a file's bytes and wipes them before it returns. */
  submitFile(name: string, content: Uint8Array): void {
    const { id, public_key } = this.#model.get("ticket");
    const sealed = this.#sealer?.sealFile(id, public_key, name, content);
    content.fill(0);
    this.#send(id, sealed);
  }

  /** Offers the form again after a client was installed. */
  again(): void {
    this.#again = true;
    this.#show();
  }

  /** A view found that its host counts the model as disconnected. */
  kernelLost(): void {
    this.#kernel.lose();
  }

  /** Lets go of the model. */
  dispose(): void {
    this.#disposed = true;
    this.#settle();
    this.#kernel.dispose();
    this.#unwatch();
    this.#views.clear();
  }

  #start(): void {
    this.#load().then(
      (sealer) => {
        this.#sealer = sealer;
        this.#show();
      },
      (reason) => {
        console.error("tokentoss cannot start:", reason);
        this.#unusable = isForbidden(reason)
          ? this.#spoken("webassembly_unavailable", webassembly_unavailable)
          : this.#spoken("webassembly_failed", webassembly_failed);
        this.#show();
      },
    );
  }

  #send(ticket: string, sealed: string | undefined): void {
    if (this.#pending || this.#kernel.lost) return;
    if (sealed === undefined) {
      this.#problem = this.#spoken("configuration_unsealed", configuration_unsealed);
    } else {
      this.#pending = ticket;
      this.#problem = NO_PROBLEM;
      this.#again = false;
      this.#deliver(sealed, RESEND.first);
    }
    this.#show();
  }

  /** The model sends only what changed, so the trait is emptied first: a message that got lost is sent again like this. */
  #deliver(sealed: string, pause: number): void {
    this.#model.set("sealed_configuration", "");
    this.#model.set("sealed_configuration", sealed);
    this.#model.save_changes();
    this.#resending = setTimeout(() => this.#deliver(sealed, Math.min(2 * pause, RESEND.longest)), pause);
    // Last, because a kernel found lost ends the sending.
    this.#kernel.probe();
  }

  #sync(): void {
    if (this.#pending && this.#model.get("acknowledged") === this.#pending) this.#settle();
    if (!this.#pending) this.#problem = this.#reported;
    this.#show();
  }

  #spoken(code: string, english: string): Problem {
    return { code, message: sentenceIn(this.#model.get("texts"), code, english) };
  }

  get #reported(): Problem {
    return { code: this.#model.get("error_code"), message: this.#model.get("error") };
  }

  #onKernelLost(): void {
    this.#settle();
    this.#show();
  }

  /** Nothing is under way any more; a sealed client that nobody took must not stay in the model, which may be saved. */
  #settle(): void {
    clearTimeout(this.#resending);
    this.#pending = "";
    if (this.#model.get("sealed_configuration")) this.#model.set("sealed_configuration", "");
  }

  #show(): void {
    if (this.#disposed) return;
    const state = this.state;
    for (const view of this.#views) view(state);
  }
}
