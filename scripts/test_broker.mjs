// `npm run test:broker`: the broker on SQLite and Postgres, and the built program with its Python client and a real JupyterHub.

import { spawn } from "node:child_process";
import { withPostgres } from "./postgres.mjs";
import { python } from "./prepare.mjs";
import { asCommand, root, StageError } from "./stage.mjs";

/** Runs a command with its output shown, and fails with it. */
async function shown(command, args, env) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  const status = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  if (status !== 0) throw new StageError(`${[command, ...args].join(" ")} ended with ${status}`, 1);
}

await asCommand(async () => {
  await withPostgres(async (address) => {
    const env = { TOKENTOSS_TEST_POSTGRES: address };
    await shown("cargo", ["test", "--quiet", "--locked", "--package", "tokentoss-broker"], env);
    await shown("cargo", ["build", "--quiet", "--locked", "--package", "tokentoss-broker"], env);
    await shown(python, ["-m", "pytest", "-n", "2", "tests/broker"], env);
  });
});
