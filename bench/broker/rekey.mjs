// A fresh data key for a tenant: its cells are sealed anew while callers read at a steady rate.

import { setTimeout as sleep } from "node:timers/promises";
import { row } from "../row.mjs";
import { BROKER, output } from "./programs.mjs";
import { READ_USERS } from "./sizes.mjs";

/** One round lasts about two seconds: too short, because a single pause of the machine would decide its p99. */
const ROUNDS = 4;

export async function* rekey(deployment, { rate, seconds }) {
  const broker = await deployment.broker();
  const users = { users: READ_USERS, rate };
  await deployment.load("each", [broker], "bench", { users: READ_USERS });
  const before = await deployment.steady([broker], "bench", users);
  await sleep(seconds * 1000);
  const alone = await before.end();
  // Brokers read a tenant's key anew when a cell has one that they do not know, so that nothing need settle for reading.
  const args = deployment.command("rekey", "--cells", "--tenant", "bench", "--settle-seconds", "0");
  const meanwhile = await deployment.steady([broker], "bench", users);
  const done = { cells: 0, milliseconds: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const said = await output(BROKER, args, { RUST_LOG: "warn,audit=off" });
    const [, cells, milliseconds] = said.match(/(\d+) cells sealed anew in (\d+) ms/).map(Number);
    done.cells += cells;
    done.milliseconds += milliseconds;
  }
  const beside = await meanwhile.end();
  const value = (1000 * done.cells) / done.milliseconds;
  const made = row({
    name: `cells sealed anew beside ${rate} reads a second`,
    value,
    unit: "a second",
    hold: 5000,
    aim: 20_000,
    peers: { "p99 of reads alone, ms": alone.p99_ms, "beside it, ms": beside.p99_ms },
    better: "more",
  });
  // The rate counts only where readers hardly notice.
  yield { ...made, ok: made.ok && beside.p99_ms <= 2 * alone.p99_ms };
  await broker.stop();
}
