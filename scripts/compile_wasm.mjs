// Compiles a crate for the browser.

import { homedir } from "node:os";
import { join } from "node:path";
import { path, run } from "./stage.mjs";

const TARGET = "wasm32-unknown-unknown";

/** Where the compiled module of a crate is. */
export function compiledWasm(crate) {
  return path("target", TARGET, "wasm-release", `${crate.replaceAll("-", "_")}.wasm`);
}

/** Compiles what is out of date. */
export function compileWasm(crate) {
  // Where this machine keeps its crates is nobody's business, and would make every build another one.
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry", "src");
  const library = join(run("rustc", ["--print", "sysroot"]).trim(), "lib", "rustlib", "src", "rust");
  const renamed = [`${registry}=crates`, `${library}=rust`].map((paths) => `--remap-path-prefix=${paths}`);
  const nameless = `target.${TARGET}.rustflags=${JSON.stringify(renamed)}`;
  const options = ["--package", crate, "--target", TARGET, "--profile", "wasm-release"];
  run("cargo", ["build", "--quiet", "--locked", "--config", nameless, ...options]);
}
