// wrk: as many requests as 64 connections can have answered.

import { StageError } from "../../scripts/stage.mjs";
import { WRK } from "../../scripts/wrk.mjs";
import { output } from "./programs.mjs";

const CONNECTIONS = 64;
const UNITS = { us: 0.001, ms: 1, s: 1000 };

/** Answers in a second and their p99 in milliseconds; `script` makes the requests, and reads `env`. */
export async function wrk(url, seconds, { script, env } = {}) {
  const options = [
    "--threads",
    "1",
    "--connections",
    String(CONNECTIONS),
    "--duration",
    `${seconds}s`,
    "--timeout",
    "30s",
    "--latency",
  ];
  const scripted = script ? ["--script", script] : [];
  const text = await output(WRK, [...options, ...scripted, url], env);
  if (/Non-2xx|Socket errors/.test(text)) throw new StageError(`wrk at ${url}:\n${text}`);
  if (/^ +0 requests in/m.test(text)) throw new StageError(`wrk at ${url}: no answer in ${seconds} s`);
  const [, p99, unit] = text.match(/99%\s+([\d.]+)(us|ms|s)/);
  return { rate: Number(text.match(/Requests\/sec:\s+([\d.]+)/)[1]), p99: Number(p99) * UNITS[unit] };
}
