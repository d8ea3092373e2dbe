// Where the core and oauth4webapi decide differently on purpose: each rule with who refuses, what the answer must look
// like for the rule to hold, and why. `code` is the core's reason where the core refuses; `says` is what the other
// says where it refuses. A difference that no rule explains fails the test, and so does a rule that explains none.

import { createHash } from "node:crypto";
import { CLIENT_ID, LEEWAY, NOW } from "./attempt.mjs";

const READ_OF_CALLBACK = ["code", "state", "iss", "error", "error_description"];
const READ_OF_RESPONSE = ["access_token", "token_type", "refresh_token", "id_token", "expires_in", "scope", "error"];
const READ_OF_CLAIMS = ["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "hd"];
const NUMBERS = ["exp", "iat", "nbf"];
const TOKENS = ["access_token", "refresh_token", "id_token"];

const has = (object, name) => Object.hasOwn(object ?? {}, name);
const isText = (value) => typeof value === "string";
const ascii = /^[\x21-\x7e]+$/;
// A member of an object's top level, as it is written; good enough for texts that JSON.stringify wrote.
const twice = (text, names) => names.some((name) => text.split(new RegExp(`"${name}"\\s*:`)).length > 2);
// Escapes that stand for half a character, and numbers beyond double precision; serde_json reads neither.
const unreadable = (text) =>
  /\\ud[89ab]..(?!\\ud[c-f])/i.test(text) || /\\ud[c-f]../i.test(text) || /\d[eE]\+?\d{3,}/.test(text);
const hashOf = (token) => createHash("sha256").update(token).digest().subarray(0, 16).toString("base64url");
const seconds = (value) => typeof value === "number" && value >= 0 && value < 1e20;

export const CALLBACK_RULES = [
  {
    name: "any known parameter twice",
    refuses: "core",
    code: "parameter_duplicated",
    holds: ({ query }) => READ_OF_CALLBACK.some((name) => new URLSearchParams(query).getAll(name).length > 1),
    reason: "RFC 6749 section 3.1: no parameter more than once; the other looks only at those that it uses",
  },
  {
    name: "values without end",
    refuses: "core",
    code: "callback_invalid",
    holds: ({ query }) =>
      READ_OF_CALLBACK.some((name) => Buffer.byteLength(new URLSearchParams(query).get(name) ?? "") > 4096),
    reason: "RFC 6749 section 4.1.2 leaves the size to the client; the core reads values of up to 4096 bytes",
  },
  {
    name: "queries without end",
    refuses: "core",
    code: "message_malformed",
    holds: ({ query }) => Buffer.byteLength(query) > 16_384,
    reason: "the same; the core reads queries of up to 16 KiB",
  },
  {
    name: "parameters of other flows",
    refuses: "other",
    says: /JARM|implicit and hybrid|must be provided only once/,
    holds: ({ query }) => ["response", "id_token", "token"].some((name) => new URLSearchParams(query).has(name)),
    reason: "RFC 6749 section 4.1.2: unrecognized parameters are ignored; the core never reads these",
  },
];

export const ANSWER_RULES = [
  {
    name: "a byte order mark",
    refuses: "core",
    code: "token_response_not_json",
    holds: ({ body }) => body.startsWith("\ufeff"),
    reason: "RFC 8259 section 8.1: a sender must not write one, a reader may ignore it",
  },
  {
    name: "bodies without end",
    refuses: "core",
    code: "token_response_too_large",
    holds: ({ body }) => Buffer.byteLength(body) > 65_536,
    reason: "RFC 6749 section 5.1 leaves the size to the client; the core reads 64 KiB",
  },
  {
    name: "JSON without depth",
    refuses: "core",
    code: "token_response_not_json",
    holds: ({ body }) => body.includes("[".repeat(128)),
    reason: "RFC 8259 section 9: a reader may limit the depth; serde_json stops at 128",
  },
  {
    name: "half characters and numbers out of range",
    refuses: "core",
    code: /^(token_response_not_json|id_token_malformed)$/,
    holds: ({ body }, { texts }) => unreadable(body) || texts.some(unreadable),
    reason: "RFC 8259 sections 6 and 8.2: what they mean is unpredictable",
  },
  {
    name: "a member twice in the response",
    refuses: "core",
    code: "token_response_invalid",
    holds: ({ body }) => twice(body, READ_OF_RESPONSE),
    reason: "RFC 6749 section 5.1: parameters must not be included more than once; JSON.parse takes the last",
  },
  {
    name: "a member twice in the ID token",
    refuses: "core",
    code: "id_token_malformed",
    holds: (_case, { texts }) => twice(texts[0] ?? "", ["alg"]) || twice(texts[1] ?? "", READ_OF_CLAIMS),
    reason: "RFC 7515 section 4 and RFC 7519 section 4: names must be unique, else refuse; JSON.parse takes the last",
  },
  {
    name: "an error in a success",
    refuses: "core",
    code: "token_response_invalid",
    holds: (_case, { response }) => (response?.error ?? null) !== null,
    reason: "RFC 6749 section 5.2: an error is no success; the other looks at the status alone",
  },
  {
    name: "DPoP tokens",
    refuses: "core",
    code: "token_type_unsupported",
    holds: (_case, { response }) => response.token_type.toLowerCase() === "dpop",
    reason: "RFC 6749 section 7.1: a type that is not understood must not be used; the core asks for no DPoP",
  },
  {
    name: "tokens that break a header",
    refuses: "core",
    code: "token_response_invalid",
    holds: (_case, { response }) => TOKENS.some((name) => isText(response[name]) && !ascii.test(response[name])),
    reason: "RFC 6749 appendix A.12 and RFC 6750 section 2.1: visible ASCII only",
  },
  {
    name: "tokens without end",
    refuses: "core",
    code: "token_response_invalid",
    holds: (_case, { response }) => TOKENS.some((name) => (response[name]?.length ?? 0) > 32_768),
    reason: "RFC 6749 section 1.4 leaves the size to the client; the core keeps 32 KiB",
  },
  {
    name: "sloppy base64url",
    refuses: "core",
    code: "id_token_malformed",
    holds: (_case, { parts }) =>
      parts.slice(0, 2).some((part) => Buffer.from(part, "base64url").toString("base64url") !== part),
    reason: "RFC 7515 section 2: base64url without padding, white space or other characters; atob repairs it",
  },
  {
    name: "an ID token that is not UTF-8",
    refuses: "core",
    code: "id_token_malformed",
    holds: (_case, { parts, texts }) =>
      parts
        .slice(0, 2)
        .some((part, at) => Buffer.compare(Buffer.from(part, "base64url"), Buffer.from(texts[at])) !== 0),
    reason: "RFC 7515 section 5.2: header and claims must be UTF-8 without a byte order mark; the other replaces bytes",
  },
  {
    name: "claims of another kind",
    refuses: "core",
    code: /^id_token_(malformed|authorized_party_mismatch)$/,
    holds: (_case, { claims }) =>
      ["at_hash", "azp"].some((name) => has(claims, name) && claims[name] !== null && !isText(claims[name])),
    reason: "OpenID Connect Core section 2: both are texts; the other does not look at them here",
  },
  {
    name: "another authorized party",
    refuses: "core",
    code: "id_token_authorized_party_mismatch",
    holds: (_case, { claims }) => isText(claims.azp) && claims.azp !== CLIENT_ID,
    reason: "OpenID Connect Core 3.1.3.7(5); the other looks at azp only beside several audiences",
  },
  {
    name: "a second audience",
    refuses: "core",
    code: "id_token_audience_mismatch",
    holds: (_case, { claims }) => Array.isArray(claims.aud) && claims.aud.some((one) => one !== CLIENT_ID),
    reason: "OpenID Connect Core 3.1.3.7(3): audiences that the client does not trust; the core trusts none",
  },
  {
    name: "an access token's hash",
    refuses: "core",
    code: "id_token_access_token_hash_mismatch",
    holds: (_case, { response, claims }) => isText(claims.at_hash) && claims.at_hash !== hashOf(response.access_token),
    reason: "OpenID Connect Core 3.1.3.8: optional to check in this flow; the core does",
  },
  {
    name: "subjects of no or too much length",
    refuses: "core",
    code: "id_token_subject_missing",
    holds: (_case, { claims }) => claims.sub === "" || claims.sub.length > 255,
    reason: "OpenID Connect Core section 2: a name, of at most 255 characters",
  },
  {
    name: "issued in the future",
    refuses: "core",
    code: "clock_skew",
    holds: (_case, { claims }) => claims.iat > NOW + LEEWAY,
    reason: "OpenID Connect Core 3.1.3.7(10): the client may refuse; the user is told that a clock is wrong",
  },
  {
    name: "times that are none",
    refuses: "core",
    code: /^id_token_(expired|issued_at_invalid|malformed)$/,
    holds: (_case, { claims }) => NUMBERS.some((name) => (claims[name] ?? null) !== null && !seconds(claims[name])),
    reason:
      "RFC 7519 section 2: seconds since 1970; the core believes none before it or beyond the age of the universe",
  },
  {
    name: "a fraction of a second",
    refuses: "core",
    code: /^(id_token_expired|clock_skew)$/,
    holds: (_case, { claims }) => claims.exp % 1 !== 0 && Math.floor(claims.exp) === NOW - LEEWAY,
    reason: "RFC 7519 section 2 allows fractions; the core counts whole seconds, towards the stricter side",
  },
  {
    name: "a fraction of a second before it begins",
    refuses: "other",
    says: /"nbf" \(not before\) claim value/,
    holds: (_case, { claims }) => claims.nbf % 1 !== 0 && Math.floor(claims.nbf) === NOW + LEEWAY,
    reason: "RFC 7519 section 4.1.5: the leeway is the client's choice; the core counts whole seconds",
  },
  {
    name: "null for absent",
    refuses: "other",
    says: /must be a (string|number)|property must|claim (type|value)|auth_time/,
    holds: (_case, { response, claims }) =>
      [
        ...READ_OF_RESPONSE.map((name) => response[name]),
        ...[...READ_OF_CLAIMS, "auth_time"].map((name) => claims[name]),
      ].includes(null),
    reason:
      "providers write null for what they do not have; the core reads it as absent, and refuses what must be there",
  },
  {
    name: "lifetimes that are none",
    refuses: "other",
    says: /"expires_in" property must be/,
    holds: (_case, { response }) => {
      const given = response.expires_in;
      return has(response, "expires_in") && !(typeof given === "number" && given >= 0);
    },
    reason: "RFC 6749 section 5.1: expires_in is only recommended; the core takes an unusable one as unknown",
  },
  {
    name: "the time of authentication",
    refuses: "other",
    says: /auth_time/,
    holds: (_case, { claims }) => !(typeof claims.auth_time === "number" && claims.auth_time >= 0),
    reason: "OpenID Connect Core 3.1.3.7(13): of interest only when max_age was asked for, which the core does not",
  },
];

/** What rules look at: the response, and the ID token's parts, texts and claims, as far as they can be read. */
export function facts({ body }) {
  const response = parsed(body.replace(/^\ufeff/, ""));
  const parts = isText(response?.id_token) ? response.id_token.split(".") : [];
  const texts = parts.slice(0, 2).map((part) => new TextDecoder().decode(Buffer.from(part, "base64url")));
  return { response, parts, texts, claims: parsed(texts[1]) ?? {} };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
