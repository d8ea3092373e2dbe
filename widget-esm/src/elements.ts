/** Elements as the views make them. */

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}

/** A button that looks like a link; hidden until it has a use. */
export function textButton(label: string): HTMLButtonElement {
  const button = element("button", "tokentoss-action");
  button.type = "button";
  button.textContent = label;
  button.hidden = true;
  return button;
}
