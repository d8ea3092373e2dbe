/** What a closed model leaves behind. */

interface Texts {
  get(name: string): unknown;
  set(name: string, value: string): void;
}

/**
 * Empties the large texts of a model that its host closed. JupyterLab never forgets a comm, nor the model behind it, so that
 * a cell that is run again and again would fill the page with copies of this code.
 */
export function empty(model: object): void {
  const texts = model as Texts;
  // When whoever watches them, to load the code anew, is gone, too.
  queueMicrotask(() => {
    const names = ["_esm", "_css"].filter((name) => texts.get(name));
    // Twice, because Backbone keeps the state before the latest change.
    for (const name of [...names, ...names]) texts.set(name, "");
  });
}
