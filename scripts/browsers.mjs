// The browsers with other engines than Chromium's, and what drives them.

import { existsSync } from "node:fs";
import { installOrSay } from "./debian.mjs";
import { line, path, run } from "./stage.mjs";

/** A program of each package, by the package's name in Debian. */
const DEBIAN_PACKAGES = {
  "firefox-esr": "/usr/bin/firefox-esr",
  "webkit2gtk-driver": "/usr/bin/WebKitWebDriver",
  xvfb: "/usr/bin/Xvfb",
};
/** Firefox's driver, which Debian does not have. */
const GECKODRIVER = "0.37.1";

/** Installs them where they are missing. */
export function installBrowsers() {
  const missing = Object.keys(DEBIAN_PACKAGES).filter((name) => !existsSync(DEBIAN_PACKAGES[name]));
  const folder = path("target", "geckodriver");
  const driver = existsSync(`${folder}/bin/geckodriver`);
  if (missing.length === 0 && driver) {
    line("browsers", "up to date");
    return;
  }
  if (missing.length > 0) installOrSay("Firefox or WebKitGTK", missing);
  if (!driver) {
    line("browsers", `building geckodriver ${GECKODRIVER}`);
    try {
      run("cargo", ["install", "geckodriver", "--quiet", "--locked", "--version", GECKODRIVER, "--root", folder]);
    } catch (failure) {
      // Everything but Firefox can be tested without it; its tests then say that they were skipped.
      line("browsers", `no Firefox: ${failure.message}`);
    }
  }
}
