// `npm run test:differential`: the core, compiled to WebAssembly, against oauth4webapi on the same answers.

import { compiledWasm, compileWasm } from "./compile_wasm.mjs";
import { asCommand, path, run, stage } from "./stage.mjs";

const CRATE = "tokentoss-judge";
const folder = path("target", "judge");

await asCommand(async () => {
  compileWasm(CRATE);
  const compiled = compiledWasm(CRATE);
  const inputs = [compiled, path("Cargo.lock"), path("crates", "tokentoss-glue")];
  const outputs = [
    path("target", "judge", "tokentoss_judge_bg.js"),
    path("target", "judge", "tokentoss_judge_bg.wasm"),
  ];
  await stage("differential: glue", { inputs, outputs }, () => {
    const tool = "run --quiet --locked --package tokentoss-glue --profile tool --".split(" ");
    run("cargo", [...tool, compiled, folder]);
  });
  run(process.execPath, ["--test", "--test-reporter=spec", path("tests", "differential", "differential.test.mjs")], {
    inherit: true,
    env: { TOKENTOSS_JUDGE: folder },
  });
});
