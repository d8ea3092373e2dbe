/** The part of a host's widget model that the binding needs; JupyterLab, marimo and others all offer it. */

import type { ToKernel, Traits } from "./traits.ts";

/** Jupyter's callbacks for the messages that answer one of ours; hosts without them ignore the argument. */
export interface MessageCallbacks {
  iopub: { status: (message: { content: { execution_state: string } }) => void };
}

/** A traitlets model. */
export interface Model {
  get<K extends keyof Traits>(trait: K): Traits[K];
  set<K extends keyof Traits>(trait: K, value: Traits[K]): void;
  save_changes(): void;
  send(content: ToKernel, callbacks?: MessageCallbacks): void;
  on(event: string, callback: (...values: unknown[]) => void): void;
  off(event: string, callback: (...values: unknown[]) => void): void;
}
