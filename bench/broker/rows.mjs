// The broker's rows, in the order in which one deployment can give them.

import { withPostgres } from "../../scripts/postgres.mjs";
import { installWrk } from "../../scripts/wrk.mjs";
import { withDeployment } from "./deployment.mjs";
import { herd } from "./herd.mjs";
import { memory } from "./memory.mjs";
import { buildPrograms } from "./programs.mjs";
import { reads } from "./reads.mjs";
import { refreshes } from "./refreshes.mjs";
import { rekey } from "./rekey.mjs";
import { startToReady } from "./start.mjs";
import { takeover } from "./takeover.mjs";

/** `refreshes` leaves the grants that the later ones read. */
const MEASUREMENTS = [herd, takeover, refreshes, startToReady, memory, reads, rekey];

/** Measures; hands each row to `add` as it comes. */
export async function brokerRows(size, add) {
  installWrk();
  buildPrograms();
  await withPostgres((database) =>
    withDeployment(database, async (deployment) => {
      for (const measure of MEASUREMENTS) {
        console.error(`broker: ${measure.name}`);
        for await (const row of measure(deployment, size)) add(row);
      }
    }),
  );
}
