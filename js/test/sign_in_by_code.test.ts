import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { SignInBinding } from "../src/sign_in_binding.ts";
import type { DeviceCode, Traits } from "../src/traits.ts";
import { FakeModel } from "./fake_model.ts";
import { fakeSignIns } from "./fake_sign_in.ts";

// Pings are repeated until the kernel answers; these tests do not wait for that.
mock.timers.enable({ apis: ["setTimeout"] });

const turn = () => new Promise((resolve) => setImmediate(resolve));

const code: DeviceCode = {
  user_code: "WDJB-MJHT",
  verification_uri: "https://login.example/device",
  page: "https://login.example/device?user_code=WDJB-MJHT",
  expires_at: 2_000_000_000,
  qr: "data:image/svg+xml,",
};

async function bind(traits: Partial<Traits> = {}) {
  const model = new FakeModel({ offers_code: true, ...traits });
  const signIns = fakeSignIns();
  const binding = new SignInBinding(model, async () => signIns.runtime);
  await turn();
  return { model, signIns, binding };
}

test("a code is asked for, shown, and gone once somebody is signed in", async () => {
  const { binding, model } = await bind();
  assert.equal(binding.offersCode, true);
  binding.askForCode();
  assert.deepEqual(binding.state, { kind: "code", code: null });
  assert.equal(model.sentOf("ask_for_code").length, 1);
  model.kernelSets({ code });
  await turn();
  assert.deepEqual(binding.state, { kind: "code", code });
  model.kernelSets({ is_authenticated: true, status: "Signed in as ada@example.com", ticket: {} });
  model.kernelSets({ code: {} });
  await turn();
  assert.deepEqual(binding.state, { kind: "signed_in", said: "Signed in as ada@example.com" });
});

test("asking for a code gives up the popup", async () => {
  const { binding, signIns } = await bind();
  binding.signIn();
  binding.askForCode();
  assert.deepEqual(signIns.calls.at(-1), "t1 cancel");
  assert.equal(binding.state.kind, "code");
});

test("cancelling drops the code, and leads back to the button", async () => {
  const { binding, model } = await bind();
  binding.askForCode();
  model.kernelSets({ code });
  await turn();
  binding.cancel();
  assert.equal(model.sentOf("drop_code").length, 1);
  model.kernelSets({ code: {} });
  await turn();
  assert.deepEqual(binding.state, { kind: "ready" });
});

test("no code: the reason is shown, and the button works", async () => {
  const { binding, model } = await bind();
  binding.askForCode();
  model.kernelSets({ error: "No codes here.", error_code: "unauthorized_client" });
  await turn();
  assert.deepEqual(binding.state, { kind: "failed", message: "No codes here.", byHand: null, next: "retry" });
});

test("a code that is there when the page is opened again is shown", async () => {
  const { binding } = await bind({ code });
  assert.deepEqual(binding.state, { kind: "code", code });
});

test("a code needs no WebAssembly", async () => {
  const model = new FakeModel({ offers_code: true });
  const binding = new SignInBinding(model, () => Promise.reject(new WebAssembly.CompileError("forbidden")));
  await turn();
  assert.equal(binding.state.kind, "failed");
  binding.askForCode();
  model.kernelSets({ code });
  await turn();
  assert.deepEqual(binding.state, { kind: "code", code });
});
