// Runs one stage of the build: a progress line, and nothing at all when its inputs are what they were.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const path = (...parts) => join(root, ...parts);

/** How much of a failed command's output is shown, in characters. */
const OUTPUT_LIMIT = 8000;

/** A failure whose message says all there is to say; scripts print it without a stack and exit with `exitCode`. */
export class StageError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Runs a command to its end; its output is shown only when it fails, or always with `inherit`. */
export function run(command, args, { env, cwd = root, inherit = false } = {}) {
  const done = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: inherit ? "inherit" : ["ignore", "pipe", "pipe"],
  });
  if (done.error) throw new StageError(`${command} cannot be started: ${done.error.message}`);
  if (done.status !== 0) {
    const said = `${done.stdout ?? ""}${done.stderr ?? ""}`.trim();
    const shown =
      said.length > OUTPUT_LIMIT ? `${said.slice(0, OUTPUT_LIMIT / 2)}\n…\n${said.slice(-OUTPUT_LIMIT / 2)}` : said;
    throw new StageError(`\`${[command, ...args].join(" ")}\` failed with exit code ${done.status}\n${shown}`);
  }
  return done.stdout ?? "";
}

/** Runs `work` unless the stamp says that it ran on the same inputs and the outputs are still there. */
export async function stage(name, { inputs, outputs }, work) {
  const stamp = path("target", "stamps", name.replaceAll(/\W+/g, "-"));
  const now = fingerprintOf(inputs);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now && outputs.every((file) => existsSync(file))) {
    line(name, "up to date");
    return;
  }
  const started = performance.now();
  const note = await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
  line(name, [note, `${((performance.now() - started) / 1000).toFixed(1)} s`].filter(Boolean).join(", "));
}

/** One line of progress. */
export function line(name, text) {
  console.log(`${name.padEnd(22)} ${text}`);
}

/** Files and strings as one hash, the same wherever the checkout lies; folders count with everything in them. */
export function fingerprintOf(inputs) {
  const hash = createHash("sha256");
  for (const input of inputs.flatMap((entry) => (existsSync(entry) ? filesOf(entry) : [entry]))) {
    const content = existsSync(input) ? readFileSync(input) : Buffer.alloc(0);
    const name = existsSync(input) ? relative(root, input).replaceAll(sep, "/") : input;
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** The files in a folder and its folders, in a fixed order; a file stands for itself. */
export function filesOf(entry) {
  if (!statSync(entry).isDirectory()) return [entry];
  return readdirSync(entry, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath, found.name))
    .sort();
}

/** Runs a script's `main`, turning a StageError into its message and exit code. */
export async function asCommand(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    console.error(error.message);
    process.exitCode = error.exitCode;
  }
}
