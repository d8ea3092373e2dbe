import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { bind, turn } from "./fake_binding.ts";
import { ticket } from "./fake_model.ts";

// Pings are repeated until the kernel answers; these tests do not wait for that.
mock.timers.enable({ apis: ["setTimeout"] });

test("an envelope is saved once, and goes as a message when it is sent again", async () => {
  const { model, signIns } = await bind();
  const sealed = "sealed";
  for (let times = 0; times < 3; times++) signIns.emit({ type: "deliver", envelope: sealed });
  assert.deepEqual(model.saved, [{ sealed_tokens: sealed }]);
  const again = { type: "deliver", ticket: "t1", sealed };
  assert.deepEqual(model.sentOf("deliver"), [again, again]);
  signIns.emit({ type: "deliver", envelope: "another" });
  assert.deepEqual(model.saved.slice(1), [{ sealed_tokens: "another" }]);
});

test("what the kernel said of tokens that the popup brought is asked for", async () => {
  const { binding, model, signIns } = await bind();
  signIns.show("signing_in");
  signIns.show("handing_over");
  await turn();
  assert.deepEqual(model.sentOf("ping"), []);
  signIns.show("done");
  await turn();
  assert.equal(model.sentOf("ping").length, 1);
  assert.deepEqual(binding.state, { kind: "signing_in" });
  mock.timers.tick(1000);
  assert.deepEqual(binding.state, { kind: "handing_over" });
  model.kernelSets({ ticket: {}, acknowledged: "t1", status: "Signed in as x81", is_authenticated: true });
  await turn();
  assert.equal(binding.state.kind, "signed_in");
});

test("a hand-over is named only if it takes a second, counted from its begin", async () => {
  const { binding, model, signIns, states } = await bind();
  signIns.show("handing_over");
  mock.timers.tick(600);
  signIns.show("done");
  mock.timers.tick(399);
  assert.deepEqual(binding.state, { kind: "signing_in" });
  mock.timers.tick(1);
  assert.deepEqual(states.at(-1), { kind: "handing_over" });
  model.kernelSets({ ticket: ticket("t2"), acknowledged: "t1", error: "Refused.", error_code: "id_token_expired" });
  await turn();
  binding.signIn();
  signIns.show("handing_over");
  assert.deepEqual(binding.state, { kind: "signing_in" }, "the next one is counted anew");
  const shown = states.length;
  binding.dispose();
  mock.timers.tick(1000);
  assert.equal(states.length, shown, "nobody is told of one that was let go");
});

test("C70: an envelope that nobody takes does not stay in the model", async () => {
  for (const end of ["failed", "kernel gone", "dispose"]) {
    const { binding, model, signIns } = await bind();
    signIns.emit({ type: "deliver", envelope: "sealed" });
    if (end === "failed") signIns.show("failed", { code: "hand_over_timed_out", message: "Too long." });
    if (end === "kernel gone") model.trigger("comm_live_update");
    if (end === "dispose") binding.dispose();
    assert.equal(model.get("sealed_tokens"), "", end);
  }
});

test("R5: an envelope that nobody waits for any more leaves the trait", async () => {
  const { model, signIns } = await bind();
  signIns.emit({ type: "deliver", envelope: "e1" });
  signIns.emit({ type: "clear_envelope" });
  signIns.emit({ type: "clear_envelope" });
  assert.equal(model.get("sealed_tokens"), "");
  assert.deepEqual(model.saved, [{ sealed_tokens: "e1" }, { sealed_tokens: "" }]);
});
