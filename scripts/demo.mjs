// `npm run demo`: everything a sign-in needs, on this machine. `npm run demo -- --check` runs it headless and reports.

import { spawn } from "node:child_process";
import { prepare, python } from "./prepare.mjs";
import { asCommand, path, root } from "./stage.mjs";

async function demo() {
  await prepare();
  const child = spawn(python, [path("scripts", "demo.py"), ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
  // Ctrl-C in a terminal reaches the child as well; this process waits until it has put everything away.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
}

await asCommand(demo);
