// `npm run package`: wheel, source archive and bill of materials of the Python package, into dist/.

import { mkdirSync, rmSync } from "node:fs";
import { build } from "./build.mjs";
import { python } from "./prepare.mjs";
import { asCommand, path, run } from "./stage.mjs";

const FOLDER = path("dist");

await asCommand(async () => {
  await build();
  // What an earlier version left there must not be published with this one.
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  run(python, [path("scripts", "archives.py"), FOLDER], { inherit: true });
});
