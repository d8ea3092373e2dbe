// Callbacks: as they should be, changed in a few places, or made up.

import { ISSUER, STATE } from "./attempt.mjs";
import { damaged } from "./random.mjs";

const NAMES = ["code", "state", "iss", "error", "error_description", "id_token", "token", "response", "scope", "Code"];
const VALUES = [
  ...["", " ", "x", "code-1", STATE, `${STATE} `, STATE.toUpperCase(), STATE.slice(1)],
  ...[ISSUER, `${ISSUER}/`, "https://evil.example", "HTTPS://op.example", "access_denied", "login_required"],
  ...["invalid_request", "a&b=c", "%", "+", "ü€😀", "\0", "<b>", "x".repeat(4096), "x".repeat(4097)],
];
const ALPHABET = [..."abcdeiorst=&&%+;#?/:.-_0123456789Ff\0\u00fc "];

/** One callback. */
export function callbackCase(random) {
  const issParameterSupported = random.chance(0.5);
  if (random.chance(0.05)) return { query: random.text(ALPHABET, 40), issParameterSupported };
  const parameters = random.chance(0.85)
    ? [
        ["code", "code-1"],
        ["state", STATE],
      ]
    : [
        ["error", random.pick(VALUES)],
        ["state", STATE],
      ];
  if (issParameterSupported || random.chance(0.3)) parameters.push(["iss", ISSUER]);
  const changes = random.pick([0, 1, 1, 1, 2, 2, 3]);
  for (let change = 0; change < changes; change++) changeOne(parameters, random);
  let query = parameters.map(([name, value]) => `${encoded(name, random)}=${encoded(value, random)}`).join("&");
  if (random.chance(0.15)) query = damaged(query, random, ALPHABET);
  if (random.chance(0.002)) query += `&x=${"x".repeat(16_384)}`;
  return { query, issParameterSupported };
}

function changeOne(parameters, random) {
  const at = random.below(parameters.length);
  const one = parameters[at];
  random.pick([
    () => parameters.splice(at, one ? 1 : 0),
    () => parameters.push([random.pick(NAMES), random.pick(VALUES)]),
    () => one && parameters.push([...one]),
    () => one && parameters.splice(at, 1, [one[0], random.pick(VALUES)]),
    () => one && parameters.splice(at, 1, [random.pick(NAMES), one[1]]),
    () => parameters.reverse(),
  ])();
}

function encoded(text, random) {
  const escaped = (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const whole = random.chance(0.1);
  return [...text]
    .map((character) => (/[\w.-]/.test(character) && !(whole && random.chance(0.3)) ? character : escaped(character)))
    .join("");
}
