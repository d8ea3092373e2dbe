/** Every text of the form that is not an error of the kernel, from the table of texts; those come with their sentences. */

import { kernel_gone } from "tokentoss:sentences";
import { form as english, steps } from "tokentoss:texts";
import { fill, type SentTexts, sentenceIn } from "../../js/src/texts.ts";

function made(texts: SentTexts) {
  const t = { ...english, ...steps, ...texts?.form, ...texts?.steps };
  return {
    ...t,
    /** The language that they are in. */
    language: texts?.language ?? "en",
    kernelGone: sentenceIn(texts, "kernel_gone", kernel_gone),
    current: (client: string) => fill(t.current, { client }),
    clientIdExample: "123456789.apps.googleusercontent.com",
    clientSecretExample: "GOCSPX-…",
    projectIdExample: "my-project",
    chosen: (file: string) => fill(t.chosen, { file }),
    configured: (message: string, clientId: string) => (clientId ? `${message} (${clientId})` : message),
    fileTooLarge: (file: string) => fill(t.fileTooLarge, { file }),
    fileUnreadable: (file: string) => fill(t.fileUnreadable, { file }),
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
