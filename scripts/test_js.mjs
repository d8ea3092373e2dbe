// `npm run test:js`: the unit tests of js/, on Node's own runner.

import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { build, glueModule } from "./build.mjs";
import { bundle } from "./bundle.mjs";
import { asCommand, filesOf, path, run } from "./stage.mjs";

await asCommand(async () => {
  await build();
  const folder = path("target", "test-js");
  rmSync(folder, { recursive: true, force: true });
  const tests = filesOf(path("js", "test")).filter((file) => file.endsWith(".test.ts"));
  const { modules, ...names } = glueModule();
  await bundle(
    {
      entryPoints: tests,
      outdir: folder,
      entryNames: "[name]",
      outExtension: { ".js": ".mjs" },
      platform: "node",
      sourcemap: "inline",
      ...names,
    },
    modules,
  );
  const bundles = tests.map((test) => join(folder, basename(test).replace(/\.ts$/, ".mjs")));
  run(process.execPath, ["--enable-source-maps", "--test", ...bundles], { inherit: true });
});
