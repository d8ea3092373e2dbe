// A JupyterHub that keeps tokens in `auth_state`.

import { python } from "../../scripts/prepare.mjs";
import { path } from "../../scripts/stage.mjs";
import { start } from "./programs.mjs";

/** Runs `use` with the address of a user and an administrator's token. */
export async function withHub(use) {
  const { line, stop } = await start(python, [path("bench", "broker", "hub_peer.py")]);
  try {
    return await use(JSON.parse(line));
  } finally {
    await stop();
  }
}
