// `npm run test:seeds`: the tests that draw their cases, with many more of them than `npm test` has time for. `-- 2000` draws as many.

import { asCommand, run, StageError } from "./stage.mjs";

const USUAL = "100000";

const words = (text) => text.split(" ");

await asCommand(() => {
  const [count = USUAL, ...more] = process.argv.slice(2);
  if (!/^[1-9]\d{0,8}$/.test(count) || more.length > 0) {
    throw new StageError("`npm run test:seeds -- <number>`: say how many seeds and orders to play", 2);
  }
  // Faults, crashes and replicas on a virtual clock.
  run(
    "cargo",
    words("test --release --locked --package tokentoss-sim --test custody -- --nocapture nothing_breaks_in_any_seed"),
    {
      inherit: true,
      env: { CUSTODY_SEEDS: count },
    },
  );
  // The orders in which the broker's tasks can run.
  run("cargo", words("test --release --locked --package tokentoss-broker --lib -- refresh::interleavings"), {
    inherit: true,
    env: { TOKENTOSS_ORDERS: count },
  });
});
