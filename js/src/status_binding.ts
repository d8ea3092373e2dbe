/** Binds a traitlets model to the status of a session: one binding per model, however many views it has. */

import { AccountChoice } from "./account_choice.ts";
import { KernelLink } from "./kernel_link.ts";
import type { ModelOf } from "./model.ts";
import type { Session, StatusTraits } from "./status_traits.ts";
import { pageLanguage } from "./texts.ts";
import { watch } from "./watch.ts";

export type StatusModel = ModelOf<StatusTraits>;

const WATCHED = ["session", "notice", "busy", "choice", "sign_in_widget"] as const;

/** What a view shows. */
export interface StatusState {
  /** The kernel is gone, and with it whatever it knew. */
  lost: boolean;
  session: Session;
  notice: string;
  busy: boolean;
  /** The model of the sign-in widget to show, or "". */
  signIn: string;
}

export class StatusBinding {
  /** Using another account. */
  readonly accounts: AccountChoice;
  readonly #model: StatusModel;
  readonly #kernel: KernelLink;
  readonly #views = new Set<(state: StatusState) => void>();
  readonly #unwatch: () => void;
  #disposed = false;

  constructor(model: StatusModel) {
    this.#model = model;
    this.#kernel = new KernelLink(model, () => this.#show());
    this.accounts = new AccountChoice(model, this.#kernel);
    this.#unwatch = watch(model, WATCHED, () => this.#show());
    const language = pageLanguage();
    if (language) this.#kernel.send({ type: "language", language });
    // What the host kept of it may be old.
    this.#kernel.probe();
  }

  /** What views show now. */
  get state(): StatusState {
    const model = this.#model;
    return {
      lost: this.#kernel.lost,
      session: model.get("session"),
      notice: model.get("notice"),
      busy: model.get("busy"),
      signIn: model.get("sign_in_widget"),
    };
  }

  /** Calls `view` with every new state until the returned function is called. */
  subscribe(view: (state: StatusState) => void): () => void {
    this.#views.add(view);
    return () => this.#views.delete(view);
  }

  refresh(): void {
    this.#kernel.send({ type: "refresh" });
    this.#kernel.probe();
  }

  /** The user wants to sign in, with another account if somebody is signed in. */
  signIn(): void {
    this.#kernel.send({ type: "sign_in" });
    this.#kernel.probe();
  }

  signOut(): void {
    this.#kernel.send({ type: "sign_out" });
    this.#kernel.probe();
  }

  /** What is shown may be over by the clock: the kernel says what is so. */
  ask(): void {
    this.#kernel.probe();
  }

  /** A view found that its host counts the model as disconnected. */
  kernelLost(): void {
    this.#kernel.lose();
  }

  /** Lets go of the model. */
  dispose(): void {
    this.#disposed = true;
    this.#kernel.dispose();
    this.#unwatch();
    this.#views.clear();
  }

  #show(): void {
    if (this.#disposed) return;
    const { state } = this;
    for (const view of this.#views) view(state);
  }
}
