import { SignInBinding } from "../src/sign_in_binding.ts";
import type { Traits } from "../src/traits.ts";
import type { ViewState } from "../src/view_state.ts";
import { FakeModel } from "./fake_model.ts";
import { fakeSignIns } from "./fake_sign_in.ts";

// These tests have no popup that speaks to their page.
Object.assign(globalThis, { removeEventListener() {} });

/** Lets everything happen that is due: microtasks and promises. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A binding of a model with these traits, its sign-ins, and the states that a view was shown. */
export async function bind(traits: Partial<Traits> = {}) {
  const model = new FakeModel(traits);
  const signIns = fakeSignIns();
  const binding = new SignInBinding(model, async () => signIns.runtime);
  const states: ViewState[] = [];
  binding.subscribe((state) => states.push(state));
  await turn();
  return { model, signIns, binding, states };
}
