import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import type { FlowEvent, TicketData } from "tokentoss:glue";
import { isForbidden, loaderOf } from "../src/load.ts";

const wasm = readFileSync("target/widget/tokentoss.wasm");
const text = (bytes: number) => randomBytes(bytes).toString("base64url");

const ticket = {
  version: 2,
  id: text(16),
  nonce: text(32),
  public_key: text(32),
  client_id: "client",
  client_secret_sealed: false,
  scopes: ["openid"],
  redirect_uri: "http://127.0.0.1:41231/",
  provider: {
    issuer: "https://issuer.example",
    authorization_endpoint: "https://issuer.example/authorize",
    token_endpoint: "https://issuer.example/token",
    iss_parameter_supported: false,
    authorization_params: {},
    id_token_signing_algs: ["RS256"],
  },
  hosted_domain: null,
  login_hint: null,
};

const bytes = Buffer.from(wasm);
const load = loaderOf(bytes);

test("a failure is not kept", async () => {
  bytes.fill(0, 0, 4);
  await assert.rejects(load, (reason) => isForbidden(reason), "a compile error is what a policy's refusal looks like");
  wasm.copy(bytes);
  assert.equal(typeof (await load()).SignIn, "function");
});

test("it is instantiated once", () => {
  assert.equal(load(), load());
});

test("the module as it ships runs: a sign-in where no window can open says so", async () => {
  const { SignIn } = await load();
  const events: FlowEvent[] = [];
  const signIn = new SignIn(ticket, (event) => events.push(event));
  signIn.signIn();
  signIn.cancel();
  signIn.free();
  // Outside a browser no start page could answer: the link leads to the provider, and the page registers itself.
  assert.deepEqual(
    events.map((event) => (event.type === "status" ? [event.phase, event.code, event.way] : event.type)),
    [["ready", null, null], "register", ["failed", "popup_blocked", "paste"], ["ready", null, null]],
  );
  assert.match((events[2] as { link: string }).link, /^https:\/\/issuer\.example\/authorize\?/);
});

test("a ticket that is no good throws an Error with its code", async () => {
  const { SignIn } = await load();
  for (const [bad, code] of [
    [{ ...ticket, scopes: ["email"] }, "scope_openid_missing"],
    [{ ...ticket, provider: { ...ticket.provider, token_endpoint: "javascript:alert(1)" } }, "endpoint_insecure"],
    ...malformed().map((bad) => [bad, "ticket_invalid"]),
  ] as [unknown, string][]) {
    assert.throws(() => new SignIn(bad as TicketData, () => {}), { name: "Error", code }, inspect(bad));
  }
});

function malformed(): unknown[] {
  const { id: _, ...without } = ticket;
  const { issuer: __, ...nobody } = ticket.provider;
  const changed = (member: string, value: unknown) => ({ ...ticket, [member]: value });
  return [
    ...[undefined, null, 1, "ticket", [], {}, [ticket], () => ticket, Symbol("ticket"), 1n],
    without,
    // What is missing does not come from a prototype.
    Object.assign(Object.create({ id: text(16) }), without),
    changed("provider", Object.assign(Object.create({ issuer: "https://issuer.example" }), nobody)),
    ...[undefined, null, 1, "https://issuer.example", [], {}].map((provider) => changed("provider", provider)),
    ...[undefined, null, "2", 2.5, 1, 3, -2, Number.NaN, [2]].map((version) => changed("version", version)),
    ...["openid", [1], [null], [["openid"]], { 0: "openid" }, 1, null].map((scopes) => changed("scopes", scopes)),
    ...[1, {}, [], true].flatMap((kind) => [changed("id", kind), changed("login_hint", kind)]),
    // Only what may be null by the declared type is absent where it is null.
    ...["true", 0, {}, null].map((flag) => changed("client_secret_sealed", flag)),
    ...["true", 0, {}, null].map((flag) => changed("remote_kernel", flag)),
    changed("callback_pages", null),
    // A lone surrogate, which would not arrive as it is.
    ...["client_id", "login_hint"].map((member) => changed(member, "a\ud800b")),
    changed("scopes", ["openid", "\udfff"]),
    ...[{ a: 1 }, { a: "\ud800" }, { "\ud800": "a" }, "a=b", 1, null].map((authorization_params) =>
      changed("provider", { ...ticket.provider, authorization_params }),
    ),
  ];
}

test("what may be null in a ticket is absent then", async () => {
  const { SignIn } = await load();
  const absent = { exchange: null, hosted_domain: null, login_hint: null };
  const provider = { ...ticket.provider, device_authorization_endpoint: null, openid_connect: null };
  new SignIn({ ...ticket, ...absent, provider }, () => {}).free();
});

test("what a ticket has besides is not looked at, whatever it is", async () => {
  const { SignIn } = await load();
  const circle: Record<string, unknown> = { ...ticket, provider: { ...ticket.provider, more: () => {} } };
  circle.self = circle;
  circle.huge = "x".repeat(1 << 20);
  new SignIn(circle as unknown as TicketData, () => {}).free();
});

test("other failures are not taken for a policy", () => {
  assert.equal(isForbidden(new RangeError("WebAssembly.Memory(): could not allocate memory")), false);
  assert.equal(isForbidden(new EvalError("Refused to create a WebAssembly object because 'unsafe-eval'")), true);
});

test("after a trap the instance takes no more calls, those who use it hear of it, and the next one works", async (t) => {
  const dead = await load();
  const callbacks: (() => void)[] = [];
  t.mock.method(globalThis, "setTimeout", (callback: () => void) => callbacks.push(callback));
  // Nothing of a dead instance can be stopped: it goes on calling in vain.
  t.mock.method(globalThis, "setInterval", () => 0);
  let told = 0;
  dead.onTrap.add(() => {
    told += 1;
  });
  const events: string[] = [];
  const signIn = new dead.SignIn(ticket, (event) => events.push(event.type));
  signIn.signIn();
  const [callback] = callbacks;
  assert.ok(callback, "it set a timer");
  const clock = t.mock.method(Date, "now", () => {
    throw new WebAssembly.RuntimeError("unreachable");
  });
  assert.throws(callback, WebAssembly.RuntimeError);
  clock.mock.restore();
  assert.equal(told, 1);

  const heard = events.length;
  signIn.cancel();
  signIn.free();
  assert.equal(events.length, heard);
  const { SignIn } = await load();
  assert.notEqual(SignIn, dead.SignIn);
  new SignIn(ticket, (event) => events.push(event.type)).free();
  assert.equal(events.length, heard + 1);
  assert.equal(told, 1);
});
