// What tokentoss-core decides, compiled to WebAssembly.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { NONCE, NOW, STATE, ticketText } from "./attempt.mjs";

const GLUE = "tokentoss_judge_bg.js";

/** The two decisions, from the folder that the glue is in. */
export async function loadOurs(folder) {
  const glue = await import(pathToFileURL(join(folder, GLUE)).href);
  const wasm = readFileSync(join(folder, "tokentoss_judge_bg.wasm"));
  const { instance } = await WebAssembly.instantiate(wasm, { [`./${GLUE}`]: glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start?.();
  const judges = [false, true].map((supported) => new glue.Judge(ticketText(supported), STATE, NONCE));
  return {
    callback: ({ query, issParameterSupported }) => JSON.parse(judges[Number(issParameterSupported)].callback(query)),
    answer: ({ status, body }) => JSON.parse(judges[0].answer(status, body, NOW)),
  };
}
