// The status widget's part of `npm run build`: it has no WebAssembly.

import { readFileSync, writeFileSync } from "node:fs";
import { bundleShipped, texts } from "./bundle.mjs";
import { line, path, StageError, stage } from "./stage.mjs";

/** The most characters that it may have; every notebook cell that shows it carries it. */
const CHARACTER_LIMIT = 20_480;

const module = path("python", "tokentoss", "static", "status.js");

/** Builds what is out of date. */
export async function buildStatus() {
  const sources = [...["js/src", "widget-esm/src", "scripts", "pyproject.toml"].map((name) => path(name)), texts];
  await stage("status.js", { inputs: sources, outputs: [module] }, assemble);
  // It shares colours, status line and text buttons with the sign-in.
  const styles = ["auth.css", "status.css"].map((name) => readFileSync(path("widget-esm", "src", name), "utf8"));
  writeFileSync(path("python", "tokentoss", "static", "status.css"), styles.join("\n"));
  checkSize();
}

async function assemble() {
  await bundleShipped({ entryPoints: [path("widget-esm", "src", "status.ts")], outfile: module, minify: true }, {});
}

function checkSize() {
  const characters = readFileSync(module, "utf8").length;
  line("", `${characters} characters, of at most ${CHARACTER_LIMIT}`);
  if (characters <= CHARACTER_LIMIT) return;
  throw new StageError(`status.js is ${characters - CHARACTER_LIMIT} characters too long`);
}
