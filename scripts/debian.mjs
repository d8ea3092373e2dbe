// Debian's packages, where this process may install them.

import { existsSync } from "node:fs";
import { line, run } from "./stage.mjs";

/** Whether it may. */
export const mayInstall = () => process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");

/** Installs packages. */
export function install(...packages) {
  line("apt-get", `installing ${packages.join(" ")}`);
  const quiet = { env: { DEBIAN_FRONTEND: "noninteractive" } };
  run("apt-get", ["update", "-qq"], quiet);
  run("apt-get", ["install", "-qq", "-y", "--no-install-recommends", ...packages], quiet);
}
