// A thousand callers on three replicas need one user's token when it has ended.

import { StageError } from "../../scripts/stage.mjs";
import { row } from "../row.mjs";
import { jsonFile } from "./json_file.mjs";
import { median } from "./sizes.mjs";

/** How long the provider takes, in milliseconds. */
const UPSTREAM = 300;

export async function* herd(deployment, { callers, herds, fileUsers }) {
  await deployment.fill("herd", herds + 1);
  const replicas = await Promise.all([deployment.broker(), deployment.broker(), deployment.broker()]);
  await deployment.provider.takes(UPSTREAM);
  // The first one opens the connections.
  await deployment.load("herd", replicas, "herd", { user: herds, callers });
  const found = [];
  for (let user = 0; user < herds; user += 1) {
    const before = await deployment.provider.count();
    const { p99_ms: p99, tokens } = await deployment.load("herd", replicas, "herd", { user, callers });
    found.push({ calls: (await deployment.provider.count()) - before, beyond: p99 - UPSTREAM, tokens });
  }
  const before = await deployment.provider.count();
  const file = await jsonFile("herd", { endpoint: deployment.provider.origin, callers, users: fileUsers });
  const fileCalls = (await deployment.provider.count()) - before;
  await deployment.provider.takes(0);
  if (found.some(({ calls, tokens }) => calls === 0 || tokens !== 1)) {
    throw new StageError("a herd got tokens that were not refreshed for it");
  }
  yield row({
    name: `upstream calls for ${callers} callers on 3 replicas`,
    value: Math.max(...found.map(({ calls }) => calls)),
    unit: "",
    hold: 1,
    aim: 1,
    peers: { "JSON file and lock": fileCalls },
  });
  yield row({
    name: "their p99 beyond the upstream's own time",
    value: median(found.map(({ beyond }) => beyond)),
    unit: "ms",
    hold: 150,
    aim: 50,
    peers: { "JSON file and lock": file.p99_ms - UPSTREAM },
  });
  await Promise.all(replicas.map((replica) => replica.stop()));
}
