// wrk, the load generator that the broker's benchmark reads with.

import { existsSync } from "node:fs";
import { install, mayInstall } from "./debian.mjs";
import { StageError } from "./stage.mjs";

export const WRK = "/usr/bin/wrk";
const DEBIAN_PACKAGE = "wrk";

/** Installs it where it is missing; whoever may not is told what to install. */
export function installWrk() {
  if (existsSync(WRK)) return;
  if (!mayInstall()) {
    throw new StageError(
      `wrk is missing: install it (on Debian, as root: apt-get install ${DEBIAN_PACKAGE}) and run this again.`,
    );
  }
  install(DEBIAN_PACKAGE);
}
