/** What is said in another language than English. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mock, test } from "node:test";
import { ConfigureBinding } from "../src/configure_binding.ts";
import { SignInBinding } from "../src/sign_in_binding.ts";
import { type SentTexts, sentenceIn, type Texts } from "../src/texts.ts";
import type { Traits } from "../src/traits.ts";
import { FakeConfigureModel } from "./fake_configure_model.ts";
import { FakeModel, ticket } from "./fake_model.ts";
import { fakeSignIns } from "./fake_sign_in.ts";
import { sentence } from "./sentences.ts";

mock.timers.enable({ apis: ["setTimeout"] });

const german: Texts = {
  language: "de",
  ...JSON.parse(readFileSync("python/tokentoss/texts/de.json", "utf8")),
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function bind(traits: Partial<Traits> = {}) {
  const model = new FakeModel({ texts: german, ...traits });
  const signIns = fakeSignIns();
  const binding = new SignInBinding(model, async () => signIns.runtime);
  await turn();
  return { model, signIns, binding };
}

/** A page as its notebook writes it. */
function page(language: string): Disposable {
  const before = globalThis.document;
  globalThis.document = { documentElement: { lang: language } } as Document;
  return {
    [Symbol.dispose]() {
      globalThis.document = before;
    },
  };
}

test("a sentence names what it is about, whatever that holds", () => {
  const code = "invalid_client";
  assert.match(sentenceIn(german, code, "", "$& {subject}"), /^\$& \{subject\} akzeptiert diesen Client nicht\./);
  assert.match(sentenceIn(german, code, ""), /^Der Token-Endpunkt akzeptiert/);
  for (const texts of [undefined, {}, { ...german, errors: {} }] as SentTexts[]) {
    assert.equal(sentenceIn(texts, code, "In English."), "In English.");
  }
});

test("what the page finds is said in German", async () => {
  const { binding, signIns } = await bind();
  binding.signIn();
  const message = sentence("popup_closed");
  signIns.show("failed", { code: "popup_closed", message, subject: "127.0.0.1:43713" });
  const { state } = binding;
  assert.equal(state.kind === "failed" && state.message, german.errors.popup_closed);
});

test("an address that was pasted is judged in German", async () => {
  const { binding, signIns } = await bind();
  binding.signIn();
  const problem = { paste_code: "paste_code_only", paste_problem: sentence("paste_code_only") };
  signIns.show("waiting", { link: "https://login.example.com/", way: "paste", ...problem });
  const { state } = binding;
  assert.equal(state.kind === "waiting" && state.byHand.pasteProblem, german.errors.paste_code_only);
});

test("what the kernel says stays as it says it", async () => {
  const error = "login.example.com akzeptiert diesen Client nicht.";
  const { binding, model, signIns } = await bind();
  binding.signIn();
  model.kernelSets({ acknowledged: "t1", ticket: ticket("t2"), error, error_code: "invalid_client" });
  await turn();
  signIns.show("failed", { code: "invalid_client", message: error });
  assert.equal(binding.state.kind === "failed" && binding.state.message, error);
});

test("a browser that cannot is told in German", async () => {
  const binding = new SignInBinding(new FakeModel({ texts: german }), async () => {
    throw new Error("broken");
  });
  await turn();
  assert.equal(binding.state.kind === "failed" && binding.state.message, german.errors.webassembly_failed);
  const form = new ConfigureBinding(new FakeConfigureModel({ texts: german }), async () => {
    throw new Error("broken");
  });
  await turn();
  assert.equal(form.state.kind === "unusable" && form.state.message, german.errors.webassembly_failed);
});

test("a page tells the kernel its language, unless that is English", async () => {
  for (const [language, told] of [
    ["de-DE", ["de-DE"]],
    ["default", ["default"]],
    ["en", []],
    ["EN-gb", []],
    ["", []],
  ] as const) {
    using _ = page(language);
    const { model } = await bind();
    assert.deepEqual(
      model.sentOf("language").map((message) => message.language),
      told,
      language,
    );
  }
  const { model } = await bind();
  assert.deepEqual(model.sentOf("language"), [], "where there is no page");
});
