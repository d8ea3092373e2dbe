// From the start of the process to its readiness.

import { setTimeout as pause } from "node:timers/promises";
import { row } from "../row.mjs";
import { median } from "./sizes.mjs";

export async function* startToReady(deployment, { starts }) {
  const times = [];
  for (let count = 0; count < starts; count += 1) {
    const began = performance.now();
    const broker = await deployment.broker();
    while (!(await isReady(broker))) await pause(2);
    times.push(performance.now() - began);
    await broker.stop();
  }
  yield row({ name: "start to ready", value: median(times), unit: "ms", hold: 300, aim: 100 });
}

async function isReady({ administrators }) {
  const answer = await fetch(`${administrators}/readyz`);
  await answer.arrayBuffer();
  return answer.ok;
}
