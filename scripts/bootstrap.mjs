// Installs what the checkout needs and this machine lacks, and nothing twice: `node scripts/bootstrap.mjs` for everything,
// `node scripts/bootstrap.mjs rust npm` for these parts. package.json has it run before each command, because what a command
// imports may have to be installed first. Needs Rust (rustup), Node and Python; everything else comes from their registries,
// and Chromium from Debian's.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { install, mayInstall } from "./debian.mjs";
import { asCommand, fingerprintOf, line, path, run, StageError } from "./stage.mjs";

const OLDEST_NODE = 20;
/** What the pinned packages of the tests run on; the package itself takes older ones. */
const OLDEST_PYTHON = [3, 11];

// Exit codes of a missing tool, so that scripts can tell them apart.
const EXIT = { node: 10, rust: 11, python: 12, chromium: 13 };

/** The browser that tests drive; Debian and others call it differently. */
const CHROMIUM = ["chromium", "chromium-browser", "google-chrome"];
const CHROMEDRIVER = ["chromedriver"];
/** What Debian calls them; a browser without fonts draws boxes instead of letters. */
const DEBIAN_PACKAGES = ["chromium", "chromium-driver", "fonts-dejavu-core"];

/** Nothing here may fetch a browser of its own. */
const NO_BROWSERS = { PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: "1", PUPPETEER_SKIP_DOWNLOAD: "1" };

const PARTS = { rust: installRust, npm: installNpmPackages, python: installPythonPackages, chromium: installChromium };

/** Installs what is missing of these parts. */
export function bootstrap(parts = Object.keys(PARTS)) {
  checkNode();
  const unknown = parts.filter((part) => !Object.hasOwn(PARTS, part));
  if (unknown.length > 0) {
    throw new StageError(`There is no part ${unknown.join(", ")}: choose from ${Object.keys(PARTS).join(", ")}.`);
  }
  for (const part of parts) PARTS[part]();
}

function checkNode() {
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) return;
  throw new StageError(
    `Node ${process.versions.node} is too old: install Node ${OLDEST_NODE} or newer and run this again.`,
    EXIT.node,
  );
}

function installRust() {
  const { channel, components, targets } = wantedRust();
  let sysroot = output("rustc", ["--print", "sysroot"]);
  if (!sysroot && output("rustup", ["--version"])) {
    line("rust", `installing ${channel}`);
    run("rustup", ["toolchain", "install", channel, "--profile", "minimal", "--no-self-update"]);
    sysroot = output("rustc", ["--print", "sysroot"]);
  }
  if (!sysroot || !output("cargo", ["--version"])) {
    throw new StageError("Rust is missing: install it with rustup (https://rustup.rs) and run this again.", EXIT.rust);
  }
  const lackedTargets = targets.filter((target) => !existsSync(join(sysroot, "lib", "rustlib", target)));
  const lackedComponents = components.filter(
    (component) => !output(`cargo-${component === "rustfmt" ? "fmt" : component}`, ["--version"]),
  );
  if (lackedTargets.length === 0 && lackedComponents.length === 0) {
    line("rust", "up to date");
    return;
  }
  if (!output("rustup", ["--version"])) {
    const missing = [...lackedTargets.map((target) => `the target ${target}`), ...lackedComponents].join(", ");
    throw new StageError(
      `Rust lacks ${missing}, and there is no rustup to add it: install rustup (https://rustup.rs).`,
      EXIT.rust,
    );
  }
  if (lackedTargets.length > 0) run("rustup", ["target", "add", ...lackedTargets]);
  if (lackedComponents.length > 0) run("rustup", ["component", "add", ...lackedComponents]);
  line("rust", "target and components added");
}

/** What rust-toolchain.toml asks for. */
function wantedRust() {
  const file = readFileSync(path("rust-toolchain.toml"), "utf8");
  const value = (key) => JSON.parse(file.match(new RegExp(`^${key} = (.*)$`, "m"))[1]);
  return { channel: value("channel"), components: value("components"), targets: value("targets") };
}

function installNpmPackages() {
  once(
    "npm packages",
    path("node_modules", ".tokentoss-stamp"),
    [path("package.json"), path("package-lock.json")],
    () => {
      // No package here needs its install script, and one that runs none cannot fetch anything else.
      const npm = process.platform === "win32" ? "npm.cmd" : "npm";
      run(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { env: NO_BROWSERS });
    },
  );
}

function installPythonPackages() {
  const venv = path(".venv");
  const python = process.platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");
  const inputs = [path("tests", "requirements.txt"), path("pyproject.toml")];
  if (!existsSync(python)) {
    line("python environment", "making .venv");
    run(systemPython(), ["-m", "venv", venv]);
  }
  once("python packages", join(venv, ".tokentoss-stamp"), inputs, () => {
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(python, [...pip, "-r", path("tests", "requirements.txt")], { env: NO_BROWSERS });
    // The package itself, as the checkout has it; its build backend is among the requirements.
    run(python, [...pip, "--no-build-isolation", "--editable", path()], { env: NO_BROWSERS });
  });
}

function systemPython() {
  const oldest = OLDEST_PYTHON.join(".");
  for (const candidate of ["python3", "python"]) {
    const version = output(candidate, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
    const [major, minor] = version.split(".").map(Number);
    if (major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1])) {
      if (spawnSync(candidate, ["-c", "import venv, ensurepip"]).status === 0) return candidate;
      throw new StageError(
        `Python ${version} comes without venv: install it (on Debian: apt-get install python3-venv) and run this again.`,
        EXIT.python,
      );
    }
  }
  throw new StageError(`Python ${oldest} or newer is missing: install it and run this again.`, EXIT.python);
}

function installChromium() {
  if (found(CHROMIUM) && found(CHROMEDRIVER)) {
    line("chromium", "up to date");
    return;
  }
  if (!mayInstall()) {
    throw new StageError(
      `Chromium or its driver is missing: install them (on Debian, as root: apt-get install ${DEBIAN_PACKAGES.join(" ")}) and run this again.`,
      EXIT.chromium,
    );
  }
  install(...DEBIAN_PACKAGES);
}

/** Does `work` unless `stamp` says that it was done with these very inputs. */
function once(name, stamp, inputs, work) {
  const now = fingerprintOf(inputs);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now) {
    line(name, "up to date");
    return;
  }
  line(name, "installing");
  work();
  writeFileSync(stamp, now);
}

function found(commands) {
  return commands.some((command) => output(command, ["--version"]) !== "");
}

/** What a command prints; empty when it is missing or fails. */
function output(command, args) {
  const done = spawnSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return done.status === 0 ? done.stdout.trim() : "";
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const parts = process.argv.slice(2);
  await asCommand(() => bootstrap(parts.length > 0 ? parts : undefined));
}
