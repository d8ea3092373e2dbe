// `npm run test:wasm`: the Rust tests that run in a real browser, headless.

import { existsSync } from "node:fs";
import { asCommand, line, path, run } from "./stage.mjs";

const runner = path(
  ".cache",
  "cargo",
  "bin",
  process.platform === "win32" ? "wasm-bindgen-test-runner.exe" : "wasm-bindgen-test-runner",
);

const words = (text) => text.split(" ");

/** The runner must be of the very version that the tests are compiled with. */
function installRunner() {
  const tree = run("cargo", words("tree --locked --package tokentoss-wasm --invert wasm-bindgen --depth 0"));
  const [, version] = tree.match(/wasm-bindgen v([\d.]+)/);
  if (existsSync(runner) && run(runner, ["--version"]).includes(version)) return;
  line("wasm-bindgen-cli", `building ${version}, which takes a minute or two`);
  // Without --locked, because the lock file that the crate ships may name versions that are not in the registry any more.
  const install = words("install --quiet --debug --force wasm-bindgen-cli --bin wasm-bindgen-test-runner --version");
  const folders = ["--root", path(".cache", "cargo"), "--target-dir", path("target", "cargo-install")];
  run("cargo", [...install, `=${version}`, ...folders], { env: { CARGO_PROFILE_DEV_DEBUG: "false" } });
}

await asCommand(() => {
  installRunner();
  run(
    "cargo",
    words("test --locked --target wasm32-unknown-unknown --package tokentoss-wasm --package tokentoss-sim"),
    {
      inherit: true,
      env: { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: runner, WASM_BINDGEN_TEST_TIMEOUT: "120" },
    },
  );
});
