// The workflows of GitHub Actions: their form, by the schema that check-jsonschema carries, and what is unsafe in them, by zizmor.

import { dirname, join } from "node:path";
import { python } from "./prepare.mjs";
import { filesOf, path, run } from "./stage.mjs";

const FOLDER = path(".github", "workflows");

/** Fails on a workflow that GitHub would not read, and on any finding. Needs no network. */
export function checkWorkflows() {
  run(python, ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", ...filesOf(FOLDER)]);
  run(python, ["-m", "check_jsonschema", "--builtin-schema", "vendor.dependabot", path(".github", "dependabot.yml")]);
  const zizmor = join(dirname(python), process.platform === "win32" ? "zizmor.exe" : "zizmor");
  run(zizmor, ["--offline", "--no-progress", "--color", "never", "--persona", "auditor", path(".github")]);
}
