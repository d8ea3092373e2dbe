// Reads of tokens that have life enough, beside the same broker's /livez and a hub that gives out `auth_state`.

import { path } from "../../scripts/stage.mjs";
import { row } from "../row.mjs";
import { withHub } from "./hub.mjs";
import { jsonFile } from "./json_file.mjs";
import { oidcAgent } from "./oidc_agent.mjs";
import { READ_USERS } from "./sizes.mjs";
import { wrk } from "./wrk.mjs";

/** The reads a second that must be reached. */
const RATE = 10_000;
/** How long each of the 64 connections rests between two reads, in milliseconds, for a little more than that rate. */
const REST_MS = 5;
/** The hub answers all connections at about the same time, after a while. */
const HUB_SECONDS = 6;

export async function* reads(deployment, { seconds, fileUsers }) {
  const broker = await deployment.broker();
  const users = String(READ_USERS);
  const script = {
    script: path("bench", "broker", "token.lua"),
    env: { BENCH_KEY: deployment.key, BENCH_USERS: users },
  };
  const read = () => wrk(`${broker.callers}/v1/token`, seconds, script);
  await deployment.load("each", [broker], "bench", { users: READ_USERS });
  const own = await read();
  // As fast as it can, every connection waits for the other 63; a promise of a time holds for a rate.
  const paced = await wrk(`${broker.callers}/v1/token`, seconds, {
    ...script,
    env: { ...script.env, BENCH_REST_MS: String(REST_MS) },
  });
  const livez = await wrk(`${broker.administrators}/livez`, seconds);
  await broker.stop();
  const hub = await withHub(({ url, token }) =>
    wrk(url, Math.max(seconds, HUB_SECONDS), {
      script: path("bench", "broker", "user.lua"),
      env: { BENCH_KEY: token },
    }),
  );
  const agent = await oidcAgent(deployment.provider, seconds);
  const file = await jsonFile("reads", { users: fileUsers, seconds });
  yield row({
    name: "cached reads, 64 connections",
    value: own.rate,
    unit: "a second",
    hold: Math.max(RATE, 100 * hub.rate),
    aim: 0.7 * livez.rate,
    peers: { "own /livez": livez.rate, "JupyterHub auth_state": hub.rate, ...agent, "JSON file and lock": file.rate },
    better: "more",
  });
  yield row({
    name: `cached read, p99 at ${Math.round(paced.rate)} a second`,
    value: paced.p99,
    unit: "ms",
    hold: 5,
    aim: 2,
    peers: {
      "as many as it can": own.p99,
      "own /livez, as many as it can": livez.p99,
      "JupyterHub auth_state, as many as it can": hub.p99,
    },
    digits: 2,
  });
}
