/** Derives the one thing that views show from where everything stands. */

import type { Problem } from "./problem.ts";
import { byHandOf, type Status, underWayOf } from "./status_view.ts";
import type { DeviceCode } from "./traits.ts";
import type { ByHand, Unusable, ViewState } from "./view_state.ts";

/** Where everything stands that a view may show, at one moment. */
export interface Standing {
  kernelLost: boolean;
  signingOut: boolean;
  account: string;
  /** How Python says who is signed in; null while nobody is, or while an outstanding ticket asks for more. */
  signedIn: string | null;
  /** A code to enter elsewhere; null while it is on its way, undefined for none. */
  code: DeviceCode | null | undefined;
  /** A sign-in that the kernel runs; null while its link is on its way, undefined for none. */
  link: ByHand | null | undefined;
  unusable: Unusable | null;
  /** What to show while no sign-in is under way; empty for nothing. */
  failure: Problem;
  /** What there is to know before a sign-in; "" for nothing. */
  notice: string;
  status: Status | null;
  /** Whether a hand-over takes long enough to say so. */
  handsOverLong: boolean;
  /** Whether a click can start anything after a failure; without a ticket, the kernel is asked for one. */
  canRetry: boolean;
  isReady: boolean;
}

/** What views show; the first thing that applies. */
export function viewStateOf(standing: Standing): ViewState {
  const { account, code, failure, link, signedIn, status, unusable } = standing;
  if (standing.kernelLost) return { kind: "kernel_gone" };
  if (standing.signingOut) return { kind: "signing_out", account };
  if (signedIn !== null) return { kind: "signed_in", said: signedIn };
  if (code !== undefined) return { kind: "code", code };
  if (link !== undefined) return { kind: "link", byHand: link };
  if (unusable) {
    // How another way ended comes first.
    const { code, message } = failure.message ? failure : unusable;
    return { kind: "failed", code, message, byHand: null, next: unusable.next };
  }
  const underWay = underWayOf(status);
  if (underWay?.kind === "handing_over" && !standing.handsOverLong) return { kind: "signing_in" };
  if (underWay) return underWay;
  if (failure.message) {
    const next = standing.canRetry ? "retry" : null;
    return { kind: "failed", ...failure, next, byHand: byHandOf(status) };
  }
  if (!standing.isReady) return { kind: "loading" };
  return standing.notice ? { kind: "ready", notice: standing.notice } : { kind: "ready" };
}
