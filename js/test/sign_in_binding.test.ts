import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { SignInBinding } from "../src/sign_in_binding.ts";
import type { ViewState } from "../src/view_state.ts";
import { bind, turn } from "./fake_binding.ts";
import { FakeModel, ticket } from "./fake_model.ts";
import { fakeSignIns } from "./fake_sign_in.ts";

// Pings are repeated until the kernel answers; these tests do not wait for that.
mock.timers.enable({ apis: ["setTimeout"] });

const link = "http://127.0.0.1:1/";
const byHand = { link, way: "loopback", pasteProblem: null };

test("a sign-in is made of the ticket once the WebAssembly is there", async () => {
  const model = new FakeModel();
  const signIns = fakeSignIns();
  const binding = new SignInBinding(model, async () => signIns.runtime);
  assert.deepEqual(binding.state, { kind: "loading" });
  await turn();
  assert.deepEqual(binding.state, { kind: "ready" });
  assert.deepEqual(signIns.calls, ["t1 new"]);
});

test("all views of a model show one sign-in", async () => {
  const { binding, signIns, states } = await bind();
  const second: ViewState[] = [];
  const unsubscribe = binding.subscribe((state) => second.push(state));
  binding.signIn();
  assert.equal(second.at(-1)?.kind, "waiting");
  assert.deepEqual(second.at(-1), states.at(-1));
  unsubscribe();
  signIns.show("signing_in");
  assert.equal(second.at(-1)?.kind, "waiting");
  assert.deepEqual(signIns.calls, ["t1 new", "t1 signIn"]);
});

test("nothing is said to the kernel in the turn of the click", async () => {
  const { binding, model } = await bind();
  binding.signIn();
  assert.deepEqual(model.sent, []);
  await turn();
  const { page, ...report } = model.sentOf("report")[0] ?? assert.fail();
  assert.deepEqual(model.sent[0], { page, ...report });
  assert.deepEqual(report, {
    type: "report",
    ticket: "t1",
    number: 1,
    phase: "waiting",
    way: "loopback",
    code: "",
    subject: "",
  });
});

test("the kernel is told of a phase once, and not of the first one, which it knows", async () => {
  const { model, signIns } = await bind();
  signIns.show("waiting", { link });
  signIns.show("waiting", { link });
  signIns.show("waiting", { link, way: "paste" });
  signIns.show("waiting", { link, way: "paste", code: "popup_closed", message: "Closed?" });
  signIns.show("signing_in");
  signIns.show("handing_over");
  signIns.show("failed", { code: "invalid_grant", subject: "issuer.example", message: "No." });
  await turn();
  assert.deepEqual(
    model
      .sentOf("report")
      .map(({ phase, way, code, subject }) => [phase, way, code, subject].filter(Boolean).join(" ")),
    ["waiting", "waiting paste", "waiting paste popup_closed", "signing_in", "failed invalid_grant issuer.example"],
  );
});

test("each page counts its reports, because a kernel may read them in another order", async () => {
  const pages = [await bind(), await bind()];
  for (const { signIns } of pages)
    for (const phase of ["waiting", "signing_in"] as const) signIns.show(phase, { link });
  await turn();
  const reports = pages.map(({ model }) => model.sentOf("report"));
  for (const of of reports)
    assert.deepEqual(
      of.map(({ number }) => number),
      [1, 2],
    );
  assert.equal(new Set(reports.flat().map(({ page }) => page)).size, 2);
});

test("the kernel's decision reaches the sign-in that it is about, with its words", async () => {
  const { binding, model, signIns } = await bind();
  model.kernelSets({ acknowledged: "another", error_code: "" });
  await turn();
  model.kernelSets({ acknowledged: "t1", error: "Choose another account.", error_code: "hosted_domain_mismatch" });
  await turn();
  assert.deepEqual(signIns.calls, ["t1 new", "t1 acknowledge t1 hosted_domain_mismatch Choose another account."]);
  assert.deepEqual(binding.state, {
    kind: "failed",
    code: "hosted_domain_mismatch",
    message: "Choose another account.",
    byHand: null,
    next: "retry",
  });
  assert.deepEqual(model.sentOf("report"), [], "the kernel is not told what it decided itself");
});

