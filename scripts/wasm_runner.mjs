// wasm-bindgen's test runner, which runs the tests of WebAssembly in a browser.

import { existsSync } from "node:fs";
import { line, path, run } from "./stage.mjs";

/** Where it is. */
export const runner = path(
  ".cache",
  "cargo",
  "bin",
  process.platform === "win32" ? "wasm-bindgen-test-runner.exe" : "wasm-bindgen-test-runner",
);

/** Builds it where it is missing: of the very version that the tests are compiled with. */
export function installRunner() {
  const tree = run("cargo", "tree --locked --package tokentoss-wasm --invert wasm-bindgen --depth 0".split(" "));
  const [, version] = tree.match(/wasm-bindgen v([\d.]+)/);
  if (existsSync(runner) && run(runner, ["--version"]).includes(version)) return;
  line("wasm-bindgen-cli", `building ${version}, which takes a minute or two`);
  // Without --locked, because the lock file that the crate ships may name versions that are not in the registry any more.
  const install = "install --quiet --debug --force wasm-bindgen-cli --bin wasm-bindgen-test-runner --version".split(
    " ",
  );
  const folders = ["--root", path(".cache", "cargo"), "--target-dir", path("target", "cargo-install")];
  run("cargo", [...install, `=${version}`, ...folders], { env: { CARGO_PROFILE_DEV_DEBUG: "false" } });
}
