/**
 * Whether the kernel still knows this widget.
 *
 * Three facts say that it does not, and none of them can be mistaken for a kernel that is merely busy:
 * - the host announces a restart: it triggers `comm_live_update`, which after construction only ever means "dead";
 * - sending throws, because the host disposed of the connection;
 * - the kernel has worked through a ping of ours (Jupyter's status went "idle" for it) and no pong came. That is a kernel
 *   that was started anew without an announcement, after a crash for instance. A busy kernel does not reach the ping.
 */

import type { Connection } from "./model.ts";
import { fromKernel, type ToKernel } from "./traits.ts";

/** How long a pong may trail the "idle" of its ping, in milliseconds: they arrive on one connection, but not handled in one turn. */
const PONG_GRACE = 500;

/** Unanswered pings in a row that count: one alone may be a connection that dropped at the wrong moment. */
const STRIKES = 2;

export class KernelLink {
  readonly #model: Connection;
  readonly #onLost: () => void;
  #unanswered = 0;
  #awaited = 0;
  #lost = false;

  constructor(model: Connection, onLost: () => void) {
    this.#model = model;
    this.#onLost = onLost;
    model.on("comm_live_update", this.lose);
    model.on("msg:custom", this.#onMessage);
  }

  /** Whether the kernel is known to be gone; it stays so, because a restarted kernel makes a new model. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Sends a message; a host that refuses it has lost the kernel. */
  send(message: ToKernel, onIdle?: () => void): void {
    if (this.#lost) return;
    try {
      this.#model.send(
        message,
        onIdle && {
          iopub: {
            status: ({ content }) => {
              if (content.execution_state === "idle") onIdle();
            },
          },
        },
      );
    } catch {
      this.lose();
    }
  }

  /** Asks the kernel whether it still knows this widget. */
  probe(): void {
    const id = Math.floor(Math.random() * 2 ** 32);
    this.#awaited = id;
    this.send({ type: "ping", id }, () => {
      setTimeout(() => {
        if (this.#awaited !== id) return;
        this.#unanswered += 1;
        if (this.#unanswered < STRIKES) this.probe();
        else this.lose();
      }, PONG_GRACE);
    });
  }

  /** Also called by a view that the host marks as disconnected: a model restored from a saved notebook has no kernel. */
  readonly lose = (): void => {
    if (this.#lost) return;
    this.#lost = true;
    this.#onLost();
  };

  dispose(): void {
    this.#awaited = 0;
    this.#model.off("comm_live_update", this.lose);
    this.#model.off("msg:custom", this.#onMessage);
  }

  readonly #onMessage = (content: unknown): void => {
    const message = fromKernel(content);
    if (message?.type !== "pong" || message.id !== this.#awaited) return;
    this.#awaited = 0;
    this.#unanswered = 0;
  };
}
