/** The anywidget entry point of the status widget: the binding lives with the model, views only draw it. */

import type { InitializeProps, RenderProps } from "@anywidget/types";
import { StatusBinding, type StatusModel } from "../../js/src/status_binding.ts";
import { empty } from "./closed_model.ts";
import { Speaking } from "./speaking.ts";
import { speak } from "./status_labels.ts";
import { StatusView } from "./status_view.ts";

/** The class by which Jupyter's widget manager marks the views of a model that has no kernel any more. */
const DISCONNECTED = ".jupyter-widgets-disconnected";

// As in auth.ts: hosts differ in how often they import this file and in which model objects they pass.
const bindings = new WeakMap<object, StatusBinding>();
let latest: StatusBinding | undefined;

export default {
  /** Binds a model. */
  initialize({ model }: InitializeProps): () => void {
    const binding = new StatusBinding(model as StatusModel);
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
      const view = new StatusView(binding, model);
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
