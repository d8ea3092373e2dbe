/** The sentences of errors in English, by their codes. */

import { readFileSync } from "node:fs";

const { errors }: { errors: Record<string, string> } = JSON.parse(
  readFileSync("python/tokentoss/texts/en.json", "utf8"),
);

/** Each code with its sentence; what is said elsewhere than in a notebook left out. */
export const sentences = Object.entries(errors)
  .filter(([name]) => !name.includes("."))
  .map(([code, message]) => ({ code, message }));

/** The sentence of a code. */
export function sentence(code: string): string {
  const message = errors[code];
  if (message === undefined) throw new Error(`no sentence for ${code}`);
  return message;
}
