import type { DeviceCode } from "./traits.ts";

/** What a view shows; one value at a time, so that no two parts of a view can contradict each other. */
export type ViewState =
  | { kind: "loading" }
  | { kind: "ready" }
  /** `problem` is a sentence when something looks wrong though the sign-in still waits: the popup seems closed, say. */
  | { kind: "waiting"; link: string | null; problem: string | null }
  /** A code is on its way, or there to be entered on another device. */
  | { kind: "code"; code: DeviceCode | null }
  | { kind: "signing_in" }
  | { kind: "handing_over" }
  /** `said` is how Python puts it: who, and what is unusual about it. */
  | { kind: "signed_in"; said: string }
  | { kind: "signing_out"; account: string }
  /** `message` is a sentence with the next step; `link` opens the sign-in page by hand. */
  | { kind: "failed"; message: string; link: string | null; retry: boolean }
  | { kind: "kernel_gone" };
