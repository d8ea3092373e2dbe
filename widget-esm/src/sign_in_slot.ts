/** The place in the status widget where the sign-in widget is shown, by the host, as any widget in another. */

import { element } from "./elements.ts";
import { labels } from "./status_labels.ts";

/** A view as Jupyter's widget managers make it. */
interface HostView {
  el: HTMLElement;
  remove(): void;
}

/** What hosts of Jupyter's widgets offer; others have only some of it, or nothing. */
export interface Host {
  widget_manager?: {
    get_model?(id: string): Promise<unknown>;
    create_view?(model: unknown): Promise<HostView>;
  };
}

export class SignInSlot {
  readonly root = element("div", "tokentoss-slot");
  readonly #host: Host;
  #shown = "";
  #view: HostView | null = null;

  constructor(host: Host) {
    this.#host = host;
    this.root.hidden = true;
  }

  /** Shows the widget of a model; "" takes away what is shown. */
  show(id: string): void {
    if (id === this.#shown) return;
    this.dispose();
    this.#shown = id;
    this.root.hidden = !id;
    if (id) void this.#fill(id);
  }

  /** Takes away what is shown. */
  dispose(): void {
    this.#shown = "";
    this.#view?.remove();
    this.#view = null;
    this.root.replaceChildren();
  }

  async #fill(id: string): Promise<void> {
    const manager = this.#host.widget_manager;
    try {
      const model = await manager?.get_model?.(id);
      const view = await manager?.create_view?.(model);
      if (!view) throw new Error("this host shows no widget in another");
      if (this.#shown !== id) {
        view.remove();
        return;
      }
      this.#view = view;
      this.root.append(view.el);
    } catch (reason) {
      console.warn("tokentoss shows no sign-in here:", reason);
      if (this.#shown === id) this.root.textContent = labels.signInElsewhere;
    }
  }
}
