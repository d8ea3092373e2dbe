/** What is said in another language than English: the kernel sends it, because the page holds English alone. */

export interface Texts {
  /** Such as `de`. */
  language: string;
  /** Sentences by code, with `{subject}` where they name what they are about. */
  errors: Record<string, string>;
  /** What `{subject}` reads as when an error names nothing. */
  subjects: Record<string, string>;
  /** Labels of the sign-in widget; only it gets them. */
  sign_in?: Record<string, string>;
  /** Labels of the form, likewise. */
  form?: Record<string, string>;
  /** Labels of the status widget, likewise. */
  session?: Record<string, string>;
  /** Labels about accounts, for those that offer them. */
  accounts?: Record<string, string>;
  /** Labels of steps that are taken elsewhere than in the widget. */
  steps?: Record<string, string>;
}

/** The trait, `{}` for English; missing where a kernel is older than the page. */
export type SentTexts = Texts | Record<string, never> | undefined;

/** A text with values in the place of its `{placeholders}`. */
export function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/** The sentence of a code in the language that the kernel sent, or else as it is in English. */
export function sentenceIn(texts: SentTexts, code: string, english: string, subject?: string | null): string {
  const sentence = texts?.errors?.[code];
  return sentence ? fill(sentence, { subject: subject || texts?.subjects?.[code] || "" }) : english;
}

/** The language that the page says it is in, such as `de-DE`; "" for English, and where it says none. */
export function pageLanguage(): string {
  const language = globalThis.document?.documentElement.lang ?? "";
  return /^en\b/i.test(language) ? "" : language;
}
