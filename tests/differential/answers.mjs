// Answers of the token endpoint with their ID tokens: as they should be, changed in a few places, or made up.

import { createHash } from "node:crypto";
import { ALGORITHMS, CLIENT_ID, ISSUER, LEEWAY, NONCE, NOW } from "./attempt.mjs";
import { damaged } from "./random.mjs";

const ACCESS_TOKEN = "access-token-1";
const AT_HASH = createHash("sha256").update(ACCESS_TOKEN).digest().subarray(0, 16).toString("base64url");

const ANY = [null, true, false, 0, 1, -1, 1.5, 1e300, -0.5, "", " ", "x", "1", [], [null], {}, { a: 1 }, "ü", "\ud800"];
const TIMES = [0, 1, 30, LEEWAY, LEEWAY + 1, 3600, 86_400].flatMap((apart) => [
  NOW - apart,
  NOW + apart,
  `${NOW + apart}`,
]);
const FRACTIONS = [NOW - LEEWAY + 0.5, NOW + LEEWAY + 0.5, NOW + 0.5];

/** What a member may be changed to, besides anything. */
const RESPONSE = {
  access_token: ["a b", "a\r\nb", "a".repeat(32_768), "a".repeat(32_769), "tök"],
  token_type: ["bearer", "BEARER", "bEaReR", "DPoP", "dpop", "mac", "Bearer "],
  refresh_token: ["refresh-token-2", "a\nb", "a".repeat(32_769)],
  id_token: ["x.y.z", "a.b", ""],
  expires_in: ["3599", "3599.5", "soon", "1e3", -3600, 3599.9, 1e12],
  scope: ["openid", "openid  email", "email", ["openid"]],
  error: ["invalid_grant", "", "server_error", 1],
  issued_token_type: ["x"],
};
const CLAIMS = {
  iss: [`${ISSUER}/`, "https://evil.example", ISSUER.toUpperCase(), [ISSUER]],
  sub: ["user-2", "x".repeat(255), "x".repeat(256), 7],
  aud: [[CLIENT_ID], "client-2", [CLIENT_ID, "client-2"], [CLIENT_ID, CLIENT_ID], ["client-2"], [CLIENT_ID, 1]],
  azp: [CLIENT_ID, "client-2", [CLIENT_ID]],
  exp: [...TIMES, ...FRACTIONS],
  iat: [...TIMES, ...FRACTIONS],
  nbf: [...TIMES, ...FRACTIONS],
  nonce: ["another", NONCE.slice(1), [NONCE]],
  at_hash: [AT_HASH, "x", AT_HASH.slice(1)],
  auth_time: TIMES,
  email: ["ada@example.com"],
};
const HEADER = {
  alg: [...ALGORITHMS, "none", "HS256", "RS512", "rs256", ["RS256"]],
  crit: [["b64"], []],
  typ: ["JWT", "at+jwt"],
  kid: ["k2", 1],
};
const STATUSES = [200, 200, 200, 201, 302, 400, 401, 403, 500, 503];
const CONTENT_TYPES = ["application/json", "application/json; charset=utf-8", "text/html", "text/plain"];
const JSON_ALPHABET = [...'{}[]",:\\ 0123456789eE.+-truefalsn\n\0\ufeffü'];
const TOKEN_ALPHABET = [..."ABab01-_=+/. \n\0ü"];

/** One answer. */
export function answerCase(random) {
  const contentType = random.chance(0.9) ? CONTENT_TYPES[0] : random.pick(CONTENT_TYPES);
  const status = random.chance(0.95) ? 200 : random.pick(STATUSES);
  if (random.chance(0.02)) return { status, contentType, body: random.text(JSON_ALPHABET, 60) };
  // Most cases change one of the three texts, so that a difference has one cause.
  const [inResponse, inClaims, inHeader] = random.pick([
    [0, 0, 0],
    [1, 0, 0],
    [2, 0, 0],
    [0, 1, 0],
    [0, 1, 0],
    [0, 2, 0],
    [0, 3, 0],
    [0, 0, 1],
    [1, 1, 1],
  ]);
  const header = changed({ alg: "RS256", kid: "k1", typ: "JWT" }, HEADER, inHeader, random);
  const claims = changed(
    { iss: ISSUER, sub: "user-1", aud: CLIENT_ID, exp: NOW + 3600, iat: NOW - 1, nonce: NONCE },
    CLAIMS,
    inClaims,
    random,
  );
  if (random.chance(0.01)) {
    // Beside an azp, a second audience is a matter of trust.
    claims.push(["azp", CLIENT_ID]);
    claims.find(([name]) => name === "aud")?.splice(1, 1, random.pick(CLAIMS.aud));
  }
  const spoilt = random.chance(0.01) ? random.pick(["=", "==", " ", "\n"]) : "";
  let idToken = `${encoded(written(header, random))}${spoilt}.${encoded(written(claims, random))}.${encoded("signature")}`;
  if (random.chance(0.03)) idToken = damaged(idToken, random, TOKEN_ALPHABET);
  const response = changed(
    {
      access_token: ACCESS_TOKEN,
      token_type: "Bearer",
      id_token: idToken,
      refresh_token: "refresh-token-1",
      expires_in: 3599,
      scope: "openid email",
    },
    RESPONSE,
    inResponse,
    random,
  );
  let body = written(response, random);
  if (random.chance(0.03)) body = damaged(body, random, JSON_ALPHABET);
  if (random.chance(0.002)) body = `\ufeff${body}`;
  if (random.chance(0.001)) body = body.replace(/\}$/, `,"x":"${"x".repeat(65_536)}"}`);
  if (random.chance(0.002)) body = body.replace(/\}$/, `,"x":${"[".repeat(200)}${"]".repeat(200)}}`);
  return { status, contentType, body };
}

/** An object as pairs of name and value, changed in so many members. */
function changed(members, choices, changes, random) {
  const pairs = Object.entries(members);
  const names = Object.keys(choices);
  for (let change = 0; change < changes; change++) {
    const name = random.pick(names);
    const at = pairs.findIndex(([given]) => given === name);
    const value = random.chance(0.6) ? random.pick(choices[name]) : random.pick(ANY);
    random.pick([
      () => at >= 0 && pairs.splice(at, 1),
      () => (at >= 0 ? pairs.splice(at, 1, [name, value]) : pairs.push([name, value])),
      () => (at >= 0 ? pairs.splice(at, 1, [name, value]) : pairs.push([name, value])),
      () => (at >= 0 ? pairs.splice(at, 1, [name, value]) : pairs.push([name, value])),
      () => random.chance(0.3) && pairs.push([name, value]),
    ])();
  }
  return pairs;
}

function written(pairs, random) {
  const space = random.chance(0.1) ? " " : "";
  const text = pairs
    .map(([name, value]) => `${JSON.stringify(name)}:${space}${JSON.stringify(value)}`)
    .join(`,${space}`);
  return random.chance(0.01) ? damaged(`{${text}}`, random, JSON_ALPHABET) : `{${text}}`;
}

function encoded(text) {
  return Buffer.from(text).toString("base64url");
}
