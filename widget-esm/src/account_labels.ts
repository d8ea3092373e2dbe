/** The texts about accounts, which the sign-in widget and the status widget share. */

import { accounts as english } from "tokentoss:texts";
import { fill, type SentTexts } from "../../js/src/texts.ts";

export type AccountLabels = ReturnType<typeof accountLabels>;

export function accountLabels(texts: SentTexts) {
  const t = { ...english, ...texts?.accounts };
  return {
    useAnother: t.useAnother,
    choose: (provider: string) => fill(t.choose, { provider }),
    signIn: (provider: string) => fill(t.signIn, { provider }),
    providerDecides: (provider: string) => fill(t.providerDecides, { provider }),
    accounts: t.accounts,
    use: (account: string) => fill(t.use, { account }),
    keep: (account: string) => (account ? fill(t.keep, { account }) : t.back),
  };
}
