// `npm run check`: what a compiler, a linter or a formatter can find. `npm run fix` lets them repair what they can.

import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { brokerRoutes } from "./broker_routes.mjs";
import { checkDependencies } from "./deny.mjs";
import { lint } from "./lint.mjs";
import { lintFuzzer, lintNative, lintWasm } from "./lint_rust.mjs";
import { python } from "./prepare.mjs";
import { asCommand, line, path, run, StageError } from "./stage.mjs";
import { checkWorkflows } from "./workflows.mjs";

/** Every check, each with its name. */
function checks(fix) {
  return {
    rustfmt: () => run("cargo", ["fmt", "--all", ...(fix ? [] : ["--check"])]),
    "clippy, native": lintNative,
    "clippy, WebAssembly": lintWasm,
    "clippy, fuzzer": lintFuzzer,
    "cargo deny": checkDependencies,
    tsc: () =>
      run(process.execPath, [path("node_modules", "typescript", "bin", "tsc"), "--project", path("tsconfig.json")]),
    biome: () => lint(fix),
    "broker's routes": () => brokerRoutes(fix),
    "list of error codes": () => run(python, [path("scripts", "error_codes.py"), ...(fix ? ["--fix"] : [])]),
    "bundled licences": () => run(python, [path("scripts", "third_party_licences.py"), ...(fix ? ["--fix"] : [])]),
    ruff: () => run(python, ["-m", "ruff", "check", ...(fix ? ["--fix"] : []), "."]),
    "ruff format": () => run(python, ["-m", "ruff", "format", ...(fix ? [] : ["--check"]), "."]),
    mypy: () => run(python, ["-m", "mypy"]),
    workflows: () => checkWorkflows(),
    "import order": () => run(join(dirname(python), "lint-imports"), ["--cache-dir", ".cache/import-linter"]),
  };
}

async function check() {
  const failed = [];
  for (const [name, work] of Object.entries(checks(process.argv.includes("--fix")))) {
    const started = performance.now();
    try {
      await work();
      line(name, `${((performance.now() - started) / 1000).toFixed(1)} s`);
    } catch (error) {
      if (!(error instanceof StageError)) throw error;
      failed.push(name);
      line(name, error.message);
    }
  }
  if (failed.length > 0) throw new StageError(`failed: ${failed.join(", ")}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await asCommand(check);
