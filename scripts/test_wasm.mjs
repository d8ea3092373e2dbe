// `npm run test:wasm`: the Rust tests that run in a real browser, headless.

import { existsSync } from "node:fs";
import { asCommand, line, path, run } from "./stage.mjs";

const runner = path(
  ".cache",
  "cargo",
  "bin",
  process.platform === "win32" ? "wasm-bindgen-test-runner.exe" : "wasm-bindgen-test-runner",
);

/** The runner must be of the very version that the tests are compiled with. */
function installRunner() {
  const [, version] = run("cargo", [
    "tree",
    "--locked",
    "--package",
    "tokentoss-wasm",
    "--invert",
    "wasm-bindgen",
    "--depth",
    "0",
  ]).match(/wasm-bindgen v([\d.]+)/);
  if (existsSync(runner) && run(runner, ["--version"]).includes(version)) return;
  line("wasm-bindgen-cli", `building ${version}, which takes a minute or two`);
  // Without --locked, because the lock file that the crate ships may name versions that are not in the registry any more.
  run(
    "cargo",
    [
      "install",
      "--quiet",
      "--debug",
      "--force",
      "wasm-bindgen-cli",
      "--version",
      `=${version}`,
      "--bin",
      "wasm-bindgen-test-runner",
      "--root",
      path(".cache", "cargo"),
      "--target-dir",
      path("target", "cargo-install"),
    ],
    {
      env: { CARGO_PROFILE_DEV_DEBUG: "false" },
    },
  );
}

await asCommand(() => {
  installRunner();
  const packages = ["--package", "tokentoss-wasm", "--package", "tokentoss-sim"];
  run("cargo", ["test", "--locked", "--target", "wasm32-unknown-unknown", ...packages], {
    inherit: true,
    env: { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: runner, WASM_BINDGEN_TEST_TIMEOUT: "120" },
  });
});
