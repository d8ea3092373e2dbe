// A seeded generator: the same seed makes the same cases everywhere.

/** Mulberry32, and what the makers of cases need of it. */
export function seeded(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit) => Math.floor(next() * limit);
  const pick = (list) => list[below(list.length)];
  return {
    below,
    pick,
    chance: (probability) => next() < probability,
    text: (alphabet, longest) => Array.from({ length: below(longest + 1) }, () => pick(alphabet)).join(""),
  };
}

/** Changes a text in one place: a character left out, put in, doubled or replaced, or everything behind it cut off. */
export function damaged(text, random, alphabet) {
  const at = random.below(text.length + 1);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  return random.pick([
    () => before + after.slice(1),
    () => before + random.pick(alphabet) + after,
    () => before + after.slice(0, 1) + after,
    () => before + random.pick(alphabet) + after.slice(1),
    () => before,
  ])();
}
