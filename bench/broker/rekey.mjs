// A fresh data key for a tenant: its cells are sealed anew while callers read at a steady rate.

import { row } from "../row.mjs";
import { BROKER, output } from "./programs.mjs";
import { READ_USERS } from "./sizes.mjs";

export async function* rekey(deployment, { rate, seconds }) {
  const broker = await deployment.broker();
  const second = () => deployment.load("steady", [broker], "bench", { users: READ_USERS, rate, seconds: 1 });
  await deployment.load("each", [broker], "bench", { users: READ_USERS });
  const alone = [];
  while (alone.length < seconds / 2) alone.push(await second());
  // Brokers read a tenant's key anew when a cell has one that they do not know, so that nothing need settle for reading.
  const args = deployment.command("rekey", "--cells", "--tenant", "bench", "--settle-seconds", "0");
  const work = output(BROKER, args, { RUST_LOG: "warn" });
  let isOver = false;
  work.finally(() => {
    isOver = true;
  });
  const beside = [];
  do beside.push(await second());
  while (!isOver);
  const [, cells, milliseconds] = (await work).match(/(\d+) cells sealed anew in (\d+) ms/);
  const value = Number(cells) / (Number(milliseconds) / 1000);
  const worst = (windows) => Math.max(...windows.map(({ p99_ms }) => p99_ms));
  const made = row({
    name: `cells sealed anew beside ${rate} reads a second`,
    value,
    unit: "a second",
    hold: 5000,
    aim: 20_000,
    peers: { "p99 of reads alone, ms": worst(alone), "beside it, ms": worst(beside) },
    better: "more",
  });
  // The rate counts only where readers hardly notice.
  yield { ...made, ok: made.ok && worst(beside) <= 2 * worst(alone) };
  await broker.stop();
}
