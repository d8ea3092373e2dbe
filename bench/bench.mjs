// `npm run bench` prints a table, `npm run bench -- --json` one object a line; ends non-zero when a "hold" number is missed.
// `--only broker` or `--only notebook` measures one half; `--small` tries the broker's half, and its numbers mean nothing.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { prepare, python } from "../scripts/prepare.mjs";
import { asCommand, path, root, StageError } from "../scripts/stage.mjs";
import { brokerRows } from "./broker/rows.mjs";
import { FULL, SMALL } from "./broker/sizes.mjs";
import { verdict } from "./row.mjs";

const HALVES = ["notebook", "broker"];

const number = (value) => value?.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : 1 }) ?? "–";
const columns = (what, value, hold, aim, judged, peers) =>
  [what.padEnd(52), value.padStart(18), hold.padStart(9), aim.padStart(9), judged.padStart(8), ` ${peers}`].join(" ");

function tableRow(row) {
  const peers = Object.entries(row.peers).map(([name, value]) => `${name} ${number(value)}`);
  return columns(
    row.name,
    `${number(row.value)} ${row.unit}`,
    number(row.hold),
    number(row.aim),
    verdict(row),
    peers.join(", "),
  );
}

/** Runs the Python measurements; yields their rows as they come. */
async function* pythonRows() {
  const child = spawn(python, [path("bench", "python_side.py")], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line);
  const status = await ended;
  if (status !== 0) throw new StageError(`bench/python_side.py ended with status ${status}`);
}

/** The rows that users of notebooks notice. */
async function notebookRows(add) {
  await prepare();
  // After the preparation: a fresh checkout has no packages to import before it.
  const { esmSize } = await import("./esm_size.mjs");
  add(await esmSize());
  for await (const row of pythonRows()) add(row);
}

async function bench() {
  const { values: options } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: HALVES },
      small: { type: "boolean", default: false },
    },
  });
  const unknown = options.only.filter((half) => !HALVES.includes(half));
  if (unknown.length > 0) throw new StageError(`--only takes ${HALVES.join(" or ")}, not ${unknown.join(", ")}`);

  const rows = [];
  const add = (row) => {
    rows.push(row);
    if (options.json) console.log(JSON.stringify(row));
  };
  if (options.only.includes("notebook")) await notebookRows(add);
  if (options.only.includes("broker")) await brokerRows(options.small ? SMALL : FULL, add);

  if (!options.json) {
    console.log(columns("what", "value", "hold", "aim", "verdict", "peers"));
    for (const row of rows) console.log(tableRow(row));
  }
  if (rows.some((row) => !row.ok)) process.exitCode = 1;
}

await asCommand(bench);
