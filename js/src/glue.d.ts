/** The module `tokentoss:glue` that scripts/build.mjs makes; class and types come from the declaration that is made of the Rust types. */

import type { SignIn } from "./generated/tokentoss_wasm.d.ts";

export type { CodeToEnter, FlowEvent, Phase, SignIn, TicketData, Way } from "./generated/tokentoss_wasm.d.ts";

/** The glue of one instance. */
export interface Glue {
  SignIn: typeof SignIn;
  /** What the WebAssembly imports. */
  imports: WebAssembly.Imports;
  /** Gives the class the instance that it works on. */
  __wbg_set_wasm(exports: WebAssembly.Exports): void;
}

/** Makes glue for one more instance: what the page still calls of an old one must not reach the new one's memory. */
export function makeGlue(): Glue;
