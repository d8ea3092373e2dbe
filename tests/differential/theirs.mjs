// What oauth4webapi decides. The clock must stand at NOW.

import * as oauth from "oauth4webapi";
import { ALGORITHMS, CLIENT_ID, ISSUER, LEEWAY, NONCE, REDIRECT_URI, STATE } from "./attempt.mjs";

const server = {
  issuer: ISSUER,
  token_endpoint: `${ISSUER}/token`,
  id_token_signing_alg_values_supported: ALGORITHMS,
};
const servers = [server, { ...server, authorization_response_iss_parameter_supported: true }];
const client = { client_id: CLIENT_ID, [oauth.clockTolerance]: LEEWAY };
const VERIFIER = "v".repeat(43);

async function decided(work) {
  try {
    return { accepted: await work() };
  } catch (error) {
    return { refused: error.message };
  }
}

export const theirs = {
  /** A callback is accepted when a token request is made; its code is the one of that request. */
  callback: ({ query, issParameterSupported }) =>
    decided(async () => {
      const as = servers[Number(issParameterSupported)];
      const parameters = oauth.validateAuthResponse(as, client, new URLSearchParams(query), STATE);
      let code = null;
      const send = async (_url, { body }) => {
        code = body.get("code");
        return new Response();
      };
      const options = { [oauth.customFetch]: send };
      await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, REDIRECT_URI, VERIFIER, options);
      return { code };
    }),
  answer: ({ status, contentType, body }) =>
    decided(async () => {
      const response = new Response(body, { status, headers: { "content-type": contentType } });
      return oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: NONCE });
    }),
};
