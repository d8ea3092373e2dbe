// `npm run test:wasm`: the Rust tests that run in a real browser, headless.

import { asCommand, run } from "./stage.mjs";
import { installRunner, runner } from "./wasm_runner.mjs";

const words = (text) => text.split(" ");

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
