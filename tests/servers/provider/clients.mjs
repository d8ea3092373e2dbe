// The kinds of client a notebook user can have: a public one, one with a secret that is no secret (Google Desktop), and
// both of them again for sign-ins by code on another device.
import { randomBytes } from "node:crypto";

// RFC 8252 section 7.3: a loopback redirect URI without a port stands for any port. With an empty
// path as well as "/": clients differ in which of the two equal spellings they send.
const REDIRECT_URIS = ["http://127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1/callback"];

const native = {
  application_type: "native",
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  redirect_uris: REDIRECT_URIS,
  subject_type: "pairwise",
};

const device = {
  application_type: "native",
  grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
  response_types: [],
  redirect_uris: [],
  // A pairwise subject needs an address of the client, which these have not.
  subject_type: "public",
};

/** Registrations of the run: [public, with secret, by code, by code with secret]. Secrets are new each time, so a leak scan can search for them. */
export function clients() {
  return [
    { ...native, client_id: "notebook-public", token_endpoint_auth_method: "none" },
    {
      ...native,
      client_id: "notebook-desktop",
      client_secret: randomBytes(24).toString("base64url"),
      token_endpoint_auth_method: "client_secret_post",
    },
    { ...device, client_id: "notebook-device", token_endpoint_auth_method: "none" },
    {
      ...device,
      client_id: "notebook-device-desktop",
      client_secret: randomBytes(24).toString("base64url"),
      token_endpoint_auth_method: "client_secret_post",
    },
  ];
}
