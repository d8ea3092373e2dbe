// `npm run docs`: the documents as a web site in target/docs. It asks no network, and a warning (a broken link, a name that the
// reference lacks) fails it.

import { rmSync } from "node:fs";
import { python } from "./prepare.mjs";
import { asCommand, line, path, run } from "./stage.mjs";

await asCommand(() => {
  const started = performance.now();
  const site = path("target", "docs");
  // A page that is gone would stay otherwise.
  rmSync(site, { recursive: true, force: true });
  const strict = ["--fail-on-warning", "--keep-going", "--quiet"];
  const pages = ["--doctree-dir", path("target", "docs-doctrees"), path("docs"), site];
  run(python, ["-m", "sphinx", "--builder", "html", ...strict, ...pages]);
  line("docs", `target/docs/index.html, ${((performance.now() - started) / 1000).toFixed(1)} s`);
});
