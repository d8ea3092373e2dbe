/** Every failure is shown as one sentence with a control that is its next step. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { SignInBinding } from "../src/sign_in_binding.ts";
import type { Ticket, Traits } from "../src/traits.ts";
import { FakeModel, ticket } from "./fake_model.ts";
import { fakeSignIns } from "./fake_sign_in.ts";
import { sentence, sentences } from "./sentences.ts";

// Pings are repeated until the kernel answers; these tests do not wait for that.
mock.timers.enable({ apis: ["setTimeout"] });

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function bind(traits: Partial<Traits> = {}) {
  const model = new FakeModel(traits);
  const signIns = fakeSignIns();
  const binding = new SignInBinding(model, async () => signIns.runtime);
  await turn();
  return { model, signIns, binding };
}

test("whatever the page found, a click starts anew", async () => {
  for (const { code, message } of sentences) {
    const { binding, signIns } = await bind();
    binding.signIn();
    signIns.show("failed", { code, message });
    assert.deepEqual(binding.state, { kind: "failed", code, message, byHand: null, next: "retry" }, code);
    binding.signIn();
    assert.equal(binding.state.kind, "waiting", code);
  }
});

test("whatever the kernel says of a ticket, a click works on the next one", async () => {
  for (const { code, message } of sentences) {
    const { binding, model } = await bind();
    binding.signIn();
    model.kernelSets({ acknowledged: "t1", ticket: ticket("t2"), error: message, error_code: code });
    await turn();
    assert.deepEqual(binding.state, { kind: "failed", code, message, byHand: null, next: "retry" }, code);
    binding.signIn();
    assert.equal(binding.state.kind, "waiting", code);
  }
});

test("where the kernel could make no ticket, a click asks it for one, as often as it takes", async () => {
  for (const { code, message } of sentences) {
    const failure = { kind: "failed", code, message, byHand: null, next: "retry" };
    const { binding, model } = await bind({ ticket: {}, error: message, error_code: code });
    assert.deepEqual(binding.state, failure, code);
    binding.signIn();
    assert.deepEqual(binding.state, failure, "a busy kernel's silence takes nothing away");
    model.kernelSets({ error: "", error_code: "" });
    model.kernelSets({ error: message, error_code: code });
    await turn();
    assert.deepEqual(binding.state, failure, code);
    binding.signIn();
    assert.equal(model.sentOf("ask_for_ticket").length, 2);
    model.kernelSets({ error: "", error_code: "", ticket: ticket("t1") });
    await turn();
    assert.deepEqual(binding.state, { kind: "ready" }, code);
  }
});

test("a ticket that is not usable has its next step in a cell, and its sentence says which", async () => {
  const steps = {
    endpoint_insecure: "Correct that address.",
    parameter_protected: "Remove it.",
    scope_openid_missing: "Add openid to the scopes.",
    ticket_invalid: "Run the cell again",
  };
  for (const [code, step] of Object.entries(steps)) {
    assert.ok(sentence(code).includes(step), code);
    const { binding } = await bind({ ticket: { id: "t1", refused: code } as object as Ticket });
    assert.equal(binding.state.kind === "failed" && binding.state.next, "cell");
  }
});
