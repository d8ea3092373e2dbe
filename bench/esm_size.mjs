// Characters of the widget's module, beside the JavaScript of two sign-in libraries bundled and minified in the same run.

import { readFile } from "node:fs/promises";
import { build } from "esbuild";
import { path } from "../scripts/stage.mjs";

const WIDGET = path("python", "tokentoss", "static", "auth.js");
const HOLD = 120 * 1024;
const PEERS = ["oidc-client-ts", "@azure/msal-browser"];

async function bundledCharacters(name) {
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(name)};`, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0].text.length;
}

/** The row of the size; the aim is the library that has no sealing to do. */
export async function esmSize() {
  const value = (await readFile(WIDGET, "utf8")).length;
  const peers = Object.fromEntries(await Promise.all(PEERS.map(async (name) => [name, await bundledCharacters(name)])));
  return {
    name: "_esm of the auth widget",
    value,
    unit: "characters",
    hold: HOLD,
    aim: peers[PEERS[0]],
    peers,
    ok: value <= HOLD,
  };
}
