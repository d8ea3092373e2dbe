/** Pages as hosts make them: what says whether they are dark, their colours, and how much room there is. */

export interface Theme {
  /** Attributes of the root element and of the body. */
  html?: Record<string, string>;
  body?: Record<string, string>;
  /** Declarations for the body. */
  style: string;
  /** Widgets are in a shadow root, as in marimo. */
  shadow?: true;
  /** There is no more room than JupyterLab leaves at 200 %. */
  narrow?: true;
}

const light: Theme = {
  body: { "data-jp-theme-light": "true" },
  style:
    "background: #fff; --jp-ui-font-color1: rgb(0 0 0 / 87%); --jp-ui-font-color2: rgb(0 0 0 / 54%); --jp-layout-color1: white",
};

export const themes: Record<string, Theme> = {
  light,
  dark: {
    body: { "data-jp-theme-light": "false" },
    style:
      "background: #111; --jp-ui-font-color1: #fff; --jp-ui-font-color2: rgb(255 255 255 / 70%); --jp-layout-color1: #111",
  },
  // White behind widgets, as VS Code has it in every theme.
  "vscode-light": {
    body: { class: "vscode-light", "data-vscode-theme-kind": "vscode-light" },
    style:
      "background: #fff; --vscode-foreground: #3b3b3b; --vscode-descriptionForeground: #3b3b3b; --vscode-editor-background: #fff",
  },
  "vscode-dark": {
    body: { class: "vscode-dark", "data-vscode-theme-kind": "vscode-dark" },
    style:
      "background: #fff; --vscode-foreground: #ccc; --vscode-descriptionForeground: #9d9d9d; --vscode-editor-background: #1f1f1f",
  },
  "colab-dark": { html: { theme: "dark" }, style: "background: #383838" },
  "marimo-dark": {
    body: { class: "dark dark-theme", "data-theme": "dark" },
    style: "background: #181c1a; color-scheme: dark",
    shadow: true,
  },
  rtl: { ...light, html: { dir: "rtl", lang: "he" } },
  narrow: { ...light, narrow: true },
};

/** Makes the page one of that theme. */
export function apply({ html = {}, body = {}, style }: Theme): void {
  for (const [name, value] of Object.entries(html)) document.documentElement.setAttribute(name, value);
  for (const [name, value] of Object.entries(body)) document.body.setAttribute(name, value);
  document.body.style.cssText = style;
}
