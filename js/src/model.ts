/** The part of a host's widget model that the binding needs; JupyterLab, marimo and others all offer it. */

import type { ToKernel, Traits } from "./traits.ts";

/** Jupyter's callbacks for the messages that answer one of ours; hosts without them ignore the argument. */
export interface MessageCallbacks {
  iopub: { status: (message: { content: { execution_state: string } }) => void };
}

/** What a model gives besides its traits. */
export interface Connection {
  send(content: ToKernel, callbacks?: MessageCallbacks): void;
  on(event: string, callback: (...values: unknown[]) => void): void;
  off(event: string, callback: (...values: unknown[]) => void): void;
}

/** A traitlets model with the traits `T`. */
export interface ModelOf<T> extends Connection {
  get<K extends keyof T>(trait: K): T[K];
  set<K extends keyof T>(trait: K, value: T[K]): void;
  save_changes(): void;
}

/** The model of the sign-in widget. */
export type Model = ModelOf<Traits>;
