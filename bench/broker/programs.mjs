// The two programs of the broker's benchmark, as a release has them: the broker, and what puts load on it.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { path, root, run, StageError } from "../../scripts/stage.mjs";

const FOLDER = join(process.env.CARGO_TARGET_DIR ?? path("target"), "release");
export const BROKER = join(FOLDER, "tokentoss-broker");
const LOAD = join(FOLDER, "tokentoss-load");

/** Builds both. */
export function buildPrograms() {
  const packages = ["tokentoss-broker", "tokentoss-load"].flatMap((name) => ["--package", name]);
  run("cargo", ["build", "--release", "--quiet", "--locked", ...packages]);
}

/** Runs a command of the load's program to its end; what it measured. */
export async function load(command, options) {
  return JSON.parse(await output(LOAD, [command, ...flags(options)]));
}

/** The standard output of a program that ends well. */
export async function output(program, args, env = {}) {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part) => {
    text += part;
  });
  const status = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  if (status !== 0) throw new StageError(`${program} ${args[0]} ended with status ${status}`);
  return text;
}

/** Puts a steady load on, from when its times are counted; `end` stops it, and is what it measured. */
export async function steadyLoad(options) {
  const { end } = await start(LOAD, ["steady", ...flags(options)]);
  return { end: async () => JSON.parse(await end()) };
}

/** Starts a program that runs until it is ended; `line` is the first one that it prints, `end` has it print the last. */
export async function start(program, args, env = {}) {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let last;
  const first = new Promise((resolve, reject) => {
    child.once("error", reject);
    const lines = createInterface({ input: child.stdout });
    lines.once("line", resolve);
    lines.on("line", (line) => {
      last = line;
    });
    ended.then((status) => reject(new StageError(`${program} ended with status ${status} before it was ready`)));
  });
  const stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    await ended;
  };
  const end = async () => {
    child.stdin.end();
    const status = await ended;
    if (status !== 0) throw new StageError(`${program} ${args[0]} ended with status ${status}`);
    return last;
  };
  return { pid: child.pid, line: await first, stop, end };
}

/** The provider. */
export async function startProvider() {
  const { line, stop } = await start(LOAD, ["provider"]);
  const { origin } = JSON.parse(line);
  return {
    origin,
    stop,
    /** Token requests so far. */
    count: async () => Number(await (await fetch(`${origin}/count`)).text()),
    /** How long its answers take from now on, in milliseconds. */
    takes: (milliseconds) => fetch(`${origin}/takes/${milliseconds}`, { method: "PUT" }),
  };
}

function flags(options) {
  return Object.entries(options).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => [`--${name}`, String(value)]),
  );
}
