/** Modules that scripts/build.mjs makes. */

declare module "tokentoss:wasm" {
  /** The WebAssembly module, deflated and written in the digits of base91.ts. */
  export const packed: string;
  /** Bytes of the deflated module. */
  export const size: number;
  /** Names the build: pages share one instance of each. */
  export const fingerprint: string;
}

declare module "tokentoss:sentences" {
  /** Sentences of tests/vectors/error_codes.json that are needed where the WebAssembly cannot give them. */
  export const kernel_gone: string;
  export const webassembly_failed: string;
  export const webassembly_unavailable: string;
}
