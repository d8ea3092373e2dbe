// A broker is killed while it waits for the provider's answer; another one on the same database takes over.

import { setTimeout as pause } from "node:timers/promises";
import { StageError } from "../../scripts/stage.mjs";
import { row } from "../row.mjs";

/** Longer than anybody waits, in milliseconds. */
const HELD = 60_000;

export async function* takeover(deployment) {
  await deployment.fill("takeover", 1);
  const [first, second] = await Promise.all([deployment.broker(), deployment.broker()]);
  await deployment.provider.takes(HELD);
  const before = await deployment.provider.count();
  const left = deployment.ask(first, "takeover", 0).catch(() => null);
  while ((await deployment.provider.count()) === before) await pause(5);
  await deployment.provider.takes(0);
  const killed = performance.now();
  await first.stop("SIGKILL");
  await left;
  let status = 503;
  // A caller that comes again as soon as it is told to.
  while (status === 503) {
    status = await deployment.ask(second, "takeover", 0);
    if (status === 503) await pause(50);
  }
  if (status !== 200) throw new StageError(`the broker that took over answered ${status}`);
  const seconds = (performance.now() - killed) / 1000;
  yield row({ name: "takeover after kill -9 in a refresh", value: seconds, unit: "s", hold: 21, aim: 12 });
  await second.stop();
}
