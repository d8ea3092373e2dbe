// What every command of the front door does first: install what is missing, then build what is out of date.

import { spawn } from "node:child_process";
import { path, root, StageError } from "./stage.mjs";

/** The interpreter of the project's own environment. */
export const python =
  process.platform === "win32" ? path(".venv", "Scripts", "python.exe") : path(".venv", "bin", "python");

/**
 * Runs bootstrap and build; their progress goes to standard error, so that a command's own output stays clean.
 * Without `browser`, none is installed.
 */
export async function prepare({ browser = true } = {}) {
  const bootstrap = ["bootstrap.mjs", ...(browser ? [] : ["rust", "npm", "python"])];
  for (const [script, ...args] of [bootstrap, ["build.mjs"]]) {
    // Processes of their own: what the build imports may have to be installed first.
    const child = spawn(process.execPath, [path("scripts", script), ...args], { cwd: root, stdio: ["ignore", 2, 2] });
    const status = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
    if (status !== 0) throw new StageError(`scripts/${script} failed; the lines above say why`);
  }
}
