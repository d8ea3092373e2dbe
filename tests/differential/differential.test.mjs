// The same callbacks and token responses through tokentoss-core and oauth4webapi: they agree on accept and refuse, and on
// what they read, except where a rule of rules.mjs says why not.

import assert from "node:assert/strict";
import { before, describe, mock, test } from "node:test";
import { answerCase } from "./answers.mjs";
import { NOW } from "./attempt.mjs";
import { callbackCase } from "./callbacks.mjs";
import { compare, sameTokens } from "./comparison.mjs";
import { loadOurs } from "./ours.mjs";
import { seeded } from "./random.mjs";
import { ANSWER_RULES, CALLBACK_RULES, facts } from "./rules.mjs";
import { theirs } from "./theirs.mjs";

const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 20_261_121);
const CASES = Number(process.env.DIFFERENTIAL_CASES ?? 60_000);

let ours;

before(async () => {
  mock.timers.enable({ apis: ["Date"], now: NOW * 1000 });
  ours = await loadOurs(process.env.TOKENTOSS_JUDGE);
});

function* cases(make, count = CASES) {
  const random = seeded(SEED);
  for (let made = 0; made < count; made++) yield make(random);
}

const callbacks = () => ({
  ours: ours.callback,
  theirs: theirs.callback,
  rules: CALLBACK_RULES,
  same: (a, b) => a.code === b.code,
});
const answers = () => ({ ours: ours.answer, theirs: theirs.answer, rules: ANSWER_RULES, facts, same: sameTokens });

function report(what, rules, { cases: count, accepted, refused, counts, unexplained }) {
  console.log(`${what}: ${count} cases, seed ${SEED}: both accept ${accepted}, both refuse ${refused}`);
  for (const { name, refuses, reason } of rules) {
    console.log(
      `  ${String(counts.get(name)).padStart(6)}  only ${refuses === "core" ? "the core" : "the other"} refuses: ${name} (${reason})`,
    );
  }
  const shown = unexplained.slice(0, 10).map((difference) => JSON.stringify(difference).slice(0, 1500));
  assert.equal(unexplained.length, 0, `unexplained differences, the first of them:\n${shown.join("\n")}`);
  // Cases that both refuse for nothing would prove little.
  assert.ok(accepted > count / 20 && refused > count / 20, "both kinds of cases are common");
}

describe("the core and oauth4webapi", () => {
  for (const [what, make, deciders] of [
    ["callbacks", callbackCase, callbacks],
    ["token responses", answerCase, answers],
  ]) {
    test(`${what} are accepted by both or by neither`, async () => {
      const { rules } = deciders();
      const result = await compare({ cases: cases(make), ...deciders() });
      report(what, rules, result);
      const unused = rules.filter(({ name }) => result.counts.get(name) === 0).map(({ name }) => name);
      // Rare rules need many cases.
      if (CASES >= 60_000) assert.deepEqual(unused, [], "every rule explains something");
    });

    test(`a core that decides otherwise on ${what} would be found`, async () => {
      const other = { ...deciders() };
      const decide = other.ours;
      let call = 0;
      const credulous = other.theirs;
      // Turns every hundredth decision that both agree on around.
      other.theirs = async (one) => {
        const decided = await credulous(one);
        call += 1;
        return call % 100 === 0 && !decided.refused === !decide(one).refused
          ? decided.refused
            ? { accepted: {} }
            : { refused: "turned around" }
          : decided;
      };
      const { unexplained } = await compare({ cases: cases(make, 2000), ...other });
      assert.ok(unexplained.length > 0);
    });
  }
});
