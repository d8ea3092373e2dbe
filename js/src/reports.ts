/** What the kernel is told of where a sign-in stands: each thing once, and numbered. */

import type { KernelLink } from "./kernel_link.ts";
import type { Status } from "./status_view.ts";
import type { ReportedPhase, Way } from "./traits.ts";

const REPORTED: readonly string[] = ["ready", "waiting", "code", "signing_in", "failed"] satisfies ReportedPhase[];

/** The kernel knows the first phase of every sign-in. */
const FIRST = "ready";

export class Reports {
  readonly #kernel: KernelLink;
  readonly #page = Math.random();
  #number = 0;
  #last = FIRST;

  constructor(kernel: KernelLink) {
    this.#kernel = kernel;
  }

  /** A new sign-in begins. */
  restart(): void {
    this.#last = FIRST;
  }

  /** Tells of a status, unless it was told last, or is the kernel's own: its code, or the error that it published. */
  tell(ticket: string, status: Status, isKernelsCode: boolean, kernelsError: string): void {
    const { phase, way, code, subject, message, to_enter } = status;
    // Not before there is a user code to enter: the kernel may have to be asked for it.
    if (phase === "code" && (!to_enter || isKernelsCode)) return;
    if (phase === "failed" && message === kernelsError) return;
    const told = [phase, way, code, subject].join(" ").trim();
    if (told === this.#last || !REPORTED.includes(phase)) return;
    this.#last = told;
    this.#send(ticket, phase as ReportedPhase, code ?? "", subject ?? "", way ?? "");
    // A failure may be the kernel's: its listener went with it.
    if (phase === "waiting" || phase === "code" || phase === "failed") queueMicrotask(() => this.#kernel.probe());
  }

  /** Tells that no sign-in can be made of a ticket, with the stable error code. */
  refused(ticket: string, code: string): void {
    this.#send(ticket, "failed", code, "", "");
  }

  /** In a turn of its own: nothing may come between the click and the popup, and a kernel found lost ends the sign-in. */
  #send(ticket: string, phase: ReportedPhase, code: string, subject: string, way: Way | ""): void {
    this.#number += 1;
    const [page, number] = [this.#page, this.#number];
    queueMicrotask(() => this.#kernel.send({ type: "report", ticket, page, number, phase, way, code, subject }));
  }
}
