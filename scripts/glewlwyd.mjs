// Debian's glewlwyd, one of the providers that tests sign in with.

import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { aptGet, install, mayInstall, renewLists } from "./debian.mjs";
import { line, path, run, StageError } from "./stage.mjs";

const PROGRAM = "usr/bin/glewlwyd";
const UNPACKED = path("target", "glewlwyd");
/** Pages of the package glewlwyd-common. */
const PAGES = "/usr/share/glewlwyd/webapp/login.html";

/**
 * Installs the libraries and pages where they are missing, and unpacks the program beneath `target`: its package would
 * start a service with a well-known administrator's password, and its set-up script fails without a database server.
 */
export function installGlewlwyd() {
  if (existsSync(PAGES) && [UNPACKED, "/"].some((root) => existsSync(`${root}/${PROGRAM}`))) {
    line("glewlwyd", "up to date");
    return;
  }
  if (!mayInstall()) {
    throw new StageError(
      "glewlwyd is missing: install it (on Debian, as root: apt-get install glewlwyd, and stop its service) and run this again.",
    );
  }
  line("glewlwyd", "unpacking the program");
  install(...libraries());
  rmSync(UNPACKED, { recursive: true, force: true });
  mkdirSync(UNPACKED, { recursive: true });
  // Root need not be the user that apt downloads as, which may have no way into this folder.
  aptGet(["download", "-o", "APT::Sandbox::User=root", "glewlwyd"], { cwd: UNPACKED });
  const [archive] = readdirSync(UNPACKED);
  run("dpkg-deb", ["--extract", archive, "."], { cwd: UNPACKED });
}

/** The packages that the program itself loads, under the names of this Debian. */
function libraries() {
  renewLists();
  const depends = run("apt-cache", ["depends", "--important", "glewlwyd"]);
  return [...depends.matchAll(/^ *Depends: (lib\S+|glewlwyd-common)$/gm)].map(([, name]) => name);
}
