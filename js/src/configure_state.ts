/** What a view of the form shows; one value at a time. */
export type ConfigureState =
  /** `problem` is the sentence of the latest failure, or "". */
  | { kind: "editing"; ready: boolean; problem: Problem }
  | { kind: "sending" }
  /** `message` says where the client was stored. */
  | { kind: "configured"; message: string; client: string }
  /** The WebAssembly cannot start. */
  | { kind: "unusable"; message: string }
  | { kind: "kernel_gone" };

/** Why the latest attempt failed; empty when there was none. */
export interface Problem {
  code: string;
  message: string;
}
