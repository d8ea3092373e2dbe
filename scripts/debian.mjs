// Debian's packages, where this process may install them.

import { existsSync } from "node:fs";
import { line, run, StageError } from "./stage.mjs";

/** Another process of this machine may be at it, too; a test machine's own is over in a minute or two. */
const APT = ["-qq", "-o", "DPkg::Lock::Timeout=300"];
const QUIET = { env: { DEBIAN_FRONTEND: "noninteractive" } };

let renewed = false;

/** Whether it may. */
export const mayInstall = () => process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");

/** Renews the lists of packages, once in a process. */
export function renewLists() {
  if (!renewed) run("apt-get", ["update", ...APT], QUIET);
  renewed = true;
}

/** Runs apt-get, on lists that this process has renewed. */
export function aptGet(args, options = {}) {
  renewLists();
  run("apt-get", [...args, ...APT], { ...QUIET, ...options });
}

/** Installs packages. */
export function install(...packages) {
  line("apt-get", `installing ${packages.join(" ")}`);
  aptGet(["install", "-y", "--no-install-recommends", ...packages]);
}

/** Installs packages that `what` needs; whoever may not is told what to install. */
export function installOrSay(what, packages) {
  if (!mayInstall()) {
    const command = `apt-get install ${packages.join(" ")}`;
    throw new StageError(`${what} is missing: install it (on Debian, as root: ${command}) and run this again.`);
  }
  install(...packages);
}
