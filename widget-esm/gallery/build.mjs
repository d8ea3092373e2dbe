// `node widget-esm/gallery/build.mjs`: every state of the sign-in view as a page to look at.

import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../../scripts/bundle.mjs";
import { asCommand, path } from "../../scripts/stage.mjs";

await asCommand(async () => {
  const folder = path("target", "gallery");
  mkdirSync(folder, { recursive: true });
  await bundle({
    entryPoints: [path("widget-esm", "gallery", "gallery.ts")],
    format: "iife",
    outfile: join(folder, "gallery.js"),
  });
  copyFileSync(path("widget-esm", "gallery", "index.html"), join(folder, "index.html"));
  copyFileSync(path("widget-esm", "src", "auth.css"), join(folder, "auth.css"));
  console.log(join(folder, "index.html"));
});
