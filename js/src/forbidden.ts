/**
 * Whether loading failed because the page's content security policy forbids WebAssembly, or because the browser has none.
 * The module itself is valid, so a compile error can mean nothing else; engines differ in the error's class and text.
 */
export function isForbidden(reason: unknown): boolean {
  return (
    typeof WebAssembly !== "object" || reason instanceof WebAssembly.CompileError || /unsafe-eval/.test(String(reason))
  );
}
