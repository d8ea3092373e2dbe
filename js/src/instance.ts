/** The living WebAssembly of one model: loading it, and letting go of it when it trapped. */

import { webassembly_failed, webassembly_unavailable } from "tokentoss:sentences";
import { isForbidden, type Runtime } from "./load.ts";
import type { Unusable } from "./view_state.ts";

/** What comes of it. */
export interface InstanceEvents {
  started: () => void;
  failed: (reason: Unusable) => void;
  trapped: () => void;
}

/** What is shown when the WebAssembly trapped, or failed for another reason than that it is forbidden. */
export const FAILED: Unusable = { code: "webassembly_failed", message: webassembly_failed, next: "retry" };
const FORBIDDEN: Unusable = { code: "webassembly_unavailable", message: webassembly_unavailable, next: "reload" };

export class Instance {
  readonly #load: () => Promise<Runtime>;
  readonly #events: InstanceEvents;
  #runtime: Runtime | null = null;
  #disposed = false;

  constructor(load: () => Promise<Runtime>, events: InstanceEvents) {
    this.#load = load;
    this.#events = events;
  }

  /** The class of the WebAssembly, while it lives. */
  get SignIn(): Runtime["SignIn"] | null {
    return this.#runtime?.SignIn ?? null;
  }

  start(): void {
    this.#load().then(
      (runtime) => {
        if (this.#disposed) return;
        this.#runtime = runtime;
        runtime.onTrap.add(this.#onTrap);
        this.#events.started();
      },
      (reason) => {
        console.error("tokentoss cannot start:", reason);
        if (!this.#disposed) this.#events.failed(isForbidden(reason) ? FORBIDDEN : FAILED);
      },
    );
  }

  dispose(): void {
    this.#disposed = true;
    this.#runtime?.onTrap.delete(this.#onTrap);
  }

  readonly #onTrap = (): void => {
    this.#runtime = null;
    this.#events.trapped();
  };
}
