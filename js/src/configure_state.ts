import type { Problem } from "./problem.ts";

/** What a view of the form shows; one value at a time. */
export type ConfigureState =
  /** `problem` is why the latest attempt failed; empty when there was none. */
  | { kind: "editing"; ready: boolean; problem: Problem }
  | { kind: "sending" }
  /** `message` says where the client was stored. */
  | { kind: "configured"; message: string; client: string }
  /** The WebAssembly cannot start. */
  | ({ kind: "unusable" } & Problem)
  | { kind: "kernel_gone" };
