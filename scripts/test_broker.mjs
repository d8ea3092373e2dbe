// `npm run test:broker`: the broker on SQLite and Postgres, and the built program with its Python client and a real JupyterHub.

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { withPostgres } from "./postgres.mjs";
import { python } from "./prepare.mjs";
import { asCommand, path, root, StageError } from "./stage.mjs";

const MANIFEST = path("crates", "tokentoss-broker", "Cargo.toml");
const WHEELS = path(".cache", "broker-wheels");

/** Runs a command with its output shown, and fails with it. */
async function shown(command, args, env) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  const status = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  if (status !== 0) throw new StageError(`${[command, ...args].join(" ")} ended with ${status}`, 1);
}

await asCommand(async () => {
  const failures = [];
  // Whatever fails, the other tests are run too.
  const tested = (...command) => shown(...command).catch((error) => failures.push(error.message));
  await withPostgres(async (address, certificate, log) => {
    const env = {
      TOKENTOSS_TEST_POSTGRES: address,
      TOKENTOSS_TEST_POSTGRES_CERTIFICATE: certificate,
      TOKENTOSS_TEST_POSTGRES_LOG: log,
      // A test that does not find the server fails, and does not skip.
      TOKENTOSS_TEST_POSTGRES_REQUIRED: "1",
    };
    // More than there are processors: most of these tests wait for leases, pauses and processes.
    const tests = ["test", "--quiet", "--locked", "--no-fail-fast", "--package", "tokentoss-broker"];
    await tested("cargo", tests, { RUST_TEST_THREADS: "4", ...env });
    // Once more, on Postgres, what says nothing of a database and ran on SQLite; the rest ran on both.
    await tested("cargo", [...tests, "--test", "it"], {
      RUST_TEST_THREADS: "4",
      TOKENTOSS_TEST_DATABASE: "postgres",
      ...env,
    });
    await shown("cargo", ["build", "--quiet", "--locked", "--package", "tokentoss-broker"], env);
    rmSync(WHEELS, { recursive: true, force: true });
    // Of the program that is built already: an optimised one takes minutes, and packs alike.
    await shown(
      python,
      ["-m", "maturin", "build", "--quiet", "--locked", "--manifest-path", MANIFEST, "--out", WHEELS],
      env,
    );
    await tested(python, ["-m", "pytest", "-n", "2", "tests/broker"], { ...env, TOKENTOSS_BROKER_WHEELS: WHEELS });
  });
  if (failures.length > 0) throw new StageError(failures.join("\n"), 1);
});
