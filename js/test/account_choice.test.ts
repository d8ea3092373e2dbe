/** Another account, as the page asks for it, and the end of a session, which is no failure. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { bind, turn } from "./fake_binding.ts";
import { ticket } from "./fake_model.ts";

mock.timers.enable({ apis: ["setTimeout"] });

const chosen = { offered: true, accounts: [{ id: "r1", name: "bob" }], current: "ada", provider_asks: true };

test("nothing is offered unless the kernel offers it", async () => {
  const { binding, model } = await bind();
  assert.equal(binding.accounts.offered, false, "an older kernel has no such trait");
  model.kernelSets({ choice: {} });
  assert.equal(binding.accounts.offered, false);
  model.kernelSets({ choice: { offered: true } });
  assert.equal(binding.accounts.offered, true);
  assert.equal(binding.accounts.open, null);
});

test("the list is the kernel's, and each choice names one entry of it", async () => {
  const { binding, model, states } = await bind({ choice: { offered: true } });
  binding.accounts.begin();
  assert.deepEqual(model.sentOf("choose_account"), [{ type: "choose_account" }]);
  model.kernelSets({ choice: chosen });
  await turn();
  assert.deepEqual(states.at(-1), { kind: "ready" }, "views are shown it");
  assert.deepEqual(binding.accounts.open, chosen);
  binding.accounts.use("r1");
  assert.deepEqual(model.sentOf("use_account"), [{ type: "use_account", id: "r1" }]);
  binding.accounts.keep();
  assert.deepEqual(model.sentOf("keep_account"), [{ type: "keep_account" }]);
});

test("who is signed in sees the button while another account is wanted", async () => {
  const { binding, model } = await bind({ is_authenticated: true, ticket: {}, status: "Signed in as ada" });
  assert.equal(binding.state.kind, "signed_in");
  model.kernelSets({ ticket: ticket("t2"), choice: chosen });
  await turn();
  assert.deepEqual(binding.state, { kind: "ready" });
  model.kernelSets({ ticket: {}, choice: { offered: true } });
  await turn();
  assert.deepEqual(binding.state, { kind: "signed_in", said: "Signed in as ada" });
});

test("the end of a session is told with the button, not as a failure", async () => {
  const { binding, model } = await bind({ is_authenticated: true, ticket: {}, status: "Signed in as ada" });
  model.kernelSets({ is_authenticated: false, ticket: ticket("t2"), notice: "Your session ended." });
  await turn();
  assert.deepEqual(binding.state, { kind: "ready", notice: "Your session ended." });
  binding.signIn();
  assert.equal(binding.state.kind, "waiting");
});

test("a kernel that is gone is asked for nothing", async () => {
  const { binding, model } = await bind({ choice: { offered: true } });
  binding.kernelLost();
  const before = model.sent.length;
  binding.accounts.begin();
  binding.accounts.use("r1");
  assert.equal(model.sent.length, before);
});
