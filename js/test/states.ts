/** States that several tests expect. */

import { webassembly_failed } from "tokentoss:sentences";

export const webassemblyFailed = {
  kind: "failed",
  code: "webassembly_failed",
  message: webassembly_failed,
  byHand: null,
  next: "retry",
};
