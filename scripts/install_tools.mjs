// The programs that `npm test` needs besides the packages of bootstrap.mjs: `node scripts/install_tools.mjs` for all of them,
// with `--quick` those that need no browser. A process of its own, because installing waits for networks and disks while the
// first stages can compute.

import { installApache } from "./apache.mjs";
import { bootstrap } from "./bootstrap.mjs";
import { installBrowsers } from "./browsers.mjs";
import { installGlewlwyd } from "./glewlwyd.mjs";
import { installPostgres } from "./postgres.mjs";
import { asCommand } from "./stage.mjs";
import { installRunner } from "./wasm_runner.mjs";

await asCommand(() => {
  installApache();
  if (process.argv.includes("--quick")) return;
  bootstrap(["chromium"]);
  installPostgres();
  installGlewlwyd();
  installBrowsers();
  installRunner();
});