test("a refusal stays on show when the next ticket comes, and a click uses that one", async () => {
  const { binding, model, signIns } = await bind();
  model.kernelSets({ ticket: ticket("t2"), acknowledged: "t1", error: "Refused.", error_code: "id_token_expired" });
  await turn();
  assert.equal(binding.state.kind, "failed");
  binding.signIn();
  assert.equal(binding.state.kind, "waiting");
  assert.deepEqual(signIns.calls.slice(1), [
    "t1 acknowledge t1 id_token_expired Refused.",
    "t1 free",
    "t2 new",
    "t2 signIn",
  ]);
});

test("a relay is passed on for the outstanding ticket only", async () => {
  const { model, signIns } = await bind();
  model.kernelSends({ type: "relay", ticket: "t0", sealed: "old" });
  model.kernelSends({ type: "relay", ticket: "t1", sealed: "new" });
  model.kernelSends({ type: "relay", ticket: "t1" });
  model.kernelSends({ type: "something else" });
  assert.deepEqual(signIns.calls.slice(1), ["t1 relay new"]);
});

test("an error from before the page was loaded is shown until the next try", async () => {
  const error = "The sign-in window was closed.";
  const { binding, model, states } = await bind({ error, error_code: "popup_closed" });
  assert.deepEqual(binding.state, {
    kind: "failed",
    code: "popup_closed",
    message: error,
    byHand: null,
    next: "retry",
  });
  binding.signIn();
  assert.equal(states.at(-1)?.kind, "waiting");
  model.kernelSets({ user_email: "" });
  await turn();
  assert.equal(states.at(-1)?.kind, "waiting", "the kernel's old error does not come back");
});

test("cancelling leads back to the button", async () => {
  const { binding, signIns } = await bind();
  binding.signIn();
  binding.cancel();
  signIns.show("ready");
  assert.deepEqual(binding.state, { kind: "ready" });
  assert.deepEqual(signIns.calls.slice(1), ["t1 signIn", "t1 cancel"]);
});

test("a doubt while waiting keeps the sign-in waiting", async () => {
  const { binding, signIns } = await bind();
  signIns.show("waiting", { link, way: "loopback", code: "popup_closed", message: "Was it closed?" });
  assert.deepEqual(binding.state, {
    kind: "waiting",
    problem: { code: "popup_closed", message: "Was it closed?" },
    byHand,
  });
});

test("a blocked popup shows its link", async () => {
  const { binding, signIns } = await bind();
  signIns.show("failed", { link, way: "loopback", code: "popup_blocked", message: "Blocked." });
  assert.deepEqual(binding.state, {
    kind: "failed",
    code: "popup_blocked",
    message: "Blocked.",
    byHand,
    next: "retry",
  });
  binding.linkFollowed();
  assert.equal(signIns.calls.at(-1), "t1 linkFollowed");
});

test("what is wrong with a pasted address is shown beside the field", async () => {
  const { binding, signIns } = await bind();
  binding.signIn();
  binding.paste("http://127.0.0.1:1/?code=c");
  assert.equal(signIns.calls.at(-1), "t1 paste http://127.0.0.1:1/?code=c");
  signIns.show("waiting", { link, way: "paste", paste_problem: "Not this one." });
  assert.deepEqual(binding.state, {
    kind: "waiting",
    problem: null,
    byHand: { link, way: "paste", pasteProblem: "Not this one." },
  });
});

test("what is copied is the link after the sign-in was told of it", async () => {
  const { binding, signIns } = await bind();
  binding.signIn();
  assert.equal(binding.linkCopied(), "https://issuer.example/authorize?x");
  assert.equal(signIns.calls.at(-1), "t1 linkCopied");
});

