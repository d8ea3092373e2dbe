// `npm run demo`: everything a sign-in needs, on this machine. `npm run demo -- --check` runs it headless and reports.

import { spawn } from "node:child_process";
import { prepare, python } from "./prepare.mjs";
import { asCommand, line, path, root, run } from "./stage.mjs";

async function demo() {
  const args = process.argv.slice(2);
  await prepare();
  if (args.includes("--broker")) {
    line("broker", "cargo build");
    run("cargo", ["build", "--quiet", "--locked", "--package", "tokentoss-broker"]);
  }
  const child = spawn(python, [path("scripts", "demo.py"), ...args], { cwd: root, stdio: "inherit" });
  // Ctrl-C in a terminal reaches the child as well; this process waits until it has put everything away.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
}

await asCommand(demo);
