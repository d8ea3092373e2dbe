/** The sign-in widget for anywidget: the flow lives with the model, views only draw it. */

import type { InitializeProps, RenderProps } from "@anywidget/types";
import { loaderOf } from "../../js/src/load.ts";
import type { Model } from "../../js/src/model.ts";
import { SignInBinding } from "../../js/src/sign_in_binding.ts";
import { empty } from "./closed_model.ts";
import { speak } from "./labels.ts";
import { Speaking } from "./speaking.ts";
import { View } from "./view.ts";

/** The class by which Jupyter's widget manager marks the views of a model that has no kernel any more. */
const DISCONNECTED = ".jupyter-widgets-disconnected";

interface AuthWidget {
  initialize(props: InitializeProps): () => void;
  render(props: RenderProps): (() => void) | undefined;
}

/** Shares one instance of the WebAssembly between all widgets of a page; the result makes their definitions. */
export default (wasm: BufferSource): (() => AuthWidget) => {
  const load = loaderOf(wasm);
  return () => define(load);
};

function define(load: ReturnType<typeof loaderOf>): AuthWidget {
  // A host either asks for a definition per model (Jupyter, whose model objects differ from call to call), or shares one
  // between models whose objects stay the same.
  const bindings = new WeakMap<object, SignInBinding>();
  let latest: SignInBinding | undefined;

  return {
    /** Starts the sign-in of a model; settles at once, the WebAssembly follows when it is ready. */
    initialize({ model }) {
      const binding = new SignInBinding(model as Model, load);
      bindings.set(model, binding);
      latest = binding;
      return () => {
        binding.dispose();
        empty(model);
      };
    },

    /** Draws one view. */
    render({ model, el }) {
      const binding = bindings.get(model) ?? latest;
      if (!binding) return undefined;
      const speaking = new Speaking(model, el, () => {
        speak(model.get("texts"));
        const view = new View(model.get("branding"), binding);
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
}
