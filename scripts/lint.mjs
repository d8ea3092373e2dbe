// Biome over the JavaScript, TypeScript, CSS and JSON of this repository, by its library: the command comes as a program for
// each platform, of which package registries do not carry all.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Biome } from "@biomejs/js-api/nodejs";
import { path, root, run, StageError } from "./stage.mjs";

const FOLDERS = ["js", "widget-esm", "scripts", "bench", "tests"];
const KINDS = [".ts", ".mjs", ".js", ".css", ".json"];
/** Written by programs in their own style. */
const GENERATED = ["tests/vectors/", "js/src/generated/"];

/** Lints and formats; with `fix`, rewrites what can be repaired. */
export function lint(fix) {
  const biome = new Biome();
  const { projectKey } = biome.openProject(root);
  biome.applyConfiguration(projectKey, JSON.parse(readFileSync(path("biome.json"), "utf8")));
  const complaints = sources().flatMap((filePath) => lintFile(biome, projectKey, filePath, fix));
  if (complaints.length > 0) throw new StageError(complaints.join("\n"));
}

function lintFile(biome, projectKey, filePath, fix) {
  const source = readFileSync(path(filePath), "utf8");
  const linted = biome.lintContent(projectKey, source, { filePath, ...(fix && { fixFileMode: "safeFixes" }) });
  const shown = linted.diagnostics.filter(({ severity }) => severity === "error" || severity === "warning");
  const complaints = shown.length > 0 ? [biome.printDiagnostics(shown, { filePath, fileSource: source })] : [];
  const formatted = biome.formatContent(projectKey, linted.content || source, { filePath });
  if (formatted.diagnostics.some(({ severity }) => severity === "error" || severity === "fatal")) {
    return formatted.diagnostics.map((diagnostic) => complaint(filePath, source, diagnostic));
  }
  if (formatted.content !== source) {
    if (fix) writeFileSync(path(filePath), formatted.content);
    else complaints.push(`${filePath}: not formatted; \`npm run fix\` does it`);
  }
  return complaints;
}

function complaint(filePath, source, { category, description, location }) {
  const before = Buffer.from(source)
    .subarray(0, location.span?.[0] ?? 0)
    .toString();
  return `${filePath}:${before.split("\n").length}: ${category}: ${description}`;
}

/** The files that git knows or would take. */
function sources() {
  const listed = run("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...FOLDERS]);
  return listed
    .split("\n")
    .filter((file) => KINDS.some((kind) => file.endsWith(kind)) && !GENERATED.some((folder) => file.startsWith(folder)))
    .filter((file) => existsSync(path(file)));
}
