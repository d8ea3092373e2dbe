// Compiles a crate for the browser.

import { homedir } from "node:os";
import { join } from "node:path";
import { path, root, run } from "./stage.mjs";

const TARGET = "wasm32-unknown-unknown";

/** Where the compiled module of a crate is. */
export function compiledWasm(crate) {
  return path("target", TARGET, "wasm-release", `${crate.replaceAll("-", "_")}.wasm`);
}

/** Compiles what is out of date. */
export function compileWasm(crate) {
  // Where this machine keeps the checkout and its crates would make every build another one.
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry", "src");
  const library = join(run("rustc", ["--print", "sysroot"]).trim(), "lib", "rustlib", "src", "rust");
  // The last one that fits is taken: the registry may lie in the checkout.
  const places = [`${root}=.`, `${registry}=crates`, `${library}=rust`];
  const renamed = places.map((place) => `--remap-path-prefix=${place}`);
  // What refers to which constant: tokentoss-glue blanks those that are left to dead code.
  const flags = [...renamed, "-Clink-arg=--emit-relocs"];
  const config = `target.${TARGET}.rustflags=${JSON.stringify(flags)}`;
  // There, also where CARGO_TARGET_DIR says otherwise.
  const folder = ["--target-dir", path("target")];
  const options = ["--package", crate, "--target", TARGET, "--profile", "wasm-release", ...folder];
  run("cargo", ["build", "--quiet", "--locked", "--config", config, ...options]);
}
