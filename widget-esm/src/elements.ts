/** Elements as the views make them. */

import { troubleshooting } from "tokentoss:documentation";

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  // A sentence may be in another language than the page.
  if (tag === "p" || tag === "label") made.dir = "auto";
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

/** A link to another page; hidden until `point` gives it an address. */
export function pageLink(label: string): HTMLAnchorElement {
  const link = element("a", "tokentoss-link");
  link.textContent = label;
  link.target = "_blank";
  // The page that opens is not to know of the notebook.
  link.rel = "noreferrer";
  link.hidden = true;
  return link;
}

/** Shows a link, or hides it with nothing left in the document. */
export function point(link: HTMLAnchorElement, address: string | undefined): void {
  link.hidden = !address;
  if (!address) link.removeAttribute("href");
  else if (link.getAttribute("href") !== address) link.href = address;
}

/** Shows a link to what the documents say of an error code, or hides it without one. */
export function pointToHelp(link: HTMLAnchorElement, code: string | undefined): void {
  point(link, code && `${troubleshooting}#${code}`);
}

/** A sentence with a link in it, which stands where the text says `{link}`. */
export function around(link: HTMLAnchorElement, text: string): (string | HTMLAnchorElement)[] {
  const [before = "", after = ""] = text.split("{link}");
  return [before, link, after];
}
