// Runs cases through both and sorts what they decided.

import { isDeepStrictEqual } from "node:util";

/** Compares two deciders on cases; each difference is counted under its rule or kept as unexplained. */
export async function compare({ cases, ours, theirs, rules, facts = () => ({}), same }) {
  const result = {
    cases: 0,
    accepted: 0,
    refused: 0,
    counts: new Map(rules.map(({ name }) => [name, 0])),
    unexplained: [],
  };
  for (const one of cases) {
    result.cases += 1;
    const mine = ours(one);
    const other = await theirs(one);
    if (mine.accepted && other.accepted) {
      result.accepted += 1;
      if (!same(mine.accepted, other.accepted)) result.unexplained.push({ case: one, ours: mine, theirs: other });
    } else if (mine.refused && other.refused) {
      result.refused += 1;
    } else {
      const rule = rules.find((candidate) => explains(candidate, one, mine, other, facts));
      if (rule) result.counts.set(rule.name, result.counts.get(rule.name) + 1);
      else result.unexplained.push({ case: one, ours: mine, theirs: other });
    }
  }
  return result;
}

function explains(rule, one, mine, other, facts) {
  const [refusal, expected] = rule.refuses === "core" ? [mine.refused, rule.code] : [other.refused, rule.says];
  if (!refusal) return false;
  const said = typeof expected === "string" ? refusal === expected : expected.test(refusal);
  return said && rule.holds(one, facts(one));
}

/** What both read of a response is the same. */
export function sameTokens(mine, other) {
  const granted = other.scope?.split(" ").filter(Boolean);
  const lifetime = other.expires_in === undefined ? null : Math.min(Math.trunc(other.expires_in), 315_360_000);
  return (
    mine.access_token === other.access_token &&
    mine.id_token === other.id_token &&
    mine.refresh_token === (other.refresh_token ?? null) &&
    (granted === undefined || isDeepStrictEqual(mine.scopes, granted)) &&
    // A lifetime that cannot be used as it stands is no lifetime to the core (C47).
    (mine.expires_in === null || mine.expires_in === lifetime)
  );
}
