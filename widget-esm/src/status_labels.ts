/** Every text of the status widget that does not come from the kernel, from the table of texts. */

import { kernel_gone } from "tokentoss:sentences";
import { session as english, steps } from "tokentoss:texts";
import { fill, type SentTexts, sentenceIn } from "../../js/src/texts.ts";
import { accountLabels } from "./account_labels.ts";

function made(texts: SentTexts) {
  const t = { ...english, ...steps, ...texts?.session, ...texts?.steps };
  return {
    ...t,
    /** The language that they are in. */
    language: texts?.language ?? "en",
    accounts: accountLabels(texts),
    kernelGone: sentenceIn(texts, "kernel_gone", kernel_gone),
    account: (provider: string) => fill(t.account, { provider }),
    signedIn: (account: string, provider: string) => fill(t.signedIn, { account, provider }),
    signedOut: (provider: string) => fill(t.signedOut, { provider }),
    expires: (left: string, renewable: boolean) => {
      if (!left) return renewable ? t.expiredRenewed : t.expired;
      return fill(renewable ? t.expiresThenRenewed : t.expiresThenSignIn, { left });
    },
    ends: (left: string) => (left ? fill(t.ends, { left }) : t.ended),
    granted: (granted: string[], missing: string[]) => {
      const scopes = granted.join(", ");
      return missing.length > 0 ? fill(t.notGranted, { scopes, missing: missing.join(", ") }) : scopes;
    },
  };
}

/** In English until {@link speak} is told otherwise. */
export let labels = made(undefined);
let spoken: SentTexts;

/** Takes the texts that the kernel sent, before a view is made or shows something. */
export function speak(texts: SentTexts): void {
  if (texts === spoken) return;
  spoken = texts;
  labels = made(texts);
}
