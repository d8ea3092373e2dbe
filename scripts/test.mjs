// `npm test`: every runner, a progress line per stage, the totals of each at the end. `npm test -- --quick` leaves out what
// needs a browser.

import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { prepare, python } from "./prepare.mjs";
import { asCommand, path, root, StageError } from "./stage.mjs";

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
  // libtest's last line ends in "finished in 1.2s", and is not pytest's.
  const summary = output.match(/^(?!test result:).*\b(?:passed|failed|errors?)\b.* in [\d.]+s.*$/gm)?.at(-1) ?? "";
  return { passed: sum(summary, /(\d+) passed/g), failed: sum(summary, /(\d+) (?:failed|errors?)\b/g) };
};
const broker = (output) => {
  const [rust, python] = [libtest(output), pytest(output)];
  return { passed: rust.passed + python.passed, failed: rust.failed + python.failed };
};
/** The names of the tests that failed: libtest's list of them, pytest's short summary and TAP's lines. */
const failing = (output) =>
  [/^ {4}(\w+(?:::\w+)*)$/gm, /^(?:FAILED|ERROR) (\S+::.*?)(?: - .*)?$/gm, /^ *not ok \d+ - (.*)$/gm].flatMap(
    (pattern) => [...output.matchAll(pattern)].map(([, name]) => name),
  );
// Runners without tests of their own count as one.
const whole = (_output, status) => ({ passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1 });

const script = (name, ...args) => [process.execPath, [path("scripts", name), ...args]];
const tests = (...args) => [python, ["-m", "pytest", ...args]];

// Those without a browser come first, and alone with `--quick`.
const QUICK = [
  ["lints and types", ...script("check.mjs"), whole],
  ["Rust, native", "cargo", ["test", "--quiet", "--locked"], libtest],
  ["TypeScript", ...script("test_js.mjs"), nodeTest],
  ["oauth4webapi and the core", ...script("test_differential.mjs"), nodeTest],
  // One more than there are processors: the tests with kernels and servers wait for them now and then.
  ["Python and kernels", ...tests("-n", "3", "tests/python", "tests/kernel", "tests/servers"), pytest],
];
/** The stages before this one need neither programs of Debian nor a browser. */
const FIRST_WITH_TOOLS = QUICK.length - 1;
const REST = [
  ["Python, lowest versions", ...script("test_lowest.mjs"), pytest],
  ["Broker", ...script("test_broker.mjs"), broker],
  ["two folders, one build", ...script("test_reproducible.mjs"), whole],
  ["Packages", ...tests("tests/packages"), pytest],
  ["Rust, WebAssembly", ...script("test_wasm.mjs"), libtest],
  ["Looks", ...tests("-n", "2", "--dist", "loadscope", "tests/looks"), pytest],
  // What a module starts for its tests is started by one worker alone.
  ["JupyterLab in Chromium", ...tests("-n", "2", "--dist", "loadscope", "tests/e2e"), pytest],
  ["Hosts", ...tests("-n", "2", "--dist", "loadscope", "tests/hosts"), pytest],
  ["Interoperability", ...tests("-n", "2", "tests/interop"), pytest],
  ["Conformance", ...tests("-n", "2", "tests/conformance"), pytest],
  ["demo", python, [path("scripts", "demo.py"), "--check"], whole],
  ["demo with a broker", python, [path("scripts", "demo.py"), "--broker", "--check"], whole],
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
  const all = { passed, failed: failed || (status === 0 && passed > 0 ? 0 : 1) };
  return { ...all, names: all.failed ? new Set(failing(output)) : [] };
}

/** Runs a script while the first stages compute: installing waits for networks and disks. Settles when all is there. */
function meanwhile(name, ...args) {
  const child = spawn(process.execPath, [path("scripts", name), ...args], { cwd: root, stdio: ["ignore", 2, 2] });
  const done = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) =>
      status === 0 ? resolve() : reject(new StageError(`scripts/${name} failed; its lines above say why`)),
    );
  });
  // Who waits for it hears of a failure; until then nobody does.
  done.catch(() => {});
  return done;
}

/** Whether only the stages without a browser are asked for; refuses whatever else the command line holds. */
function isQuick() {
  try {
    return parseArgs({ options: { quick: { type: "boolean", default: false } } }).values.quick;
  } catch (error) {
    const given = process.argv.slice(2).join(" ");
    if (!error.code?.startsWith("ERR_PARSE_ARGS")) throw error;
    throw new StageError(
      `npm test does not take "${given}". Its one option is --quick (npm test -- --quick), which leaves out all that needs a browser.`,
      2,
    );
  }
}

/** Minutes and seconds since the start, for a reader of a log who looks for what took so long. */
const elapsed = () => `${Math.floor(performance.now() / 60_000)} min ${Math.floor((performance.now() / 1000) % 60)} s`;

async function test() {
  const quick = isQuick();
  const stages = quick ? QUICK : [...QUICK, ...REST];
  const installing = [meanwhile("install_tools.mjs", ...(quick ? ["--quick"] : []))];
  await prepare({ browser: false });
  if (!quick) installing.push(meanwhile("jupyterlite.mjs"));
  const totals = [];
  for (const [index, [name, command, args, count]] of stages.entries()) {
    if (index === FIRST_WITH_TOOLS) {
      console.log(`\nWaiting for the programs of the other stages (${elapsed()})`);
      await Promise.all(installing);
    }
    console.log(`\n[${index + 1}/${stages.length}] ${name} (${elapsed()})`);
    const started = performance.now();
    const counts = await run(command, args, count);
    totals.push({ name, seconds: (performance.now() - started) / 1000, ...counts });
  }
  console.log();
  for (const { name, seconds, passed, failed } of totals) {
    console.log(`${name.padEnd(24)} ${`${passed} passed, ${failed} failed`.padEnd(24)} ${seconds.toFixed(1)} s`);
  }
  // Of a long log, the end is what is read.
  for (const { name, names } of totals) for (const test of names) console.log(`failed in ${name}: ${test}`);
  const [passed, failed] = ["passed", "failed"].map((key) => totals.reduce((total, counts) => total + counts[key], 0));
  console.log(`${passed} passed, ${failed} failed`);
  if (failed) process.exitCode = 1;
}

await asCommand(test);
