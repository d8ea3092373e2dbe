// A second clone of this commit, in another folder, must build the very same bytes.

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { asCommand, line, path, run, StageError } from "./stage.mjs";

const BUILT = ["auth.js", "configure.js", "status.js"];
/** What the build makes of the crates of this repository, and of nothing else; a copy of it would prove nothing. */
const OWN = /\/(stamps|widget|configure|glue|judge|incremental)$|\/(lib)?tokentoss[-_][^/]*$/;
/** Where the build keeps compiled dependencies; a clone of them saves minutes. */
const COMPILED = [join("wasm32-unknown-unknown", "wasm-release"), "wasm-release", "tool"];

await asCommand(async () => {
  await build();
  const folder = mkdtempSync(join(tmpdir(), "tokentoss-clone-"));
  try {
    const clone = join(folder, "elsewhere");
    makeClone(clone);
    // A folder set for all builds of this machine would be the same for both.
    run(process.execPath, [join(clone, "scripts", "build.mjs")], { cwd: clone, env: { CARGO_TARGET_DIR: undefined } });
    const differing = BUILT.filter(
      (name) => !readFileSync(built(path(), name)).equals(readFileSync(built(clone, name))),
    );
    if (differing.length > 0) {
      throw new StageError(`${differing.join(" and ")}: another folder makes other bytes of the same sources`);
    }
    line("reproducible", BUILT.join(", "));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The sources as they are here, what is not committed included, with the compiled dependencies of this folder. */
function makeClone(clone) {
  run("git", ["clone", "--quiet", "--no-hardlinks", path(), clone]);
  const changed =
    run("git", ["diff", "--name-only", "HEAD"]) + run("git", ["ls-files", "--others", "--exclude-standard"]);
  for (const file of changed.split("\n").filter(Boolean)) {
    if (existsSync(path(file))) cpSync(path(file), join(clone, file));
    else rmSync(join(clone, file), { force: true });
  }
  symlinkSync(path("node_modules"), join(clone, "node_modules"));
  for (const part of COMPILED) {
    const options = { recursive: true, preserveTimestamps: true, filter: (file) => !OWN.test(file) };
    if (existsSync(path("target", part))) cpSync(path("target", part), join(clone, "target", part), options);
  }
}

function built(checkout, name) {
  return join(checkout, "python", "tokentoss", "static", name);
}
