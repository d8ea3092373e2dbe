// What a broker holds in memory after each user's token was read once.

import { readFileSync } from "node:fs";
import { row } from "../row.mjs";

export async function* memory(deployment, { users }) {
  const broker = await deployment.broker();
  await deployment.load("each", [broker], "bench", { users });
  const status = readFileSync(`/proc/${broker.pid}/status`, "utf8");
  const mebibytes = (field) => Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"))[1]) / 1024;
  yield row({
    name: `memory (RSS) after the tokens of ${users} grants were read`,
    value: mebibytes("VmRSS"),
    unit: "MiB",
    hold: 64,
    aim: 40,
    peers: { "its highest": mebibytes("VmHWM"), "Keycloak, published": 1250 },
  });
  await broker.stop();
}
