import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { popup_blocked, popup_closed } from "tokentoss:sentences";
import type { Problem } from "../src/problem.ts";
import { SignInBinding } from "../src/sign_in_binding.ts";
import type { Offer } from "../src/traits.ts";
import { FakeModel } from "./fake_model.ts";
import { fakeSignIns } from "./fake_sign_in.ts";

mock.timers.enable({ apis: ["setTimeout", "setInterval"] });

const turn = () => new Promise((resolve) => setImmediate(resolve));

const BROKER = "https://broker.example";

function offer(id: string, confirm = false): Offer {
  return { id, url: `${BROKER}/connect/${id}`, origin: BROKER, confirm };
}

class FakePopup {
  closed = false;
  readonly heard: unknown[] = [];
  postMessage(message: unknown, options: unknown) {
    this.heard.push([message, options]);
  }
  close() {
    this.closed = true;
  }
}

/** The page, as far as a sign-in at a broker needs one. */
const page = {
  opened: [] as [string, FakePopup | null][],
  blocks: false,
  hears: new Set<(event: object) => void>(),
};

beforeEach(() => {
  page.opened.length = 0;
  page.blocks = false;
  page.hears.clear();
});

Object.assign(globalThis, {
  location: { origin: "https://notebook.example" },
  addEventListener: (_: string, hear: (event: object) => void) => page.hears.add(hear),
  removeEventListener: (_: string, hear: (event: object) => void) => page.hears.delete(hear),
  window: {
    open(url: string) {
      const popup = page.blocks ? null : new FakePopup();
      page.opened.push([url, popup]);
      return popup;
    },
  },
});

function post(source: FakePopup | null, kind: string, changes: object = {}, origin = BROKER) {
  const data = { tokentoss: "broker", id: "a1", kind, ...changes };
  for (const hear of page.hears) hear({ data, origin, source });
}

async function bind(broker: Offer | Record<string, never> = offer("a1"), load?: () => Promise<never>) {
  const branding = { name: "Google", style: "google", confirms: true } as const;
  const model = new FakeModel({ ticket: {}, branding, broker });
  const signIns = fakeSignIns();
  const binding = new SignInBinding(model, load ?? (async () => signIns.runtime));
  await turn();
  return { binding, model };
}

const waiting = (problem: Problem | null = null, way = "loopback", pasteProblem: string | null = null) => ({
  kind: "waiting",
  problem,
  byHand: { link: `${BROKER}/connect/a1`, way, pasteProblem },
});

test("the page says where it is", async () => {
  const { model } = await bind();
  assert.deepEqual(model.sentOf("broker"), [
    { type: "broker", kind: "page", id: "", text: "https://notebook.example" },
  ]);
});

test("nothing can be clicked before the kernel has begun", async () => {
  const { binding, model } = await bind({});
  assert.deepEqual(binding.state, { kind: "loading" });
  binding.signIn();
  assert.equal(page.opened.length, 0);
  model.kernelSets({ broker: offer("a1") });
  await turn();
  assert.deepEqual(binding.state, { kind: "ready" });
});

test("the click opens the popup, with nothing said to the kernel in its turn", async () => {
  const { binding, model } = await bind();
  const before = model.sent.length;
  binding.signIn();
  assert.equal(page.opened[0]?.[0], `${BROKER}/connect/a1`);
  assert.equal(model.sent.length, before);
  assert.deepEqual(binding.state, waiting());
  await turn();
  assert.deepEqual(model.sentOf("broker").at(-1), { type: "broker", kind: "opened", id: "a1", text: "" });
});

test("it needs no WebAssembly", async () => {
  const { binding } = await bind(offer("a1"), () => Promise.reject(new WebAssembly.CompileError("forbidden")));
  assert.deepEqual(binding.state, { kind: "ready" });
  binding.signIn();
  assert.deepEqual(binding.state, waiting());
});

test("a broker that is away is asked again, whatever becomes of the WebAssembly", async () => {
  for (const reason of [new WebAssembly.CompileError("forbidden"), new Error("no memory")]) {
    const { binding, model } = await bind({}, () => Promise.reject(reason));
    assert.deepEqual(binding.state, { kind: "loading" });
    const error = { code: "broker_unreachable", message: "The broker cannot be reached." };
    model.kernelSets({ error: error.message, error_code: error.code });
    await turn();
    const failed = { kind: "failed", ...error, next: "retry", byHand: null };
    assert.deepEqual(binding.state, failed);
    binding.signIn();
    assert.equal(model.sentOf("ask_for_ticket").length, 1);
  }
});

test("the popup is answered, and its end shown", async () => {
  const { binding, model } = await bind();
  binding.signIn();
  const popup = page.opened[0]?.[1] ?? assert.fail();
  post(popup, "who");
  assert.deepEqual(popup.heard, [[{ tokentoss: "broker", id: "a1", kind: "here" }, { targetOrigin: BROKER }]]);
  post(popup, "done");
  mock.timers.tick(1000);
  assert.deepEqual(binding.state, { kind: "handing_over" });
  model.kernelSets({ broker: {}, is_authenticated: true, status: "Signed in as ada@example.com" });
  await turn();
  assert.deepEqual(binding.state, { kind: "signed_in", said: "Signed in as ada@example.com" });
});

test("a popup that closes itself after the end does not look closed", async () => {
  const { binding } = await bind();
  binding.signIn();
  const popup = page.opened[0]?.[1] ?? assert.fail();
  post(popup, "done");
  popup.close();
  mock.timers.tick(3000);
  assert.deepEqual(binding.state, { kind: "handing_over" });
});

