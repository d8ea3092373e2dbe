/** Brings the WebAssembly to life, and says when it has died. */

import { type Glue, makeGlue } from "tokentoss:glue";

/** A living instance. */
export interface Runtime {
  readonly SignIn: Glue["SignIn"];
  /** Called when it trapped: nothing of it may be used any more, not even to free it. */
  readonly onTrap: Set<() => void>;
}

/** Instantiates the module on the first call; neither a failure nor an instance that trapped is kept, so that a retry can succeed. */
export function loaderOf(wasm: BufferSource): () => Promise<Runtime> {
  let loading: Promise<Runtime> | undefined;
  const forget = () => {
    loading = undefined;
  };
  return () => {
    loading ??= instantiate(wasm, forget).catch((reason) => {
      forget();
      throw reason;
    });
    return loading;
  };
}

export { isForbidden } from "./forbidden.ts";

async function instantiate(wasm: BufferSource, forget: () => void): Promise<Runtime> {
  const { SignIn, imports, __wbg_set_wasm } = makeGlue();
  const { instance } = await WebAssembly.instantiate(wasm, imports);
  const onTrap = new Set([forget]);
  __wbg_set_wasm(
    guarded(instance.exports, () => {
      for (const tell of onTrap) tell();
    }),
  );
  (instance.exports as { __wbindgen_start(): void }).__wbindgen_start();
  return { SignIn, onTrap };
}

/** The exports, of which none does anything after one of them trapped: a listener or timer of then finds a broken memory. */
function guarded(exports: WebAssembly.Exports, onTrap: () => void): WebAssembly.Exports {
  let trapped = false;
  const guard =
    (call: (...values: unknown[]) => unknown) =>
    (...values: unknown[]) => {
      // The glue takes numbers and arrays out of what is returned: this is nothing as either.
      if (trapped) return [];
      try {
        return call(...values);
      } catch (reason) {
        // A stack overflow is a RangeError, and leaves the memory no better.
        if (!trapped && (reason instanceof WebAssembly.RuntimeError || reason instanceof RangeError)) {
          trapped = true;
          onTrap();
        }
        throw reason;
      }
    };
  return Object.fromEntries(
    Object.entries(exports).map(([name, value]) => [
      name,
      typeof value === "function" ? guard(value as (...values: unknown[]) => unknown) : value,
    ]),
  );
}
