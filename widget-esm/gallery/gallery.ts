/** Every state of one widget in one theme, for looking at, for screenshots and for axe: `?widget=…&theme=…`. */

import { drawConfigure } from "./configure_states.ts";
import { drawSignIn } from "./sign_in_states.ts";
import { drawStatus } from "./status_states.ts";
import { apply, themes } from "./themes.ts";

interface Widget {
  draw: (place: (title: string) => ParentNode) => void;
  /** Heights that every state fits in, in pixels: at the usual width, and where it is narrow. */
  heights: [usual: number, narrow: number];
}

const WIDTHS: Widget["heights"] = [420, 180];

const widgets: Record<string, Widget> = {
  sign_in: { draw: drawSignIn, heights: [450, 780] },
  configure: { draw: drawConfigure, heights: [620, 860] },
  status: { draw: drawStatus, heights: [300, 620] },
};

const asked = new URLSearchParams(location.search);
const widget = widgets[asked.get("widget") ?? ""];
const theme = themes[asked.get("theme") ?? ""];

if (widget && theme) {
  apply(theme);
  const [width, height] = [WIDTHS, widget.heights].map((sizes) => sizes[theme.narrow ? 1 : 0]);
  const sheet = document.createElement("main");
  document.body.append(sheet);
  widget.draw((title) => {
    const slot = document.createElement("section");
    slot.style.inlineSize = `${width}px`;
    slot.style.blockSize = `${height}px`;
    slot.dataset.title = title;
    sheet.append(slot);
    if (!theme.shadow) return slot;
    const root = slot.attachShadow({ mode: "open" });
    const styles = document.createElement("link");
    styles.rel = "stylesheet";
    styles.href = "widgets.css";
    root.append(styles);
    return root;
  });
} else {
  // The page of pages.
  for (const shown of Object.keys(widgets)) {
    for (const name of Object.keys(themes)) {
      const frame = document.createElement("iframe");
      const heading = document.createElement("h2");
      heading.textContent = `${shown}, ${name}`;
      frame.title = heading.textContent;
      frame.src = `?widget=${shown}&theme=${name}`;
      document.body.append(heading, frame);
    }
  }
}
