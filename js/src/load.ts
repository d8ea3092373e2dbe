/** Brings the WebAssembly to life, once per page however many widgets and copies of this file there are. */

import { __wbg_set_wasm, imports, SignIn } from "tokentoss:glue";
import { fingerprint, packed, size } from "tokentoss:wasm";
import { unpack } from "./base91.ts";

export type SignInClass = typeof SignIn;

const SLOT = Symbol.for(`tokentoss/${fingerprint}`);

/** The page's one instance; a failure is not kept, so that a retry can succeed. */
export function loadSignIn(): Promise<SignInClass> {
  const page = globalThis as { [SLOT]?: Promise<SignInClass> | undefined };
  page[SLOT] ??= instantiate().catch((reason) => {
    page[SLOT] = undefined;
    throw reason;
  });
  return page[SLOT];
}

/**
 * Whether loading failed because the page's content security policy forbids WebAssembly, or because the browser has none.
 * The module itself is valid, so a compile error can mean nothing else; engines differ in the error's class and text.
 */
export function isForbidden(reason: unknown): boolean {
  return (
    typeof WebAssembly !== "object" || reason instanceof WebAssembly.CompileError || /unsafe-eval/.test(String(reason))
  );
}

async function instantiate(): Promise<SignInClass> {
  const inflated = new Blob([unpack(packed, size)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const bytes = await new Response(inflated).arrayBuffer();
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  __wbg_set_wasm(instance.exports);
  (instance.exports as { __wbindgen_start(): void }).__wbindgen_start();
  return SignIn;
}
