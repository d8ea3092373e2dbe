// cargo-deny over both workspaces: licences, duplicates and sources of all dependencies, and faults that are known of them.

import { spawnSync } from "node:child_process";
import { python } from "./prepare.mjs";
import { line, path, root, run } from "./stage.mjs";

// A package for Python carries the program, because compiling it takes minutes.
const PROGRAM = python.replace(/python(\.exe)?$/, "cargo-deny$1");
const MANIFESTS = [path("Cargo.toml"), path("fuzz", "Cargo.toml")];
const CHECKS = ["licenses", "bans", "sources"];
/** How long the database of known faults may take to come, in milliseconds. */
const FETCH_TIMEOUT = 60_000;

/** Fails on what deny.toml does not allow. Without a network, the part that needs one is left out, and a line says so. */
export function checkDependencies() {
  const checks = [...CHECKS, ...(fetchAdvisories() ? ["advisories"] : [])];
  for (const manifest of MANIFESTS) {
    const where = ["--manifest-path", manifest, "--config", path("deny.toml")];
    run(PROGRAM, ["--locked", "--color", "never", ...where, "check", ...checks]);
  }
}

/** Whether the database of known faults is here and new. */
function fetchAdvisories() {
  const options = { cwd: root, encoding: "utf8", timeout: FETCH_TIMEOUT, stdio: ["ignore", "pipe", "pipe"] };
  const fetched = spawnSync(PROGRAM, ["--color", "never", "fetch", "db"], options);
  if (fetched.status === 0) return true;
  const reason =
    fetched.stderr?.match(/^fatal: (.*)$/m)?.[1] ?? fetched.error?.message ?? `exit code ${fetched.status}`;
  line("cargo deny", `advisories not checked: their database cannot be fetched (${reason})`);
  return false;
}
