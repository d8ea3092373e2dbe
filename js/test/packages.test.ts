import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const SHIPPED = ["tokentoss-wasm", "tokentoss-core"];
const PACKAGES = ["base64", "getrandom", "gloo-net", "js-sys", "serde-wasm-bindgen", "sha2", "wasm-bindgen", "web-sys"];

/** What a crate depends on directly in a browser, by cargo's account. */
function dependenciesOf(crate: string): string[] {
  const options = ["--locked", "--package", crate, "--target", "wasm32-unknown-unknown", "--edges", "normal"];
  const tree = execFileSync("cargo", ["tree", ...options, "--depth", "1", "--prefix", "depth"], { encoding: "utf8" });
  return [...tree.matchAll(/^1([\w-]+) v/gm)].map(([, name]) => name ?? "");
}

/** The code of a crate, without its comments. */
function codeOf(crate: string): string {
  const folder = join("crates", crate, "src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".rs"));
  return files.map((file) => readFileSync(join(folder, file), "utf8").replaceAll(/\/\/.*$/gm, "")).join("\n");
}

const dependencies = new Map(SHIPPED.map((crate) => [crate, dependenciesOf(crate)]));

for (const name of PACKAGES) {
  test(`${name} is a direct dependency of what ships, and its code is called`, () => {
    const users = SHIPPED.filter((crate) => dependencies.get(crate)?.includes(name));
    assert.notDeepEqual(users, []);
    const path = new RegExp(`\\b${name.replaceAll("-", "_")}::`);
    assert.ok(
      users.some((crate) => path.test(codeOf(crate))),
      `${users} never names ${name}`,
    );
  });
}

test("base64 is the one crate for base64", () => {
  const tree = [...dependencies.values()].flat();
  assert.deepEqual(
    tree.filter((name) => /base64|base32|data-encoding/.test(name)),
    ["base64"],
  );
});

for (const name of ["tokentoss_wasm", "tokentoss_configure"]) {
  test(`the declaration of ${name} is the one that is made of the Rust types`, () => {
    const file = `${name}.d.ts`;
    assert.equal(
      readFileSync(join("js", "src", "generated", file), "utf8"),
      readFileSync(join("target", "glue", file), "utf8"),
      `copy target/glue/${file} to js/src/generated/`,
    );
  });
}
