// oidc-agent: one process that keeps one person's tokens, asked through its own library.

import { existsSync } from "node:fs";
import { install, mayInstall } from "../../scripts/debian.mjs";
import { python } from "../../scripts/prepare.mjs";
import { path } from "../../scripts/stage.mjs";
import { output } from "./programs.mjs";

const PROGRAM = "/usr/bin/oidc-agent";
const DEBIAN_PACKAGE = "oidc-agent-cli";

/** Reads in a second, as a peer; no peer where it is missing and may not be installed. */
export async function oidcAgent({ origin }, seconds) {
  if (!existsSync(PROGRAM) && mayInstall()) install(DEBIAN_PACKAGE);
  if (!existsSync(PROGRAM)) return {};
  const script = path("bench", "broker", "oidc_agent.py");
  const { rate } = JSON.parse(await output(python, [script, `--issuer=${origin}`, `--seconds=${seconds}`]));
  return { "oidc-agent": rate };
}
