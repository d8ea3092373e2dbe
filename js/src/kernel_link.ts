/**
 * Whether the kernel still knows this widget.
 *
 * Three facts say that it does not, and none of them can be mistaken for a kernel that is merely busy:
 * - the host announces a restart: it triggers `comm_live_update`, which after construction only ever means "dead";
 * - sending throws, because the host disposed of the connection;
 * - the kernel has worked through a ping of ours (Jupyter's status went "idle" for it) and no pong came. That is a kernel
 *   that was started anew without an announcement, after a crash for instance. A busy kernel does not reach the ping.
 *
 * The kernel answers a ping with its whole state, too: what got lost while a connection was down is said again.
 * While a kernel starts, pings and statuses can get lost: silence is asked again, ever more rarely.
 */

import type { Connection } from "./model.ts";
import { fromKernel, type ToKernel } from "./traits.ts";

/** How long a pong may trail the "idle" of its ping, in milliseconds: they arrive on one connection, but not handled in one turn. */
const PONG_GRACE = 500;

/** Unanswered pings in a row that count: one alone may be a connection that dropped at the wrong moment. */
const STRIKES = 2;

/** How long silence lasts before the next ping, in milliseconds: at first, and at most; a busy kernel answers them all later. */
const FIRST_SILENCE = 3000;
const LONGEST_SILENCE = 60_000;

export class KernelLink {
  readonly #model: Connection;
  readonly #onLost: () => void;
  readonly #onAgain: () => void;
  #unanswered = 0;
  /** Whether a ping has found no answer since the last pong: a connection may have been down. */
  #silent = false;
  #awaited = 0;
  #again: ReturnType<typeof setTimeout> | undefined;
  #lost = false;

  /** `onAgain` is called when the kernel is heard of again after a silence. */
  constructor(model: Connection, onLost: () => void, onAgain: () => void = () => {}) {
    this.#model = model;
    this.#onLost = onLost;
    this.#onAgain = onAgain;
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
    this.#ping(FIRST_SILENCE);
  }

  #ping(silence: number): void {
    if (this.#lost) return;
    const id = Math.floor(Math.random() * 2 ** 32);
    this.#awaited = id;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      this.#silent = true;
      this.#ping(Math.min(2 * silence, LONGEST_SILENCE));
    }, silence);
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
    this.#rest();
    this.#onLost();
  };

  dispose(): void {
    // A message may still be about to leave; asking for an answer to it would never end.
    this.#lost = true;
    this.#rest();
    this.#model.off("comm_live_update", this.lose);
    this.#model.off("msg:custom", this.#onMessage);
  }

  readonly #onMessage = (content: unknown): void => {
    const message = fromKernel(content);
    if (message?.type !== "pong" || message.id !== this.#awaited) return;
    this.#rest();
    this.#unanswered = 0;
    const again = this.#silent;
    this.#silent = false;
    if (again) this.#onAgain();
  };

  #rest(): void {
    this.#awaited = 0;
    clearTimeout(this.#again);
  }
}
