/** Brings the WebAssembly to life. */

import { __wbg_set_wasm, imports, SignIn } from "tokentoss:glue";

export type SignInClass = typeof SignIn;

/** Instantiates the module on the first call; a failure is not kept, so that a retry can succeed. */
export function loaderOf(wasm: BufferSource): () => Promise<SignInClass> {
  let loading: Promise<SignInClass> | undefined;
  return () => {
    loading ??= instantiate(wasm).catch((reason) => {
      loading = undefined;
      throw reason;
    });
    return loading;
  };
}

export { isForbidden } from "./forbidden.ts";

async function instantiate(wasm: BufferSource): Promise<SignInClass> {
  const { instance } = await WebAssembly.instantiate(wasm, imports);
  __wbg_set_wasm(instance.exports);
  (instance.exports as { __wbindgen_start(): void }).__wbindgen_start();
  return SignIn;
}
