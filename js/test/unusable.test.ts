import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { kernel_gone, webassembly_unavailable } from "tokentoss:sentences";
import type { Runtime } from "../src/load.ts";
import { SignInBinding } from "../src/sign_in_binding.ts";
import type { Ticket } from "../src/traits.ts";
import { bind, turn } from "./fake_binding.ts";
import { FakeModel, ticket } from "./fake_model.ts";
import { fakeSignIns } from "./fake_sign_in.ts";
import { webassemblyFailed } from "./states.ts";

// Pings are repeated until the kernel answers; these tests do not wait for that.
mock.timers.enable({ apis: ["setTimeout"] });

test("a policy that forbids WebAssembly is named, and the kernel hears of it", async (t) => {
  t.mock.method(console, "error", () => {});
  const model = new FakeModel();
  const binding = new SignInBinding(model, async () => {
    throw new WebAssembly.CompileError("blocked by Content Security Policy");
  });
  await turn();
  assert.deepEqual(binding.state, {
    kind: "failed",
    code: "webassembly_unavailable",
    message: webassembly_unavailable,
    byHand: null,
    next: "reload",
  });
  assert.equal(model.sentOf("report")[0]?.code, "webassembly_unavailable");
});

test("WebAssembly that failed for another reason can be tried again", async (t) => {
  t.mock.method(console, "error", () => {});
  const signIns = fakeSignIns();
  const attempts: Promise<Runtime>[] = [
    Promise.reject(new RangeError("out of memory")),
    Promise.resolve(signIns.runtime),
  ];
  const binding = new SignInBinding(
    new FakeModel(),
    () => attempts.shift() ?? Promise.reject(new Error("too many tries")),
  );
  await turn();
  assert.deepEqual(binding.state, webassemblyFailed);
  binding.signIn();
  assert.equal(binding.state.kind, "loading");
  await turn();
  assert.deepEqual(binding.state, { kind: "ready" });
});

test("a trap drops the sign-in unfreed and says so, and a click works on the next instance", async () => {
  const { binding, model, signIns } = await bind();
  binding.signIn();
  signIns.emit({ type: "deliver", envelope: "sealed" });
  signIns.trap();
  assert.deepEqual(binding.state, webassemblyFailed);
  assert.equal(model.get("sealed_tokens"), "");
  await turn();
  assert.equal(model.sentOf("report").at(-1)?.code, "webassembly_failed");
  binding.signIn();
  await turn();
  assert.deepEqual(binding.state, { kind: "ready" });
  assert.deepEqual(signIns.calls, ["t1 new", "t1 signIn", "t1 new"]);
  binding.dispose();
  assert.equal(signIns.runtime.onTrap.size, 0);
});

test("a trap in somebody else's sign-in is no matter of a widget that is signed in", async () => {
  const { binding, model, signIns } = await bind({ ticket: {}, is_authenticated: true, status: "Signed in as x81" });
  signIns.trap();
  await turn();
  assert.deepEqual(binding.state, { kind: "signed_in", said: "Signed in as x81" });
  assert.deepEqual(model.sent, []);
  model.kernelSets({ ticket: ticket("t2"), is_authenticated: false });
  await turn();
  assert.deepEqual(binding.state, { kind: "ready" });
});

test("a ticket that is not usable says why and leads to the cell", async () => {
  const { binding, model } = await bind({
    ticket: { ...ticket("t1"), refused: "endpoint_insecure" } as object as Ticket,
  });
  assert.deepEqual(binding.state, {
    kind: "failed",
    code: "endpoint_insecure",
    message: "The ticket is no good.",
    byHand: null,
    next: "cell",
  });
  assert.equal(model.sentOf("report")[0]?.code, "endpoint_insecure");
});

test("a restarted kernel ends the sign-in for good", async () => {
  const { binding, model, signIns } = await bind();
  binding.signIn();
  await turn();
  const sent = model.sent.length;
  model.trigger("comm_live_update");
  assert.deepEqual(binding.state, { kind: "kernel_gone" });
  assert.ok(kernel_gone.endsWith("."));
  binding.signIn();
  model.kernelSets({ ticket: ticket("t2") });
  await turn();
  assert.deepEqual(binding.state, { kind: "kernel_gone" });
  assert.deepEqual(signIns.calls.slice(1), ["t1 signIn", "t1 kernelLost", "t1 free"]);
  assert.equal(model.sent.length, sent);
});

test("a connection that refuses messages is a lost kernel", async () => {
  const { binding, model, signIns } = await bind();
  model.sendFails = true;
  binding.signIn();
  await turn();
  assert.deepEqual(binding.state, { kind: "kernel_gone" });
  assert.deepEqual(signIns.calls.slice(-2), ["t1 kernelLost", "t1 free"]);
});
