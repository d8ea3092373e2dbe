// Apache with mod_auth_openidc, the proxy that the tests of the kernel side put their tokens to.

import { existsSync } from "node:fs";
import { installOrSay } from "./debian.mjs";
import { line } from "./stage.mjs";

const FILES = ["/usr/sbin/apache2", "/usr/lib/apache2/modules/mod_auth_openidc.so"];
// The server without the service that Debian's package "apache2" would start.
const DEBIAN_PACKAGES = ["apache2-bin", "libapache2-mod-auth-openidc"];

/** Installs it where it is missing. */
export function installApache() {
  if (FILES.every((file) => existsSync(file))) line("apache", "up to date");
  else installOrSay("Apache with mod_auth_openidc", DEBIAN_PACKAGES);
}
