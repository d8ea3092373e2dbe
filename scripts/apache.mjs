// Apache with mod_auth_openidc, the proxy that the tests of the kernel side put their tokens to.

import { existsSync } from "node:fs";
import { line, run, StageError } from "./stage.mjs";

const FILES = ["/usr/sbin/apache2", "/usr/lib/apache2/modules/mod_auth_openidc.so"];
// The server without the service that Debian's package "apache2" would start.
const DEBIAN_PACKAGES = ["apache2-bin", "libapache2-mod-auth-openidc"];

/** Installs it where it is missing; whoever may not is told what to install. */
export function installApache() {
  if (FILES.every((file) => existsSync(file))) {
    line("apache", "up to date");
    return;
  }
  const packages = DEBIAN_PACKAGES.join(" ");
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    throw new StageError(
      `Apache with mod_auth_openidc is missing: install it (on Debian, as root: apt-get install ${packages}) and run this again.`,
    );
  }
  line("apache", `installing ${packages}`);
  const quiet = { env: { DEBIAN_FRONTEND: "noninteractive" } };
  run("apt-get", ["update", "-qq"], quiet);
  run("apt-get", ["install", "-qq", "-y", "--no-install-recommends", ...DEBIAN_PACKAGES], quiet);
}
