// The tests' way in, on a port of its own: the switches and the request log.
//   GET /behaviour, PATCH /behaviour {name: value}, DELETE /behaviour (back to plain), GET /requests, DELETE /requests,
//   GET /secrets, DELETE /secrets, POST /id_tokens {claim: value}
import { json } from "node:stream/consumers";

/** Request handler over the behaviour, the log, the secrets and the signing key. */
export function controlHandler({ behaviour, log, secrets, signIdToken }) {
  const routes = {
    "GET /behaviour": () => behaviour.values,
    "PATCH /behaviour": async (request) => {
      behaviour.change(await json(request));
      return behaviour.values;
    },
    "DELETE /behaviour": () => {
      behaviour.reset();
      return behaviour.values;
    },
    "GET /requests": () => log.entries,
    "DELETE /requests": () => {
      log.clear();
      return log.entries;
    },
    "GET /secrets": () => secrets.entries,
    "DELETE /secrets": () => {
      secrets.clear();
      return secrets.entries;
    },
    "POST /id_tokens": async (request) => signIdToken(await json(request)),
  };

  return async (request, response) => {
    const answer = (status, body) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(body));
    };
    // A page in the browser under test must not be able to switch its own provider.
    if (request.headers.origin || request.headers["sec-fetch-site"]) return answer(403, { error: "not for browsers" });
    const route = routes[`${request.method} ${request.url}`];
    if (!route) return answer(404, { error: `no such route: ${request.method} ${request.url}` });
    try {
      return answer(200, await route(request));
    } catch (error) {
      return answer(400, { error: error.message });
    }
  };
}
