import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { base91 } from "../../scripts/base91.mjs";
import { unpack } from "../src/base91.ts";

test("what scripts/base91.mjs writes is read back, whatever its length", () => {
  for (let size = 0; size < 200; size += 1) {
    for (const bytes of [randomBytes(size), Buffer.alloc(size, 0), Buffer.alloc(size, 255)]) {
      assert.deepEqual(Buffer.from(unpack(base91(bytes), size)), bytes);
    }
  }
});

test("the digits need no escapes and are denser than base64", () => {
  const bytes = randomBytes(50_000);
  const text = base91(bytes);
  assert.equal(JSON.stringify(text).length, text.length + 2);
  assert.match(text, /^[!-~]*$/);
  assert.ok(text.length < 0.925 * bytes.toString("base64").length);
});
