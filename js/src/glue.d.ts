/** The module `tokentoss:glue` that scripts/build.mjs makes; the class comes from wasm-bindgen's own declaration. */

export { type FlowEvent, SignIn } from "../../target/glue/tokentoss_wasm.d.ts";

/** What the WebAssembly imports. */
export const imports: WebAssembly.Imports;

/** Gives the class the instance that it works on. */
export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
