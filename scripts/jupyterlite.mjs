// What the tests' JupyterLite site is made of: its builder, and the wheels that its kernel loads. Apart from .venv, because
// JupyterLab would take the kernel for an extension of its own.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { python } from "./prepare.mjs";
import { asCommand, fingerprintOf, line, path, run } from "./stage.mjs";

const FOLDER = path("target", "jupyterlite");
const STAMP = join(FOLDER, "stamp");
const BUILDER = path("tests", "hosts", "lite", "builder_requirements.txt");
const KERNEL = path("tests", "hosts", "lite", "kernel_requirements.txt");

// Python in the browser: wheels of pure Python, and no other dependencies than those that are listed.
const PURE = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--python-version=3.14"];

/** Fetches what is missing. */
export function installJupyterLite() {
  const now = fingerprintOf([BUILDER, KERNEL]);
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === now) {
    line("jupyterlite", "up to date");
    return;
  }
  line("jupyterlite", "installing");
  rmSync(FOLDER, { recursive: true, force: true });
  const quiet = ["--quiet", "--disable-pip-version-check"];
  run(python, ["-m", "pip", "install", ...quiet, "--target", join(FOLDER, "builder"), "-r", BUILDER]);
  run(python, ["-m", "pip", "download", ...quiet, "--no-deps", ...PURE, "-d", join(FOLDER, "wheels"), "-r", KERNEL]);
  writeFileSync(STAMP, now);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await asCommand(installJupyterLite);
