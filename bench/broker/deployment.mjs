// Brokers on one database, with a key ring, a caller's key and a provider.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../scripts/stage.mjs";
import { BROKER, load, start, startProvider, steadyLoad } from "./programs.mjs";

/** Runs `use` with a deployment, which ends afterwards. */
export async function withDeployment(database, use) {
  const folder = mkdtempSync(join(tmpdir(), "tokentoss-bench-"));
  const provider = await startProvider();
  const deployment = new Deployment(folder, database, provider);
  try {
    return await use(deployment);
  } finally {
    await deployment.stopAll();
    await provider.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Deployment {
  #folder;
  #config;
  #filling;
  #brokers = new Set();

  constructor(folder, database, provider) {
    this.#folder = folder;
    this.provider = provider;
    this.key = randomBytes(32).toString("hex");
    const secret = this.#write("client.secret", randomBytes(32).toString("hex"));
    const key = this.#write("caller.key", this.key);
    const settings = (address) => `listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
database = "${address}"
key_ring = "${folder}/keys.toml"

[providers.bench]
token_endpoint = "${provider.origin}/token"
client_id = "bench"
client_secrets = ["${secret}"]

[callers.bench]
keys = ["${key}"]
`;
    this.#config = this.#write("broker.toml", settings(database));
    // Nothing is measured while accounts are connected, and no crash is waited for.
    this.#filling = this.#write("filling.toml", settings(`${database}?options[synchronous_commit]=off`));
    run(BROKER, this.command("init"));
  }

  /** The arguments of a command of the broker. */
  command(...args) {
    return ["--config", this.#config, ...args];
  }

  /** Starts a broker; `pid`, `callers` and `administrators` are its process and origins. */
  async broker() {
    const { pid, line, stop } = await start(BROKER, this.command("serve"), { RUST_LOG: "warn,audit=off" });
    const [, callers, , administrators] = line.split(" ");
    const broker = {
      pid,
      callers,
      administrators,
      stop: async (signal) => {
        this.#brokers.delete(broker);
        await stop(signal);
      },
    };
    this.#brokers.add(broker);
    return broker;
  }

  async stopAll() {
    await Promise.all([...this.#brokers].map((broker) => broker.stop()));
  }

  /** Connects accounts whose access tokens have ended. */
  fill(tenant, users) {
    return load("fill", { config: this.#filling, tenant, users });
  }

  /** Runs a command of the load's program against brokers. */
  load(command, brokers, tenant, options) {
    return load(command, { ...this.#whom(brokers, tenant), ...options });
  }

  /** Has the load's program ask brokers at a steady rate until its `end`. */
  steady(brokers, tenant, options) {
    return steadyLoad({ ...this.#whom(brokers, tenant), ...options });
  }

  #whom(brokers, tenant) {
    return { broker: brokers.map(({ callers }) => callers), key: `${this.#folder}/caller.key`, tenant };
  }

  /** Asks for a token once; the status of the answer. */
  async ask(broker, tenant, user) {
    const answer = await fetch(`${broker.callers}/v1/token`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${this.key}`,
        "Content-Type": "application/json",
        "X-Tokentoss-Tenant": tenant,
        "X-Tokentoss-User": `user-${user}`,
      },
      body: JSON.stringify({ provider: "bench" }),
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  #write(name, text) {
    const file = join(this.#folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }
}
