// A local OpenID provider for tests and the demo: `node tests/servers/provider.mjs [--port N]`.
//
// Prints one JSON line when it is ready:
//   {"issuer", "control", "clients": {"public": {"client_id"}, "secret": {"client_id", "client_secret"}}}
import { createServer } from "node:http";
import { parseArgs } from "node:util";

import { Behaviour } from "./provider/behaviour.mjs";
import { clients } from "./provider/clients.mjs";
import { controlHandler } from "./provider/control.mjs";
import { createProvider } from "./provider/openid.mjs";
import { RequestLog } from "./provider/request_log.mjs";

/** Listens on the literal loopback address and answers the port in use. */
function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server.address().port));
  });
}

const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });

const server = createServer();
const port = await listen(server, Number(values.port));
const issuer = `http://127.0.0.1:${port}`;

const behaviour = new Behaviour();
const log = new RequestLog();
const registered = clients();
const provider = createProvider({ issuer, clients: registered, behaviour, log });
server.on("request", provider.callback());

const control = createServer(controlHandler({ behaviour, log }));
const controlPort = await listen(control, 0);

const [open, confidential] = registered;
process.stdout.write(
  `${JSON.stringify({
    issuer,
    control: `http://127.0.0.1:${controlPort}`,
    clients: {
      public: { client_id: open.client_id },
      secret: { client_id: confidential.client_id, client_secret: confidential.client_secret },
    },
  })}\n`,
);
