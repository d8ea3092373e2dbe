// `npm run gallery`: every state of every widget in every theme, as pages to look at. Tests have a folder of their own built.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../../scripts/bundle.mjs";
import { asCommand, path } from "../../scripts/stage.mjs";

await asCommand(async () => {
  const folder = process.argv[2] ?? path("target", "gallery");
  mkdirSync(folder, { recursive: true });
  await bundle({
    entryPoints: [path("widget-esm", "gallery", "gallery.ts")],
    format: "iife",
    outfile: join(folder, "gallery.js"),
  });
  const styles = ["auth.css", "configure.css", "status.css"].map((name) =>
    readFileSync(path("widget-esm", "src", name), "utf8"),
  );
  writeFileSync(join(folder, "widgets.css"), styles.join("\n"));
  copyFileSync(path("widget-esm", "gallery", "index.html"), join(folder, "index.html"));
  console.log(join(folder, "index.html"));
});