const strangers: [string, () => void][] = [
  ["another origin", () => post(page.opened[0]?.[1] ?? null, "who", {}, "https://evil.example")],
  ["another window", () => post(new FakePopup(), "who")],
  ["no window", () => post(null, "who")],
  ["another sign-in", () => post(page.opened[0]?.[1] ?? null, "who", { id: "a2" })],
  ["another program", () => post(page.opened[0]?.[1] ?? null, "who", { tokentoss: "something" })],
  ["another kind", () => post(page.opened[0]?.[1] ?? null, "here")],
];
for (const [who, speak] of strangers) {
  test(`${who} is not answered`, async () => {
    const { binding } = await bind();
    binding.signIn();
    speak();
    assert.deepEqual(page.opened[0]?.[1]?.heard, []);
    assert.deepEqual(binding.state, waiting());
  });
}

test("a page on which nobody clicked answers nobody", async () => {
  await bind();
  const popup = new FakePopup();
  post(popup, "who");
  assert.deepEqual(popup.heard, []);
});

test("a popup that the browser blocked is opened by the link", async () => {
  page.blocks = true;
  const { binding } = await bind();
  binding.signIn();
  assert.deepEqual(binding.state, waiting({ code: "popup_blocked", message: popup_blocked }));
  binding.linkFollowed();
  const popup = new FakePopup();
  post(popup, "who");
  assert.equal(popup.heard.length, 1);
  assert.deepEqual(binding.state, waiting());
  post(new FakePopup(), "done");
  assert.deepEqual(binding.state, waiting(), "another window");
});

test("a popup that was closed can be opened again", async () => {
  const { binding } = await bind();
  binding.signIn();
  page.opened[0]?.[1]?.close();
  mock.timers.tick(1000);
  assert.deepEqual(binding.state, waiting({ code: "popup_closed", message: popup_closed }));
  binding.signIn();
  assert.equal(page.opened.length, 2);
  assert.deepEqual(binding.state, waiting());
});

test("the code of a severed popup goes to the kernel, which says what is wrong with it", async () => {
  const { binding, model } = await bind();
  binding.signIn();
  model.kernelSets({ broker: offer("a1", true) });
  await turn();
  assert.deepEqual(binding.state, waiting(null, "paste"));
  binding.paste("ABCD2345");
  await turn();
  assert.deepEqual(model.sentOf("broker").at(-1), { type: "broker", kind: "confirm", id: "a1", text: "ABCD2345" });
  model.kernelSends({ type: "link", ticket: "a1", link: `${BROKER}/x`, paste: true, problem: "Another code." });
  assert.deepEqual(binding.state, waiting(null, "paste", "Another code."));
});

test("a page that was loaded again takes the code, too", async () => {
  const { binding, model } = await bind(offer("a1", true));
  assert.deepEqual(binding.state, waiting(null, "paste"));
  binding.paste("ABCD2345");
  await turn();
  assert.equal(model.sentOf("broker").at(-1)?.text, "ABCD2345");
});

test("a sign-in that was begun outlives the next offer", async () => {
  const { binding, model } = await bind();
  binding.signIn();
  model.kernelSets({ broker: offer("a2") });
  await turn();
  assert.deepEqual(binding.state, waiting());
  const popup = page.opened[0]?.[1] ?? assert.fail();
  post(popup, "who");
  assert.equal(popup.heard.length, 1);
});

test("a failure is shown, and the next click opens the next one", async () => {
  const { binding, model } = await bind();
  binding.signIn();
  model.kernelSets({ acknowledged: "a1", broker: {}, error: "Access wasn't granted:", error_code: "access_denied" });
  await turn();
  model.kernelSets({ broker: offer("a2") });
  await turn();
  const message = "Access wasn't granted:";
  const failed = { kind: "failed", code: "access_denied", message, next: "retry", byHand: null };
  assert.deepEqual(binding.state, failed);
  assert.equal(page.opened[0]?.[1]?.closed, true);
  binding.signIn();
  assert.equal(page.opened[1]?.[0], `${BROKER}/connect/a2`);
  assert.equal(binding.state.kind, "waiting");
});

test("cancelling closes the popup and tells the kernel", async () => {
  const { binding, model } = await bind();
  binding.signIn();
  binding.cancel();
  await turn();
  assert.equal(page.opened[0]?.[1]?.closed, true);
  assert.deepEqual(model.sentOf("broker").at(-1), { type: "broker", kind: "give_up", id: "a1", text: "" });
  assert.deepEqual(binding.state, { kind: "ready" });
});

test("two widgets of one page each hear their own popup", async () => {
  const one = await bind();
  const two = await bind(offer("a2"));
  one.binding.signIn();
  two.binding.signIn();
  const [first, second] = page.opened.map(([, popup]) => popup ?? assert.fail());
  post(second ?? assert.fail(), "done", { id: "a2" });
  mock.timers.tick(1000);
  assert.equal(two.binding.state.kind, "handing_over");
  assert.equal(one.binding.state.kind, "waiting");
  post(first ?? assert.fail(), "who", { id: "a2" });
  assert.deepEqual(first?.heard, []);
});

test("a model that is let go of listens no more", async () => {
  const { binding } = await bind();
  binding.signIn();
  binding.dispose();
  assert.equal(page.hears.size, 0);
  assert.equal(page.opened[0]?.[1]?.closed, true);
});

test("a widget without a broker listens to no window", async () => {
  const model = new FakeModel();
  const signIns = fakeSignIns();
  const binding = new SignInBinding(model, async () => signIns.runtime);
  await turn();
  assert.equal(page.hears.size, 0);
  assert.deepEqual(model.sentOf("broker"), []);
  binding.dispose();
});
