/** Brings the WebAssembly that seals a client to life, once per page however many forms and copies of this file there are. */

import { __wbg_set_wasm, imports, sealCredentials, sealFile } from "tokentoss:configure-glue";
import { fingerprint, packed, size } from "tokentoss:sealer";
import { unpack } from "./base91.ts";

/** What it can do; each function answers `undefined` when nothing could be sealed. */
export interface Sealer {
  readonly sealCredentials: typeof sealCredentials;
  readonly sealFile: typeof sealFile;
}

const SLOT = Symbol.for(`tokentoss/${fingerprint}`);

/** The page's one instance; a failure is not kept, so that a retry can succeed. */
export function loadSealer(): Promise<Sealer> {
  const page = globalThis as { [SLOT]?: Promise<Sealer> | undefined };
  page[SLOT] ??= instantiate().catch((reason) => {
    page[SLOT] = undefined;
    throw reason;
  });
  return page[SLOT];
}

async function instantiate(): Promise<Sealer> {
  const inflated = new Blob([unpack(packed, size)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const bytes = await new Response(inflated).arrayBuffer();
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  __wbg_set_wasm(instance.exports);
  (instance.exports as { __wbindgen_start(): void }).__wbindgen_start();
  return { sealCredentials, sealFile };
}
