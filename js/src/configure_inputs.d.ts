/** Modules that only the build can make, for the form. */

declare module "tokentoss:sealer" {
  /** The WebAssembly module, deflated and written in the digits of base91.ts. */
  export const packed: string;
  /** Bytes of the deflated module. */
  export const size: number;
  /** Names the build: a page shares one instance of each. */
  export const fingerprint: string;
}

declare module "tokentoss:sentences" {
  export const configuration_unsealed: string;
}
