/** A place to drop a file, or to choose one; it keeps the file's handle only, not its content. */

import { labels } from "./configure_labels.ts";
import { element, textButton } from "./elements.ts";

/** The largest client_secrets.json that the kernel reads, in bytes. */
const SIZE_LIMIT = 65_536;

export class FileDrop {
  readonly root = element("div", "tokentoss-drop");
  readonly #onChange: () => void;
  readonly #text = element("span", "tokentoss-drop-text");
  readonly #choose = textButton(labels.choose);
  readonly #remove = textButton(labels.remove);
  readonly #input = element("input", "tokentoss-file");
  readonly #hint = element("p", "tokentoss-hint");
  #file: File | null = null;
  #enabled = true;

  /** `target` is the element on which files may be dropped. */
  constructor(target: HTMLElement, onChange: () => void) {
    this.#onChange = onChange;
    this.#input.type = "file";
    this.#input.accept = ".json,application/json";
    // The button opens it; by itself it would be a second stop for the keyboard.
    this.#input.hidden = true;
    this.#input.onchange = () => this.#take(this.#input.files);
    this.#choose.onclick = () => this.#input.click();
    this.#remove.onclick = () => this.clear();
    this.#hint.setAttribute("role", "alert");
    this.root.append(this.#text, " ", this.#choose, this.#remove, this.#input, this.#hint);
    this.#listen(target);
    this.#show();
  }

  /** The chosen file, or null. */
  get file(): File | null {
    return this.#file;
  }

  set enabled(enabled: boolean) {
    this.#enabled = enabled;
    this.#choose.disabled = !enabled;
    this.#remove.disabled = !enabled;
  }

  /** Gives its button the focus. */
  focus(): void {
    this.#choose.focus();
  }

  /** Says that a file is needed. */
  complain(reason: string): void {
    this.#show(reason);
    this.focus();
  }

  /** Lets go of the file; says why, if there is a reason. */
  clear(reason = ""): void {
    const focused = this.#remove.matches(":focus");
    this.#file = null;
    this.#show(reason);
    if (focused) this.#choose.focus();
    this.#onChange();
  }

  #listen(target: HTMLElement): void {
    // A counter, because entering a child comes before leaving its parent.
    let inside = 0;
    const over = (event: DragEvent, step: number) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      // Else the host takes the file, or the browser leaves the page for it.
      event.preventDefault();
      event.stopPropagation();
      event.dataTransfer.dropEffect = this.#enabled ? "copy" : "none";
      inside = Math.max(0, inside + step);
      target.toggleAttribute("data-dropping", inside > 0 && this.#enabled);
    };
    target.addEventListener("dragenter", (event) => over(event, 1));
    target.addEventListener("dragover", (event) => over(event, 0));
    target.addEventListener("dragleave", (event) => over(event, -1));
    target.addEventListener("drop", (event) => {
      over(event, -inside);
      if (this.#enabled && event.dataTransfer?.types.includes("Files")) this.#take(event.dataTransfer.files);
    });
  }

  #take(files: FileList | null): void {
    const [file, ...others] = files ?? [];
    // Emptied, so that the same file can be chosen again after it was corrected.
    this.#input.value = "";
    if (!file) return;
    const reason =
      others.length > 0 ? labels.severalFiles : file.size > SIZE_LIMIT ? labels.fileTooLarge(file.name) : "";
    if (reason) {
      this.clear(reason);
      return;
    }
    this.#file = file;
    this.#show();
    this.#onChange();
  }

  #show(reason = ""): void {
    this.#text.textContent = this.#file ? labels.chosen(this.#file.name) : labels.drop;
    this.#choose.hidden = this.#file !== null;
    this.#remove.hidden = this.#file === null;
    this.#hint.textContent = reason;
    this.#hint.hidden = !reason;
    this.root.toggleAttribute("data-chosen", this.#file !== null);
  }
}
