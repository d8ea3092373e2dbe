/** Carries out what a sign-in asks of the page, apart from what it wants shown. */

import type { FlowEvent } from "tokentoss:glue";
import type { Envelope } from "./envelope.ts";
import type { KernelLink } from "./kernel_link.ts";
import type { SignInByCode } from "./sign_in_by_code.ts";
import type { Status } from "./status_view.ts";

/** Carries out an event of the sign-in on this ticket. */
export function carryOut(
  event: Exclude<FlowEvent, Status>,
  ticket: string,
  envelope: Envelope,
  kernel: KernelLink,
  byCode: SignInByCode,
): void {
  switch (event.type) {
    case "deliver":
      envelope.deliver(ticket, event.envelope);
      break;
    case "clear_envelope":
      envelope.takeBack();
      break;
    case "introduce":
    case "register":
      queueMicrotask(() => kernel.send(event));
      break;
    case "ask_kernel_for_code":
      byCode.askKernel();
      break;
    case "drop_kernel_code":
      byCode.dropKernelCode();
  }
}
