// `npm run pictures`: the pictures of the documents, of the running widget in JupyterLab, into docs/pictures.

import { prepare, python } from "./prepare.mjs";
import { asCommand, path, run } from "./stage.mjs";

await asCommand(async () => {
  await prepare();
  run(python, [path("scripts", "pictures.py")]);
});
