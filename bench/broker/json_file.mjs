// A store of the kind that many tools have: one JSON file and a lock.

import { python } from "../../scripts/prepare.mjs";
import { path } from "../../scripts/stage.mjs";
import { output } from "./programs.mjs";

/** Measures "reads" or "herd". */
export async function jsonFile(what, options) {
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  return JSON.parse(await output(python, [path("bench", "broker", "json_file.py"), what, ...flags]));
}
