// `npm test`: every runner, a progress line per stage, the totals of each at the end.

import { spawn } from "node:child_process";
import { installApache } from "./apache.mjs";
import { installBrowsers } from "./browsers.mjs";
import { installGlewlwyd } from "./glewlwyd.mjs";
import { installJupyterLite } from "./jupyterlite.mjs";
import { prepare, python } from "./prepare.mjs";
import { asCommand, path, root } from "./stage.mjs";

const sum = (output, pattern) => [...output.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);

// What each runner says of itself. cargo and wasm-bindgen-test say it once for each test binary.
const libtest = (output) => ({
  passed: sum(output, /^test result: .* (\d+) passed;/gm),
  failed: sum(output, /^test result: .* (\d+) failed;/gm),
});
const nodeTest = (output) => ({
  passed: sum(output, /^(?:#|ℹ) pass (\d+)$/gm),
  failed: sum(output, /^(?:#|ℹ) fail (\d+)$/gm),
});
const pytest = (output) => {
  const summary = output.match(/^.*\b(?:passed|failed|error|errors)\b.* in [\d.]+s.*$/gm)?.at(-1) ?? "";
  return { passed: sum(summary, /(\d+) passed/g), failed: sum(summary, /(\d+) (?:failed|errors?)\b/g) };
};
// Runners without tests of their own count as one.
const whole = (_output, status) => ({ passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1 });

const NPM = process.platform === "win32" ? "npm.cmd" : "npm";
const STAGES = [
  ["lints and types", NPM, ["run", "--silent", "check"], whole],
  ["Rust, native", "cargo", ["test", "--quiet", "--locked"], libtest],
  ["Rust, WebAssembly", NPM, ["run", "--silent", "test:wasm"], libtest],
  ["TypeScript", NPM, ["run", "--silent", "test:js"], nodeTest],
  ["oauth4webapi and the core", NPM, ["run", "--silent", "test:differential"], nodeTest],
  ["Python", python, ["-m", "pytest", "tests/python"], pytest],
  ["Kernel side", python, ["-m", "pytest", "tests/kernel"], pytest],
  ["JupyterLab in Chromium", python, ["-m", "pytest", "-n", "2", "tests/servers", "tests/e2e"], pytest],
  ["Hosts", python, ["-m", "pytest", "-n", "2", "tests/hosts"], pytest],
  ["Interoperability", python, ["-m", "pytest", "tests/interop"], pytest],
  ["Conformance", python, ["-m", "pytest", "-n", "2", "tests/conformance"], pytest],
  ["demo", python, [path("scripts", "demo.py"), "--check"], whole],
];

/** Runs one stage with its output shown as it comes; settles with its counts. */
async function run(command, args, count) {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    // The counts are read from the output, so it must come without colours.
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0", CARGO_TERM_COLOR: "never", PY_COLORS: "0" },
  });
  let output = "";
  for (const [stream, shown] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      output += text;
      shown.write(text);
    });
  }
  const status = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const { passed, failed } = count(output, status);
  // A runner that ended badly, or ran nothing at all, has failed whatever it counted.
  return { passed, failed: failed || (status === 0 && passed > 0 ? 0 : 1) };
}

async function test() {
  await prepare();
  installApache();
  installGlewlwyd();
  installBrowsers();
  installJupyterLite();
  const totals = [];
  for (const [index, [name, command, args, count]] of STAGES.entries()) {
    console.log(`\n[${index + 1}/${STAGES.length}] ${name}`);
    const started = performance.now();
    const counts = await run(command, args, count);
    totals.push({ name, seconds: (performance.now() - started) / 1000, ...counts });
  }
  console.log();
  for (const { name, seconds, passed, failed } of totals) {
    console.log(`${name.padEnd(24)} ${`${passed} passed, ${failed} failed`.padEnd(24)} ${seconds.toFixed(1)} s`);
  }
  const [passed, failed] = ["passed", "failed"].map((key) => totals.reduce((total, counts) => total + counts[key], 0));
  console.log(`${passed} passed, ${failed} failed`);
  if (failed) process.exitCode = 1;
}

await asCommand(test);
