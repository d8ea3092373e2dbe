/** Traits of one message change one after the other; they are read together once all of them did. */

import type { Connection } from "./model.ts";

/** Calls `read` after any of these traits changed, until the returned function is called. */
export function watch(model: Connection, traits: readonly string[], read: () => void): () => void {
  let due = false;
  let ended = false;
  const schedule = (): void => {
    if (due) return;
    due = true;
    queueMicrotask(() => {
      due = false;
      if (!ended) read();
    });
  };
  for (const trait of traits) model.on(`change:${trait}`, schedule);
  return () => {
    ended = true;
    for (const trait of traits) model.off(`change:${trait}`, schedule);
  };
}
