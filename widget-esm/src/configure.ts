/** The anywidget entry point of the form for a client: the binding lives with the model, views only draw it. */

import type { InitializeProps, RenderProps } from "@anywidget/types";
import { ConfigureBinding, type ConfigureModel } from "../../js/src/configure_binding.ts";
import { loadSealer } from "../../js/src/load_sealer.ts";
import { empty } from "./closed_model.ts";
import { speak } from "./configure_labels.ts";
import { ConfigureView } from "./configure_view.ts";
import { Speaking } from "./speaking.ts";

/** The class by which Jupyter's widget manager marks the views of a model that has no kernel any more. */
const DISCONNECTED = ".jupyter-widgets-disconnected";

// As in auth.ts: hosts differ in how often they import this file and in which model objects they pass.
const bindings = new WeakMap<object, ConfigureBinding>();
let latest: ConfigureBinding | undefined;

export default {
  /** Binds a model; settles at once, the WebAssembly follows when it is ready. */
  initialize({ model }: InitializeProps): () => void {
    const binding = new ConfigureBinding(model as ConfigureModel, loadSealer);
    bindings.set(model, binding);
    latest = binding;
    return () => {
      binding.dispose();
      empty(model);
    };
  },

  /** Draws one view. */
  render({ model, el }: RenderProps): (() => void) | undefined {
    const binding = bindings.get(model) ?? latest;
    if (!binding) return undefined;
    const speaking = new Speaking(model, el, () => {
      speak(model.get("texts"));
      const view = new ConfigureView(binding);
      view.show(binding.state);
      return view;
    });
    const unsubscribe = binding.subscribe((state) => {
      // Another widget of this page may speak another language.
      speak(model.get("texts"));
      speaking.view.show(state);
    });
    if (el.closest(DISCONNECTED)) binding.kernelLost();
    return () => {
      unsubscribe();
      speaking.end();
    };
  },
};
