import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ConfigureBinding } from "../src/configure_binding.ts";
import type { ConfigureState } from "../src/configure_state.ts";
import type { ConfigureTraits } from "../src/configure_traits.ts";
import type { Sealer } from "../src/load_sealer.ts";
import { FakeConfigureModel } from "./fake_configure_model.ts";
import { sentence } from "./sentences.ts";

const SECRET = "GOCSPX-very-secret";

/** Seals nothing; the result names the ticket, so that tests see what went where. */
const sealer: Sealer = {
  sealCredentials: (ticket, key, id) => `sealed ${ticket} ${key} ${id}`,
  sealFile: (ticket, key, name, content) => `sealed ${ticket} ${key} ${name} ${content.length}`,
};

async function bound(t: TestContext, traits: Partial<ConfigureTraits> = {}, load = async () => sealer) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const model = new FakeConfigureModel(traits);
  const binding = new ConfigureBinding(model, load);
  const shown: ConfigureState[] = [];
  binding.subscribe((state) => shown.push(state));
  const before = binding.state;
  await new Promise(setImmediate);
  return { model, binding, shown, before };
}

const sent = (model: FakeConfigureModel) => model.saved.map((traits) => traits.sealed_configuration);

const accepted = {
  acknowledged: "t1",
  ticket: { id: "t2", public_key: "k2" },
  configured: true,
  status: "Configured! Saved to /x",
  client_id: "id-1",
  current_client: "id-1",
  error: "",
  error_code: "",
};

const refused = {
  acknowledged: "t1",
  ticket: { id: "t2", public_key: "k2" },
  configured: false,
  status: "Error: no",
  error: "no",
  error_code: "client_id_invalid",
};

test("the form can be filled at once and sent when the WebAssembly is there", async (t) => {
  const { binding, before } = await bound(t, { client_id: "id-0", current_client: "id-9" });
  assert.deepEqual(before, { kind: "editing", ready: false, problem: { code: "", message: "" } });
  assert.deepEqual(binding.state, { kind: "editing", ready: true, problem: { code: "", message: "" } });
  assert.deepEqual(binding.initial, { clientId: "id-0", projectId: "" });
  assert.equal(binding.currentClient, "id-9");
});

test("what was typed is sealed in the same call, and only its sealed form is kept", async (t) => {
  const { model, binding } = await bound(t);
  binding.submitCredentials("id-1", SECRET, "p");
  assert.deepEqual(model.saved, [{ sealed_configuration: "sealed t1 k1 id-1" }]);
  assert.deepEqual(binding.state, { kind: "sending" });
});

test("a file's bytes are wiped once they are sealed", async (t) => {
  const { model, binding } = await bound(t);
  const content = new TextEncoder().encode(SECRET);
  binding.submitFile("a.json", content);
  assert.deepEqual(sent(model), [`sealed t1 k1 a.json ${SECRET.length}`]);
  assert.ok(content.every((byte) => byte === 0));
});

test("Python took it", async (t) => {
  const { model, binding, shown } = await bound(t);
  binding.submitCredentials("id-1", SECRET, "");
  await model.kernelSets(accepted);
  assert.deepEqual(shown.at(-1), { kind: "configured", message: "Configured! Saved to /x", client: "id-1" });
  assert.equal(model.get("sealed_configuration"), "");
  assert.equal(model.saved.length, 1, "emptied here without a message");
  binding.again();
  assert.equal(binding.state.kind, "editing");
  binding.submitCredentials("id-2", SECRET, "");
  assert.equal(sent(model).at(-1), "sealed t2 k2 id-2");
  assert.equal(binding.state.kind, "sending");
});

test("Python refused it", async (t) => {
  const { model, binding } = await bound(t);
  binding.submitCredentials("id-1", SECRET, "");
  await model.kernelSets(refused);
  assert.deepEqual(binding.state, {
    kind: "editing",
    ready: true,
    problem: { code: "client_id_invalid", message: "no" },
  });
  binding.submitCredentials("id-1", SECRET, "");
  assert.equal(binding.state.kind, "sending", "the old problem is gone with the new attempt");
});

