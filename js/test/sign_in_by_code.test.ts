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

const own = { user_code: code.user_code, verification_uri: code.verification_uri, page: code.page, expires_at: 2e9 };

/** A page that runs the sign-in by itself, in the middle of it. */
async function bindShowing() {
  const bound = await bind();
  bound.binding.askForCode();
  bound.signIns.show("code", { to_enter: own });
  await turn();
  return bound;
}

/** A page that cannot, and has the kernel ask. */
async function bindLeaving() {
  const bound = await bind();
  bound.binding.askForCode();
  bound.signIns.emit({ type: "ask_kernel_for_code" });
  await turn();
  return bound;
}

test("this page asks for a code, shows it, and has the kernel draw it", async () => {
  const { binding, model, signIns } = await bind();
  assert.equal(binding.offersCode, true);
  binding.askForCode();
  assert.equal(signIns.calls.at(-1), "t1 askForCode");
  assert.deepEqual(binding.state, { kind: "code", code: null });
  await turn();
  assert.deepEqual(model.sent, [], "nothing is said before there is a code to enter");
  signIns.show("code", { to_enter: own });
  assert.deepEqual(binding.state, { kind: "code", code: { ...code, qr: "" } });
  await turn();
  assert.deepEqual(model.sentOf("draw_qr"), [{ type: "draw_qr", page: code.page }]);
  assert.deepEqual(
    model.sentOf("report").map(({ phase }) => phase),
    ["code"],
  );
  assert.deepEqual(model.sentOf("ask_for_code"), []);
  model.kernelSends({ type: "qr", page: code.page, qr: code.qr });
  assert.deepEqual(binding.state, { kind: "code", code });
  signIns.show("code", { to_enter: { ...own, expires_at: 1e9 } });
  await turn();
  assert.deepEqual(binding.state, { kind: "code", code: { ...code, expires_at: 1e9 } });
  assert.equal(model.sentOf("draw_qr").length, 1);
  signIns.emit({ type: "deliver", envelope: "sealed" });
  signIns.show("handing_over");
  mock.timers.tick(1000);
  assert.deepEqual(binding.state, { kind: "handing_over" });
  assert.deepEqual(model.saved, [{ sealed_tokens: "sealed" }]);
});

test("a picture of another page, or of none, is not shown", async () => {
  const { binding, model } = await bindShowing();
  const { page, qr } = code;
  for (const message of [
    { type: "qr", page: "https://evil.example", qr },
    { type: "qr", page, qr: "https://evil.example/qr.svg" },
    { type: "qr", page, qr: 7 },
    { type: "qr", qr },
  ]) {
    model.kernelSends(message);
    assert.deepEqual(binding.state, { kind: "code", code: { ...code, qr: "" } });
  }
});

test("cancelling this page's own code is its sign-in's business", async () => {
  const { binding, model, signIns } = await bindShowing();
  binding.cancel();
  assert.equal(signIns.calls.at(-1), "t1 cancel");
  assert.deepEqual(model.sentOf("drop_code"), []);
  signIns.show("ready");
  assert.deepEqual(binding.state, { kind: "ready" });
});

test("how this page's own code ended is shown, and the button works", async () => {
  const { binding, model, signIns } = await bindShowing();
  signIns.show("failed", { code: "expired_token", message: "Too late." });
  await turn();
  assert.deepEqual(binding.state, {
    kind: "failed",
    code: "expired_token",
    message: "Too late.",
    byHand: null,
    next: "retry",
  });
  assert.equal(model.sentOf("report").at(-1)?.code, "expired_token");
  binding.askForCode();
  assert.deepEqual(binding.state, { kind: "code", code: null });
});

test("a kernel that is gone ends this page's own code", async () => {
  const { binding, model } = await bindShowing();
  model.trigger("comm_live_update");
  assert.deepEqual(binding.state, { kind: "kernel_gone" });
});

test("where this page cannot, the kernel is asked, and nothing flickers", async () => {
  const { binding, model, signIns } = await bind();
  const shown: string[] = [];
  binding.subscribe(({ kind }) => shown.push(kind));
  binding.askForCode();
  signIns.emit({ type: "ask_kernel_for_code" });
  await turn();
  model.kernelSets({ error: "" });
  await turn();
  assert.deepEqual(new Set(shown), new Set(["code"]));
  assert.equal(model.sentOf("ask_for_code").length, 1);
  assert.deepEqual(model.sentOf("report"), []);
});

test("the kernel's code is asked for, shown, and gone once somebody is signed in", async () => {
  const { binding, model } = await bindLeaving();
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
  assert.deepEqual(signIns.calls.at(-1), "t1 askForCode");
  assert.equal(binding.state.kind, "code");
});

test("cancelling drops the kernel's code, and leads back to the button", async () => {
  const { binding, model, signIns } = await bindLeaving();
  model.kernelSets({ code });
  await turn();
  binding.cancel();
  assert.equal(signIns.calls.at(-1), "t1 cancel");
  signIns.emit({ type: "drop_kernel_code" });
  signIns.show("ready");
  await turn();
  assert.equal(model.sentOf("drop_code").length, 1);
  model.kernelSets({ code: {} });
  await turn();
  assert.deepEqual(binding.state, { kind: "ready" });
});

test("no code: the kernel's reason is shown, and the button works", async () => {
  const { binding, model } = await bindLeaving();
  model.kernelSets({ error: "No codes here.", error_code: "unauthorized_client" });
  await turn();
  const problem = { code: "unauthorized_client", message: "No codes here." };
  assert.deepEqual(binding.state, { kind: "failed", ...problem, byHand: null, next: "retry" });
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
