// A Postgres of this machine's own, on a loopback port, for as long as the tests of the broker run.

import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installOrSay } from "./debian.mjs";
import { line, run, StageError } from "./stage.mjs";

const VERSIONS = "/usr/lib/postgresql";
const PACKAGE = "postgresql";
const IS_ROOT = process.getuid?.() === 0;
/** Postgres refuses to run as root; Debian's package makes this user. */
const AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];
const READY = /database system is ready to accept connections/;

const versions = () => (existsSync(VERSIONS) ? readdirSync(VERSIONS) : []);

/** Installs it where it is missing. */
export function installPostgres() {
  if (versions().length > 0) line("postgres", "up to date");
  else installOrSay("Postgres", [PACKAGE]);
}

/** The folder of the newest version's programs. */
function programs() {
  installPostgres();
  const newest = versions().sort((one, other) => Number(other) - Number(one))[0];
  return join(VERSIONS, newest, "bin");
}

/** Runs `use` with the address, the certificate and the log of an empty server, which ends afterwards with all that it holds. */
export async function withPostgres(use) {
  const bin = programs();
  const folder = mkdtempSync(join(tmpdir(), "tokentoss-postgres-"));
  const data = join(folder, "data");
  const prefix = IS_ROOT ? AS_POSTGRES : [];
  const command = (program, args) => [...prefix, join(bin, program), ...args];
  try {
    if (IS_ROOT) run("chown", ["postgres", folder]);
    const [initdb, ...args] = command("initdb", ["--pgdata", data, "--auth=trust", "--username=postgres", "--no-sync"]);
    run(initdb, args);
    const certificate = join(folder, "server.crt");
    run(...certified(prefix, certificate, join(data, "server.key")));
    const port = await freePort();
    const settings = {
      listen_addresses: "127.0.0.1",
      port,
      unix_socket_directories: folder,
      max_connections: 400,
      ssl: "on",
      ssl_cert_file: certificate,
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const [postgres, ...rest] = command("postgres", ["-D", data, ...options]);
    const server = spawn(postgres, rest, { stdio: ["ignore", "ignore", "pipe"] });
    const log = join(folder, "server.log");
    server.stderr.on("data", (bytes) => appendFileSync(log, bytes));
    try {
      await isReady(server);
      return await use(`postgres://postgres@127.0.0.1:${port}/postgres`, certificate, log);
    } finally {
      const ended = new Promise((resolve) => server.once("close", resolve));
      server.kill("SIGINT");
      await ended;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The command that makes a certificate which stands for itself, and its key. */
function certified(prefix, certificate, key) {
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=Postgres of the tests", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-addext", "basicConstraints=critical,CA:FALSE", "-out", certificate, "-keyout", key];
  const [command, ...args] = [...prefix, "openssl", ...request, ...names, ...files];
  return [command, args];
}

function isReady(server) {
  let log = "";
  return new Promise((resolve, reject) => {
    server.stderr.setEncoding("utf8");
    server.stderr.on("data", (text) => {
      log = (log + text).slice(-4000);
      if (READY.test(log)) resolve();
    });
    server.once("error", reject);
    server.once("close", () => reject(new StageError(`Postgres did not start:\n${log}`)));
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
