/** A view that is made anew when the kernel sends other texts: those of the page's language come after the first view. */

interface Shown {
  root: HTMLElement;
  dispose(): void;
}

interface Sender {
  get(trait: "texts"): unknown;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

export class Speaking<V extends Shown> {
  readonly #model: Sender;
  readonly #make: () => V;
  #texts: string;
  /** The view that is shown now. */
  view: V;

  constructor(model: Sender, el: HTMLElement, make: () => V) {
    this.#model = model;
    this.#make = make;
    this.#texts = this.#sent();
    this.view = make();
    el.append(this.view.root);
    model.on("change:texts", this.#speakAnew);
  }

  #sent(): string {
    return JSON.stringify(this.#model.get("texts") ?? null);
  }

  readonly #speakAnew = (): void => {
    const texts = this.#sent();
    // Some hosts call equal objects a change when the kernel sends its whole state; a new view would lose what was typed.
    if (texts === this.#texts) return;
    this.#texts = texts;
    const former = this.view;
    this.view = this.#make();
    former.dispose();
    former.root.replaceWith(this.view.root);
  };

  /** Takes the view away. */
  end(): void {
    this.#model.off("change:texts", this.#speakAnew);
    this.view.dispose();
    this.view.root.remove();
  }
}
