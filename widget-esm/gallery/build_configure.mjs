// `node widget-esm/gallery/build_configure.mjs`: every state of the form as a page to look at.

import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../../scripts/bundle.mjs";
import { asCommand, path } from "../../scripts/stage.mjs";

await asCommand(async () => {
  const folder = path("target", "gallery");
  mkdirSync(folder, { recursive: true });
  await bundle({
    entryPoints: [path("widget-esm", "gallery", "configure_gallery.ts")],
    format: "iife",
    outfile: join(folder, "configure_gallery.js"),
  });
  copyFileSync(path("widget-esm", "gallery", "configure.html"), join(folder, "configure.html"));
  copyFileSync(path("python", "tokentoss", "static", "configure.css"), join(folder, "configure.css"));
  console.log(join(folder, "configure.html"));
});
