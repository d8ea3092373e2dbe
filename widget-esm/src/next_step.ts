/** Controls for next steps that are taken elsewhere than in the widget. */

import { textButton } from "./elements.ts";

/** A button that leads to the cell that shows it; the style sheet shows it in Jupyter's notebooks only, where that is found. */
export function cellButton(label: string): HTMLButtonElement {
  const button = textButton(label);
  button.classList.add("tokentoss-to-cell");
  button.onclick = () => {
    // A cell whose code is folded has no editor; the click has chosen the cell all the same.
    const editor = button.closest(".jp-Cell")?.querySelector<HTMLElement>(".jp-InputArea-editor .cm-content");
    editor?.scrollIntoView({ block: "nearest" });
    editor?.focus();
  };
  return button;
}

export function reloadButton(label: string): HTMLButtonElement {
  const button = textButton(label);
  button.classList.add("tokentoss-reload");
  button.onclick = () => location.reload();
  return button;
}

/** Whether a reload brings a kernel: not in a frame of somebody else's page, nor, by the style sheet, in a notebook's cell. */
export const isWholePage = (): boolean => window.top === window;