test("the page registers by a message of its own turn, and hears the answer for its ticket only", async () => {
  const { model, signIns } = await bind();
  const register = { type: "register", ticket: "t1", sealed: "s", key: "k" } as const;
  signIns.emit(register);
  assert.deepEqual(model.sent, []);
  await turn();
  assert.deepEqual(model.sent, [register]);
  model.kernelSends({ type: "registered", ticket: "t0", key: "k", sealed: "old" });
  model.kernelSends({ type: "registered", ticket: "t1", key: "k", sealed: "new" });
  model.kernelSends({ type: "registered", ticket: "t1", key: "k", sealed: null });
  model.kernelSends({ type: "registered", ticket: "t1", sealed: "s" });
  assert.deepEqual(signIns.calls.slice(1), ["t1 registered k new"]);
});

test("the page introduces itself by a message of its own turn, and hears the answer for its ticket only", async () => {
  const { model, signIns } = await bind();
  const introduce = { type: "introduce", ticket: "t1", key: "k", origin: "https://hub.example" } as const;
  signIns.emit(introduce);
  assert.deepEqual(model.sent, []);
  await turn();
  assert.deepEqual(model.sent, [introduce]);
  model.kernelSends({ type: "introduced", ticket: "t0", key: "k", sealed: "old" });
  model.kernelSends({ type: "introduced", ticket: "t1", key: "k", sealed: "new" });
  model.kernelSends({ type: "introduced", ticket: "t1", key: 1, sealed: "new" });
  assert.deepEqual(signIns.calls.slice(1), ["t1 introduced k new"]);
});

test("while signed in, what Python says is shown, also when it says more later", async () => {
  const { binding, model, signIns } = await bind();
  const status = "Signed in as x81 (the signature is checked once the provider's keys can be fetched)";
  model.kernelSets({ ticket: {}, acknowledged: "t1", status, is_authenticated: true });
  await turn();
  assert.deepEqual(binding.state, { kind: "signed_in", said: status });
  assert.deepEqual(signIns.calls.slice(1), ["t1 acknowledge t1", "t1 free"]);
  const shown: ViewState[] = [];
  binding.subscribe((state) => shown.push(state));
  model.kernelSets({ status: "Signed in as x81" });
  await turn();
  assert.deepEqual(shown, [{ kind: "signed_in", said: "Signed in as x81" }]);
});

test("a ticket that comes while signed in asks for more", async () => {
  const account = { user_email: "ada@example.org", is_authenticated: true, status: "Signed in as ada@example.org" };
  const { binding, model, signIns } = await bind({ ticket: {}, ...account });
  model.kernelSets({ ticket: ticket("t2") });
  await turn();
  assert.deepEqual(binding.state, { kind: "ready" });
  binding.signIn();
  assert.equal(binding.state.kind, "waiting");
  model.kernelSets({ ticket: {}, acknowledged: "t2" });
  await turn();
  assert.deepEqual(binding.state, { kind: "signed_in", said: account.status });
  assert.deepEqual(signIns.calls, ["t2 new", "t2 signIn", "t2 acknowledge t2", "t2 free"]);
});

test("signing out waits for the kernel, then starts with the next ticket", async () => {
  const { binding, model, signIns } = await bind({ ticket: {}, user_email: "ada@example.org", is_authenticated: true });
  binding.signOut();
  assert.deepEqual(binding.state, { kind: "signing_out", account: "ada@example.org" });
  assert.deepEqual(model.sent[0], { type: "sign_out" });
  model.kernelSets({ ticket: ticket("t2"), user_email: "", is_authenticated: false });
  await turn();
  assert.deepEqual(binding.state, { kind: "ready" });
  assert.deepEqual(signIns.calls, ["t2 new"]);
});

test("disposing lets go of everything", async () => {
  const { binding, model, signIns, states } = await bind();
  binding.signIn();
  binding.dispose();
  await turn();
  const shown = states.length;
  signIns.show("signing_in");
  model.kernelSets({ ticket: ticket("t2") });
  await turn();
  assert.equal(model.handlers, 0);
  assert.equal(states.length, shown);
  assert.equal(signIns.calls.at(-1), "t1 free");
});
