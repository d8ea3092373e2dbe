/** The module `tokentoss:configure-glue` that scripts/build_configure.mjs makes; the functions come from wasm-bindgen's own declaration. */

export { sealCredentials, sealFile } from "./generated/tokentoss_configure.d.ts";

/** What the WebAssembly imports. */
export const imports: WebAssembly.Imports;

/** Gives the functions the instance that they work on. */
export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
