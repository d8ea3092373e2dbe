// `npm run conformance`: the relying-party conformance suite against what is built here; `-- --json` for machines.

import { spawn } from "node:child_process";
import { prepare, python } from "./prepare.mjs";
import { asCommand, path } from "./stage.mjs";

async function conformance() {
  await prepare();
  const suite = ["-m", "conformance", ...process.argv.slice(2)];
  const child = spawn(python, suite, { cwd: path("tests"), stdio: "inherit" });
  process.on("SIGINT", () => {});
  process.exitCode = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
}

await asCommand(conformance);