test("an answer to another ticket decides nothing", async (t) => {
  const { model, binding } = await bound(t);
  binding.submitCredentials("id-1", SECRET, "");
  await model.kernelSets({ acknowledged: "t0", status: "x" });
  assert.equal(binding.state.kind, "sending");
});

test("what was not taken is sent again, ever more rarely, until it is", async (t) => {
  const { model, binding } = await bound(t);
  binding.submitCredentials("id-1", SECRET, "");
  for (const pause of [2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    const before = model.saved.length;
    t.mock.timers.tick(pause - 1);
    assert.equal(model.saved.length, before);
    t.mock.timers.tick(1);
    assert.equal(model.saved.length, before + 1);
  }
  assert.deepEqual(new Set(sent(model)), new Set(["sealed t1 k1 id-1"]));
  await model.kernelSets(accepted);
  t.mock.timers.tick(1_000_000);
  assert.equal(model.saved.length, 7);
});

test("one client at a time", async (t) => {
  const { model, binding } = await bound(t);
  binding.submitCredentials("id-1", SECRET, "");
  binding.submitCredentials("id-2", SECRET, "");
  assert.deepEqual(sent(model), ["sealed t1 k1 id-1"]);
});

test("nothing is sent that could not be sealed", async (t) => {
  const cannot: Sealer = { sealCredentials: () => undefined, sealFile: () => undefined };
  const { model, binding } = await bound(t, {}, async () => cannot);
  binding.submitCredentials("id-1", SECRET, "");
  assert.deepEqual(binding.state, {
    kind: "editing",
    ready: true,
    problem: { code: "configuration_unsealed", message: sentence("configuration_unsealed") },
  });
  assert.deepEqual(model.saved, []);
});

test("a kernel that is lost takes nothing, and nothing stays in the model", async (t) => {
  const { model, binding } = await bound(t);
  binding.submitCredentials("id-1", SECRET, "");
  model.kernelRestarts();
  assert.deepEqual(binding.state, { kind: "kernel_gone" });
  assert.equal(model.get("sealed_configuration"), "");
  binding.submitCredentials("id-1", SECRET, "");
  t.mock.timers.tick(100_000);
  assert.equal(model.saved.length, 1);
});

test("a host that cannot send has lost the kernel", async (t) => {
  const { model, binding } = await bound(t);
  model.sendFails = true;
  binding.submitCredentials("id-1", SECRET, "");
  assert.deepEqual(binding.state, { kind: "kernel_gone" });
  t.mock.timers.tick(100_000);
  assert.equal(model.saved.length, 1);
});

for (const [code, reason] of [
  ["webassembly_unavailable", new WebAssembly.CompileError("refused by the content security policy")],
  ["webassembly_failed", new Error("out of memory")],
] as const) {
  test(`the WebAssembly does not start: ${code}`, async (t) => {
    t.mock.method(console, "error", () => {});
    const { binding } = await bound(t, {}, () => Promise.reject(reason));
    assert.deepEqual(binding.state, { kind: "unusable", code, message: sentence(code) });
  });
}

test("a page that is loaded again shows what Python last said", async (t) => {
  const { binding } = await bound(t, { ...refused, acknowledged: "t1" });
  assert.deepEqual(binding.state, {
    kind: "editing",
    ready: true,
    problem: { code: "client_id_invalid", message: "no" },
  });
});

test("nothing is left behind", async (t) => {
  const { model, binding, shown } = await bound(t);
  binding.submitCredentials("id-1", SECRET, "");
  binding.dispose();
  const seen = shown.length;
  assert.equal(model.handlers, 0);
  assert.equal(model.get("sealed_configuration"), "");
  t.mock.timers.tick(100_000);
  await model.kernelSets(accepted);
  assert.equal(model.saved.length, 1);
  assert.equal(shown.length, seen);
});
