// The one sign-in that every case is an answer to.

export const NOW = 1_800_000_000;
export const ISSUER = "https://op.example";
export const CLIENT_ID = "client-1";
export const STATE = "state-of-this-attempt";
export const NONCE = "nonce-of-this-attempt";
export const REDIRECT_URI = "http://127.0.0.1:4711/callback";
export const ALGORITHMS = ["RS256", "ES256"];
export const SCOPES = ["openid", "email"];
/** How far clocks may be apart, in seconds. */
export const LEEWAY = 60;

/** The ticket, as the kernel would publish it. */
export function ticketText(issParameterSupported) {
  return JSON.stringify({
    version: 2,
    id: "ticket-1",
    nonce: "nonce",
    // X25519's base point: nothing is sealed here.
    public_key: Buffer.from([9, ...new Uint8Array(31)]).toString("base64url"),
    client_id: CLIENT_ID,
    client_secret_sealed: false,
    scopes: SCOPES,
    redirect_uri: REDIRECT_URI,
    provider: {
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      iss_parameter_supported: issParameterSupported,
      authorization_params: {},
      id_token_signing_algs: ALGORITHMS,
    },
    hosted_domain: null,
    login_hint: null,
  });
}
