import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { KernelLink } from "../src/kernel_link.ts";
import { FakeModel } from "./fake_model.ts";

function link(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const model = new FakeModel();
  const lost = t.mock.fn();
  return { model, lost, link: new KernelLink(model, lost), wait: () => t.mock.timers.tick(60_000) };
}

const pong = (model: FakeModel) => model.kernelSends({ type: "pong", id: model.sentOf("ping").at(-1)?.id });

test("a kernel that answers is there", (t) => {
  const { model, lost, link: kernel, wait } = link(t);
  kernel.probe();
  pong(model);
  model.kernelIdle();
  wait();
  assert.equal(lost.mock.callCount(), 0);
});

test("an answer may trail the end of its message", (t) => {
  const { model, lost, link: kernel, wait } = link(t);
  kernel.probe();
  model.kernelIdle();
  pong(model);
  wait();
  assert.equal(lost.mock.callCount(), 0);
});

test("a busy kernel does not answer and is not lost", (t) => {
  const { lost, link: kernel, wait } = link(t);
  kernel.probe();
  wait();
  assert.equal(lost.mock.callCount(), 0);
});

test("a kernel that worked through two pings without an answer does not know the widget", (t) => {
  const { model, lost, link: kernel, wait } = link(t);
  kernel.probe();
  model.kernelIdle();
  wait();
  assert.equal(lost.mock.callCount(), 0, "one answer can get lost on the way");
  model.kernelIdle();
  wait();
  assert.equal(lost.mock.callCount(), 1);
  assert.equal(kernel.lost, true);
});

test("an answer to the second ping clears the doubt", (t) => {
  const { model, lost, link: kernel, wait } = link(t);
  kernel.probe();
  model.kernelIdle();
  wait();
  pong(model);
  model.kernelIdle();
  wait();
  kernel.probe();
  model.kernelIdle();
  wait();
  assert.equal(lost.mock.callCount(), 0);
});

test("a ping or its status that got lost is asked again, ever more rarely, until an answer", (t) => {
  const { model, lost, link: kernel } = link(t);
  const pings = () => model.sentOf("ping").length;
  kernel.probe();
  t.mock.timers.tick(3000);
  assert.equal(pings(), 2);
  for (let hour = 0; hour < 60; hour += 1) t.mock.timers.tick(60_000);
  assert.ok(pings() > 20 && pings() < 70, `${pings()} in an hour`);
  assert.equal(lost.mock.callCount(), 0, "silence alone is a busy kernel");
  pong(model);
  const asked = pings();
  t.mock.timers.tick(600_000);
  assert.equal(pings(), asked);
});

test("a kernel whose first statuses got lost is still found out", (t) => {
  const { model, lost, link: kernel, wait } = link(t);
  kernel.probe();
  t.mock.timers.tick(3000);
  model.kernelIdle();
  t.mock.timers.tick(500);
  model.kernelIdle();
  wait();
  assert.equal(lost.mock.callCount(), 1);
  const asked = model.sentOf("ping").length;
  wait();
  assert.equal(model.sentOf("ping").length, asked, "a kernel that is gone is asked nothing");
});

test("answers to other pings do not count", (t) => {
  const { model, lost, link: kernel, wait } = link(t);
  kernel.probe();
  for (let round = 0; round < 2; round += 1) {
    model.kernelSends({ type: "pong", id: -1 });
    model.kernelIdle();
    wait();
  }
  assert.equal(lost.mock.callCount(), 1);
});

test("a restart, or a connection that is gone, is known at once and said once", (t) => {
  for (const end of ["restart", "send"]) {
    const { model, lost, link: kernel } = link(t);
    if (end === "restart") model.trigger("comm_live_update");
    model.sendFails = true;
    kernel.send({ type: "sign_out" });
    kernel.probe();
    model.trigger("comm_live_update");
    assert.equal(lost.mock.callCount(), 1, end);
    t.mock.timers.reset();
  }
});

test("a link that was let go asks nothing more", (t) => {
  const { model, link: kernel, wait } = link(t);
  kernel.probe();
  kernel.dispose();
  kernel.probe();
  wait();
  assert.equal(model.sentOf("ping").length, 1);
});
