/** Every text of the widget that is not an error, from the table of texts; errors come with their sentences from the sign-in. */

import { kernel_gone } from "tokentoss:sentences";
import { sign_in as english, steps } from "tokentoss:texts";
import { fill, type SentTexts, sentenceIn } from "../../js/src/texts.ts";
import { accountLabels } from "./account_labels.ts";

function made(texts: SentTexts) {
  const t = { ...english, ...texts?.sign_in };
  return {
    /** The language that they are in. */
    language: texts?.language ?? "en",
    accounts: accountLabels(texts),
    ...steps,
    ...texts?.steps,
    kernelGone: sentenceIn(texts, "kernel_gone", kernel_gone),
    signInWith: (provider: string) => fill(t.signInWith, { provider }),
    account: (provider: string) => fill(t.account, { provider }),
    loading: t.loading,
    /** By the way that the answer comes back. */
    waiting: { loopback: t.waiting, callback_page: t.waitingCallbackPage, paste: t.waitingPaste },
    signingIn: t.signingIn,
    handingOver: (provider: string) => fill(t.handingOver, { provider }),
    signingOut: t.signingOut,
    cancel: t.cancel,
    signOut: t.signOut,
    help: t.help,
    trouble: t.trouble,
    useLink: t.useLink,
    askingForLink: t.askingForLink,
    followLink: t.followLink,
    followLinkAndPaste: t.followLinkAndPaste,
    useCode: t.useCode,
    askingForCode: t.askingForCode,
    /** For those who hear it: what stands in the panel, as one sentence. */
    enterCode: (code: string, page: string) => fill(t.enterCode, { code, page }),
    enterAt: t.enterAt,
    copyCode: t.copyCode,
    codeCopied: t.codeCopied,
    qrCode: t.qrCode,
    timeLeft: (minutes: number, seconds: number) =>
      fill(t.timeLeft, { time: `${minutes}:${String(seconds).padStart(2, "0")}` }),
    openByHand: t.openByHand,
    pastedAddress: t.pastedAddress,
    pastedExample: "http://127.0.0.1:…/?code=…&state=…",
    pasteHow: t.pasteHow,
    usePasted: t.usePasted,
    /** The same for what a broker's page shows. */
    confirmation: {
      pastedAddress: t.codeOfPopup,
      pastedExample: "ABCD2345",
      pasteHow: t.codeOfPopupHow,
      usePasted: t.confirm,
    },
    signInAddress: t.signInAddress,
    copyLink: t.copyLink,
    linkCopied: t.linkCopied,
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
