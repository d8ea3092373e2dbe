/** Modules that scripts/build.mjs makes. */

declare module "tokentoss:packed" {
  /** The widget's own module and then its WebAssembly, deflated together and written in the digits of base91.ts. */
  export const packed: string;
  /** Bytes of it before it was written in digits. */
  export const size: number;
  /** Bytes of the widget's module, once inflated. */
  export const moduleSize: number;
  /** Names the build: a page shares one instance of each. */
  export const fingerprint: string;
}

declare module "tokentoss:documentation" {
  /** Address of the page that has a place for each error code. */
  export const troubleshooting: string;
}

declare module "tokentoss:sentences" {
  /** Sentences of python/tokentoss/texts/en.json that are needed where the WebAssembly cannot give them. */
  export const kernel_gone: string;
  export const popup_blocked: string;
  export const popup_closed: string;
  export const webassembly_failed: string;
  export const webassembly_unavailable: string;
}
