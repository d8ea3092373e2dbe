/** The anywidget entry point of the form for a client: the binding lives with the model, views only draw it. */

import type { InitializeProps, RenderProps } from "@anywidget/types";
import { ConfigureBinding, type ConfigureModel } from "../../js/src/configure_binding.ts";
import { loadSealer } from "../../js/src/load_sealer.ts";
import { empty } from "./closed_model.ts";
import { speak } from "./configure_labels.ts";
import { ConfigureView } from "./configure_view.ts";

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
    const make = () => {
      speak(model.get("texts"));
      return new ConfigureView(binding);
    };
    let view = make();
    if (el.closest(DISCONNECTED)) binding.kernelLost();
    const unsubscribe = binding.subscribe((state) => view.show(state));
    view.show(binding.state);
    el.append(view.root);
    // What was typed so far goes with the former view: the texts come before anybody can have typed much.
    const speakAnew = () => {
      const former = view;
      view = make();
      view.show(binding.state);
      former.dispose();
      former.root.replaceWith(view.root);
    };
    model.on("change:texts", speakAnew);
    return () => {
      model.off("change:texts", speakAnew);
      unsubscribe();
      view.dispose();
    };
  },
};
