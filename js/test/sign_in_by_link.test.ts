import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { webassembly_unavailable } from "tokentoss:sentences";
import { SignInBinding } from "../src/sign_in_binding.ts";
import type { Traits } from "../src/traits.ts";
import { FakeModel, ticket } from "./fake_model.ts";
import { fakeSignIns } from "./fake_sign_in.ts";
import { webassemblyFailed } from "./states.ts";

// Pings are repeated until the kernel answers; these tests do not wait for that.
mock.timers.enable({ apis: ["setTimeout"] });

const turn = () => new Promise((resolve) => setImmediate(resolve));

const address = "https://issuer.example/authorize?state=s";
const link = { type: "link", ticket: "t1", link: address, paste: false, problem: null };
const shown = { kind: "link", byHand: { link: address, way: "loopback", pasteProblem: null } };
const refused = {
  kind: "failed",
  code: "webassembly_unavailable",
  message: webassembly_unavailable,
  byHand: null,
  next: "reload",
};

/** A page in which WebAssembly may not run. */
async function bind(traits: Partial<Traits> = {}, reason: Error = new WebAssembly.CompileError("forbidden")) {
  const model = new FakeModel(traits);
  const binding = new SignInBinding(model, () => Promise.reject(reason));
  await turn();
  return { model, binding };
}

test("a link is asked for, shown, and gone once somebody is signed in", async () => {
  const { binding, model } = await bind();
  assert.deepEqual(binding.state, refused);
  assert.equal(binding.offersLink, true);
  binding.askForLink();
  assert.deepEqual(binding.state, { kind: "link", byHand: null });
  assert.equal(model.sentOf("ask_for_link").length, 1);
  assert.equal(model.sentOf("ping").length, 1);
  model.kernelSends(link);
  assert.deepEqual(binding.state, shown);
  model.kernelSets({ ticket: {}, is_authenticated: true, status: "Signed in as ada@example.com" });
  await turn();
  assert.deepEqual(binding.state, { kind: "signed_in", said: "Signed in as ada@example.com" });
});

test("it is offered only where nothing else can start", async () => {
  const model = new FakeModel();
  const signIns = fakeSignIns();
  const binding = new SignInBinding(model, async () => signIns.runtime);
  assert.equal(binding.offersLink, false);
  await turn();
  assert.equal(binding.offersLink, false);
  signIns.trap();
  assert.equal(binding.offersLink, true);
  assert.equal((await bind({ ticket: {} })).binding.offersLink, false);
});

test("it is offered beside a retry, which may yet help", async () => {
  const { binding } = await bind({}, new Error("no memory"));
  assert.deepEqual(binding.state, webassemblyFailed);
  assert.equal(binding.offersLink, true);
});

test("a pasted address goes to the kernel, which says what is wrong with it", async () => {
  const { binding, model } = await bind();
  binding.askForLink();
  model.kernelSends({ ...link, paste: true });
  binding.paste("http://127.0.0.1:1/?code=c");
  assert.deepEqual(model.sentOf("paste"), [{ type: "paste", ticket: "t1", address: "http://127.0.0.1:1/?code=c" }]);
  model.kernelSends({ ...link, paste: true, problem: "This is another page's address." });
  const byHand = { link: address, way: "paste", pasteProblem: "This is another page's address." };
  assert.deepEqual(binding.state, { kind: "link", byHand });
  binding.paste("http://127.0.0.1:1/?code=c&state=s");
  assert.deepEqual(binding.state, { kind: "link", byHand: { ...byHand, pasteProblem: null } });
});

test("the link can be copied", async () => {
  const { binding, model } = await bind();
  binding.askForLink();
  model.kernelSends(link);
  assert.equal(binding.linkCopied(), address);
});

test("cancelling leads back to the sentence, and a late link changes nothing", async () => {
  const { binding, model } = await bind();
  binding.askForLink();
  binding.cancel();
  assert.equal(model.sentOf("drop_link").length, 1);
  assert.deepEqual(binding.state, refused);
  model.kernelSends(link);
  assert.deepEqual(binding.state, refused);
});

test("a failure is shown, and the way stays open", async () => {
  const { binding, model } = await bind();
  binding.askForLink();
  model.kernelSends(link);
  const problem = { code: "access_denied", message: "Access wasn't granted:" };
  model.kernelSets({ ticket: ticket("t2"), acknowledged: "t1", error: problem.message, error_code: problem.code });
  await turn();
  assert.deepEqual(binding.state, { ...refused, ...problem });
  assert.equal(binding.offersLink, true);
  binding.askForLink();
  model.kernelSends(link);
  assert.deepEqual(binding.state, { kind: "link", byHand: null }, "the link of a ticket that is over");
  model.kernelSends({ ...link, ticket: "t2" });
  assert.deepEqual(binding.state, shown);
  model.kernelSets({ ticket: {}, is_authenticated: true, error: "" });
  await turn();
  model.kernelSets({ ticket: ticket("t3"), is_authenticated: false });
  await turn();
  assert.deepEqual(binding.state, refused, "nothing of the failure is left after signing out");
});

test("a page that did not ask shows no link", async () => {
  const { binding, model } = await bind();
  model.kernelSends(link);
  assert.deepEqual(binding.state, refused);
});

for (const bad of ["javascript:alert(1)", " https://issuer.example/", "", 7, null]) {
  test(`${JSON.stringify(bad)} is no link`, async () => {
    const { binding, model } = await bind();
    binding.askForLink();
    model.kernelSends({ ...link, link: bad });
    assert.deepEqual(binding.state, { kind: "link", byHand: null });
  });
}

test("a kernel that is gone ends it", async () => {
  const { binding, model } = await bind();
  binding.askForLink();
  model.kernelSends(link);
  model.trigger("comm_live_update");
  assert.deepEqual(binding.state, { kind: "kernel_gone" });
});
