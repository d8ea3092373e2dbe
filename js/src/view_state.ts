import type { Problem } from "./problem.ts";
import type { DeviceCode, Way } from "./traits.ts";

/** What a view shows; one value at a time, so that no two parts of a view can contradict each other. */
export type ViewState =
  | { kind: "loading" }
  /** `notice` is what there is to know first. */
  | { kind: "ready"; notice?: string }
  /** `problem` is there when something looks wrong though the sign-in still waits: the popup seems closed, say. */
  | { kind: "waiting"; problem: Problem | null; byHand: ByHand }
  /** A code is on its way, or there to be entered on another device. */
  | { kind: "code"; code: DeviceCode | null }
  /** The kernel runs the sign-in: its link is on its way, or there to be followed. */
  | { kind: "link"; byHand: ByHand | null }
  | { kind: "signing_in" }
  /** Only if it takes a while. */
  | { kind: "handing_over" }
  /** `said` is how Python puts it: who, and what is unusual about it. */
  | { kind: "signed_in"; said: string }
  | { kind: "signing_out"; account: string }
  /** `next` is the sentence's next step as a control; null while that gets ready. */
  | ({ kind: "failed"; next: NextStep | null; byHand: ByHand | null } & Problem)
  | { kind: "kernel_gone" };

/** "cell" is a step that only the user can take: to change the code, or to run it again. */
export type NextStep = "retry" | "reload" | "cell";

/** Why nothing can be clicked. */
export interface Unusable extends Problem {
  next: NextStep;
}

/** What the user can do where the browser cannot. */
export interface ByHand {
  /** What to open. */
  link: string;
  /** How the answer comes back, if all goes well. */
  way: Way;
  /** What is wrong with the address that was pasted last, as a sentence. */
  pasteProblem: string | null;
}
