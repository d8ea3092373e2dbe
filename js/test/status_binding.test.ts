/** The status of a session, as the page follows it. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { inWords } from "../../widget-esm/src/time_left.ts";
import type { MessageCallbacks } from "../src/model.ts";
import { StatusBinding, type StatusModel, type StatusState } from "../src/status_binding.ts";
import type { StatusTraits } from "../src/status_traits.ts";
import type { ToKernel } from "../src/traits.ts";

const session = {
  account: "ada@example.com",
  provider: "Google",
  signed_in: true,
  scopes: ["openid"],
  missing: [],
  expires_at: 1000,
  ends_at: null,
  renewable: true,
  stored_in: "~/tokens.json",
  problem: "",
};

class FakeStatusModel implements StatusModel {
  readonly sent: ToKernel[] = [];
  readonly #callbacks: (MessageCallbacks | undefined)[] = [];
  readonly #handlers = new Map<string, Set<(...values: unknown[]) => void>>();
  readonly #traits: StatusTraits = { session, notice: "", busy: false, choice: {}, sign_in_widget: "" };

  get<K extends keyof StatusTraits>(trait: K): StatusTraits[K] {
    return this.#traits[trait];
  }

  set(): void {
    assert.fail("the page writes no trait");
  }

  save_changes(): void {
    assert.fail("the page writes no trait");
  }

  send(content: ToKernel, callbacks?: MessageCallbacks): void {
    this.sent.push(content);
    this.#callbacks.push(callbacks);
  }

  on(event: string, callback: (...values: unknown[]) => void): void {
    this.#handlers.set(event, (this.#handlers.get(event) ?? new Set()).add(callback));
  }

  off(event: string, callback: (...values: unknown[]) => void): void {
    this.#handlers.get(event)?.delete(callback);
  }

  trigger(event: string, ...values: unknown[]): void {
    for (const handler of [...(this.#handlers.get(event) ?? [])]) handler(...values);
  }

  kernelSets(traits: Partial<StatusTraits>): void {
    Object.assign(this.#traits, traits);
    for (const trait of Object.keys(traits)) this.trigger(`change:${trait}`);
  }

  get handlers(): number {
    return [...this.#handlers.values()].reduce((sum, handlers) => sum + handlers.size, 0);
  }

  /** The types of what was sent besides pings. */
  get asked(): string[] {
    return this.sent.map(({ type }) => type).filter((type) => type !== "ping");
  }
}

function bound(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const model = new FakeStatusModel();
  const binding = new StatusBinding(model);
  const shown: StatusState[] = [];
  binding.subscribe((state) => shown.push(state));
  return { model, binding, shown };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("it asks what is so, because the host may have kept what was", (t) => {
  const { model } = bound(t);
  assert.deepEqual(
    model.sent.map(({ type }) => type),
    ["ping"],
  );
});

test("traits of one message are shown together", async (t) => {
  const { model, binding, shown } = bound(t);
  model.kernelSets({ busy: true, notice: "" });
  model.kernelSets({ busy: false, notice: "The tokens are new." });
  await turn();
  assert.equal(shown.length, 1);
  assert.deepEqual(shown[0], { lost: false, session, notice: "The tokens are new.", busy: false, signIn: "" });
  assert.deepEqual(binding.state, shown[0]);
});

test("each click is one message", (t) => {
  const { model, binding } = bound(t);
  binding.refresh();
  binding.signIn();
  binding.signOut();
  binding.accounts.begin();
  assert.deepEqual(model.asked, ["refresh", "sign_in", "sign_out", "choose_account"]);
});

test("a kernel that is gone is said to be, and asked for nothing", (t) => {
  const { model, binding, shown } = bound(t);
  model.trigger("comm_live_update");
  assert.equal(shown.at(-1)?.lost, true);
  binding.refresh();
  binding.signOut();
  assert.deepEqual(model.asked, []);
});

test("a binding that was let go of shows nothing and hears nothing", async (t) => {
  const { model, binding, shown } = bound(t);
  model.kernelSets({ notice: "x" });
  binding.dispose();
  await turn();
  assert.deepEqual(shown, []);
  assert.equal(model.handlers, 0);
});

test("time is told as people tell it", () => {
  const said = [-1, 0, 1, 59, 60, 119, 3599, 3600, 86_399].map(inWords);
  assert.deepEqual(said, ["", "", "1 s", "59 s", "1 min", "1 min", "59 min", "1 h 0 min", "23 h 59 min"]);
});
