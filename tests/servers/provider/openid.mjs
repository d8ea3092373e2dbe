// The provider itself: oidc-provider with its development login, PKCE required, rotating refresh tokens.
import { generateKeyPairSync, randomBytes } from "node:crypto";

import Provider from "oidc-provider";

import { findAccount, subjectOf } from "./accounts.mjs";
import { answerInstead, spoilAnswer } from "./faults.mjs";
import { signer } from "./id_tokens.mjs";

const HOUR = 60 * 60;

/** Signing keys of this run; RS256 is what ID tokens use, ES256 makes the JWKS hold more than one key. */
function signingKeys() {
  const pairs = [
    ["RS256", generateKeyPairSync("rsa", { modulusLength: 2048 })],
    ["ES256", generateKeyPairSync("ec", { namedCurve: "P-256" })],
  ];
  return pairs.map(([alg, { privateKey }]) => ({
    ...privateKey.export({ format: "jwk" }),
    alg,
    use: "sig",
    kid: randomBytes(8).toString("hex"),
  }));
}

/** The development pages import a web font; a test must not leave the machine. */
function withoutWebFont(html) {
  return html.replace(/@import url\([^)]*\);?/g, "");
}

/** The development pages have none where an account is chosen; their login form is where one says who one is. */
function askForLogin(ctx) {
  const prompt = ctx.query.prompt ?? "";
  if (prompt.includes("select_account"))
    ctx.query = { ...ctx.query, prompt: prompt.replace("select_account", "login") };
}

function openerPolicy(ctx, { coop, coop_on_redirects_only: redirectsOnly }) {
  const isRedirect = ctx.status >= 300 && ctx.status < 400;
  if (coop && (isRedirect || !redirectsOnly)) ctx.set("Cross-Origin-Opener-Policy", coop);
}

/** Builds the provider for one issuer; `routes` are oidc-provider's, where a path must be another than its own. */
export function createProvider({ issuer, clients, behaviour, log, secrets, routes = {} }) {
  const keys = signingKeys();
  const lifetime = () => behaviour.values.token_lifetime_seconds;
  const provider = new Provider(issuer, {
    clients,
    findAccount,
    pairwiseIdentifier: subjectOf,
    subjectTypes: ["pairwise", "public"],
    jwks: { keys },
    routes,
    cookies: { keys: [randomBytes(24).toString("hex")] },
    pkce: { required: () => true },
    scopes: ["openid", "email", "profile", "offline_access"],
    claims: { openid: ["sub", "hd"], email: ["email", "email_verified"], profile: ["name"] },
    // Google, too, puts the e-mail into the ID token.
    conformIdTokenClaims: false,
    rotateRefreshToken: () => behaviour.values.rotate,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    clientBasedCORS: (_ctx, origin) => behaviour.corsAllowed(origin),
    features: {
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
    },
    ttl: {
      AccessToken: lifetime,
      IdToken: lifetime,
      AuthorizationCode: 60,
      Grant: 24 * HOUR,
      Interaction: HOUR,
      RefreshToken: 24 * HOUR,
      Session: 24 * HOUR,
    },
  });
  const { redirectUriAllowed } = provider.Client.prototype;
  provider.Client.prototype.redirectUriAllowed = function isRegistered(uri) {
    return behaviour.values.callback_pages.includes(uri) || redirectUriAllowed.call(this, uri);
  };
  provider.on("server_error", (_ctx, error) => process.stderr.write(`${error.stack}\n`));

  provider.use(async (ctx, next) => {
    const entry = log.start(ctx);
    askForLogin(ctx);
    if (behaviour.values.deny_consent && /^\/interaction\/[^/]+$/.test(ctx.path)) {
      ctx.redirect(`${ctx.path}/abort`);
    } else {
      const faulted = await answerInstead(ctx, behaviour);
      if (faulted) {
        entry.finish(ctx.respond === false ? null : ctx.status, faulted);
        return;
      }
      await next();
    }
    if (typeof ctx.body === "string" && ctx.type === "text/html") ctx.body = withoutWebFont(ctx.body);
    openerPolicy(ctx, behaviour.values);
    // Node takes this header from the machine's clock, and clients read the provider's from it.
    ctx.set("Date", new Date(Date.now()).toUTCString());
    entry.finish(ctx.status, Object.keys(ctx.oidc?.body ?? {}));
    secrets.note(ctx);
    spoilAnswer(ctx, behaviour);
  });
  return { provider, signIdToken: signer(keys[0]) };
}
