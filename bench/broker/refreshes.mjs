// Each of many users needs a refresh, one refresh each, on Postgres.

import { StageError } from "../../scripts/stage.mjs";
import { row } from "../row.mjs";

export async function* refreshes(deployment, { users }) {
  await deployment.fill("bench", users);
  const broker = await deployment.broker();
  const before = await deployment.provider.count();
  const { seconds } = await deployment.load("each", [broker], "bench", { users });
  const calls = (await deployment.provider.count()) - before;
  if (calls !== users) throw new StageError(`${calls} upstream calls for ${users} users`);
  yield row({
    name: "distinct refreshes on Postgres, one broker",
    value: users / seconds,
    unit: "a second",
    hold: 500,
    aim: 1500,
    peers: { "Keycloak, published, a vCPU": 120 },
    better: "more",
  });
  await broker.stop();
}
