// Clippy over every crate, for every target that it is built for.

import { path, run } from "./stage.mjs";

const WASM = "wasm32-unknown-unknown";
/** Crates that are parts of the modules for the browser and of native tests alike. */
const BOTH = ["tokentoss-core", "tokentoss-sim"];
const CLIPPY = ["clippy", "--quiet", "--locked", "--all-targets"];
const DENY = ["--", "--deny", "warnings"];

export function lintNative() {
  lintCrates(({ name, wasm }) => !wasm || BOTH.includes(name));
}

export function lintWasm() {
  lintCrates(({ name, wasm }) => wasm || BOTH.includes(name), ["--target", WASM]);
}

/** The workspace of the fuzzer; its code compiles without the nightly compiler that runs it. */
export function lintFuzzer() {
  const workspace = ["--manifest-path", path("fuzz", "Cargo.toml"), "--target-dir", path("target", "fuzz")];
  // Nothing is linked here, so the fuzzer's own C++ need not be compiled.
  run("cargo", [...CLIPPY, ...workspace, ...DENY], { env: { CUSTOM_LIBFUZZER_PATH: path("target", "libfuzzer.a") } });
}

/** All crates of one target at once: their dependencies are checked once. */
function lintCrates(chosen, target = []) {
  const packages = crates()
    .filter(chosen)
    .flatMap(({ name }) => ["--package", name]);
  run("cargo", [...CLIPPY, ...packages, ...target, ...DENY]);
}

/** The crates of the workspace; those that become a module for the browser are dynamic libraries. */
function crates() {
  const metadata = JSON.parse(run("cargo", ["metadata", "--locked", "--no-deps", "--format-version", "1"]));
  return metadata.packages.map(({ name, targets }) => ({
    name,
    wasm: targets.some(({ crate_types: kinds }) => kinds.includes("cdylib")),
  }));
}
