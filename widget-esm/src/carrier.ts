/**
 * The file that every notebook cell with the widget carries: as little code as opens the rest, which is deflated.
 *
 * What is inside is opened once per page, however often a cell is run: browsers never forget a module that they imported.
 */

import { fingerprint, moduleSize, packed, size } from "tokentoss:packed";
import { webassembly_failed } from "tokentoss:sentences";
import { unpack } from "../../js/src/base91.ts";
import type makeWidget from "./auth.ts";

type Widget = ReturnType<ReturnType<typeof makeWidget>>;

const SLOT = Symbol.for(`tokentoss/${fingerprint}`);

async function open(): Promise<() => Widget> {
  const inflated = new Blob([unpack(packed, size)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const bytes = await new Response(inflated).arrayBuffer();
  const url = URL.createObjectURL(new Blob([bytes.slice(0, moduleSize)], { type: "text/javascript" }));
  try {
    return (await import(url)).default(bytes.slice(moduleSize));
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** What there is to show when nothing could be opened. */
const unopened: Widget = {
  initialize: () => () => {},
  render({ el }) {
    el.textContent = webassembly_failed;
    return undefined;
  },
};

/** A widget definition for one more model, as anywidget asks for it. */
export default async (): Promise<Widget> => {
  const page = globalThis as { [SLOT]?: Promise<() => Widget> | undefined };
  try {
    page[SLOT] ??= open();
    return (await page[SLOT])();
  } catch (reason) {
    page[SLOT] = undefined;
    console.error("tokentoss cannot start:", reason);
    return unopened;
  }
};
