// A local OpenID provider for tests and the demo: `node tests/servers/provider.mjs [--port N]`, or, to play Google to
// clients whose name resolution leads here: `… --as-google --certificate FILE --key FILE`.
//
// Prints one JSON line when it is ready:
//   {"issuer", "port", "control", "clients": {"public": {"client_id"}, "secret": {"client_id", "client_secret"}, "device": {"client_id"}, "device_secret": {"client_id", "client_secret"}}}
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { parseArgs } from "node:util";

import { Behaviour } from "./provider/behaviour.mjs";
import { clients } from "./provider/clients.mjs";
import { controlHandler } from "./provider/control.mjs";
import { createProvider } from "./provider/openid.mjs";
import { RequestLog } from "./provider/request_log.mjs";
import { SecretsSeen } from "./provider/secrets.mjs";

/** Listens on the literal loopback address and answers the port in use. */
function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server.address().port));
  });
}

// Google spreads its endpoints over three hosts; here they are three paths of one server.
const GOOGLE = {
  issuer: "https://accounts.google.com",
  routes: { authorization: "/o/oauth2/v2/auth", jwks: "/oauth2/v3/certs", revocation: "/revoke", token: "/token" },
};

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "as-google": { type: "boolean", default: false },
    certificate: { type: "string" },
    key: { type: "string" },
  },
});

const server = values["as-google"]
  ? createTlsServer({ cert: readFileSync(values.certificate), key: readFileSync(values.key) })
  : createServer();
const port = await listen(server, Number(values.port));
const { issuer, routes } = values["as-google"] ? GOOGLE : { issuer: `http://127.0.0.1:${port}`, routes: {} };

const behaviour = new Behaviour();
const realNow = Date.now;
// The one clock of everything in this process that issues or judges tokens.
Date.now = () => realNow() + behaviour.values.clock_offset_seconds * 1000;

const log = new RequestLog();
const secrets = new SecretsSeen();
const registered = clients();
const { provider, signIdToken } = createProvider({ issuer, clients: registered, behaviour, log, secrets, routes });
server.on("request", provider.callback());

const control = createServer(controlHandler({ behaviour, log, secrets, signIdToken }));
const controlPort = await listen(control, 0);

const [open, confidential, device, deviceConfidential] = registered;
process.stdout.write(
  `${JSON.stringify({
    issuer,
    port,
    control: `http://127.0.0.1:${controlPort}`,
    clients: {
      public: { client_id: open.client_id },
      secret: { client_id: confidential.client_id, client_secret: confidential.client_secret },
      device: { client_id: device.client_id },
      device_secret: { client_id: deviceConfidential.client_id, client_secret: deviceConfidential.client_secret },
    },
  })}\n`,
);
