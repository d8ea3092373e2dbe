/** What views show of a status that the WebAssembly tells. */

import type { FlowEvent } from "tokentoss:glue";
import type { Problem } from "./problem.ts";
import type { ByHand, ViewState } from "./view_state.ts";

export type Status = Extract<FlowEvent, { type: "status" }>;

/** What the user can do where the browser cannot, if anything. */
export function byHandOf(status: Status | null): ByHand | null {
  const { link, way, paste_problem } = status ?? {};
  return link ? { link, way: way ?? "loopback", pasteProblem: paste_problem ?? null } : null;
}

/** What went wrong, or looks as if it had, if anything. */
export function problemOf({ code, message }: Status): Problem | null {
  return message ? { code: code ?? "", message } : null;
}

/** What is shown of a sign-in that is under way by window; null for any other. */
export function underWayOf(status: Status | null): ViewState | null {
  const byHand = byHandOf(status);
  switch (status?.phase) {
    case "waiting":
      return byHand && { kind: "waiting", problem: problemOf(status), byHand };
    case "signing_in":
      return { kind: "signing_in" };
    case "handing_over":
    case "done":
      return { kind: "handing_over" };
    default:
      return null;
  }
}

/** Whether the kernel is to take what the sign-in brought. */
export function isHandingOver(status: Status | null): boolean {
  return status?.phase === "handing_over" || status?.phase === "done";
}

/** Whether the sign-in, and not the kernel, has the word. */
export function isUnderWay(status: Status | null): boolean {
  const phase = status?.phase;
  return phase === "waiting" || phase === "code" || phase === "signing_in" || phase === "handing_over";
}
