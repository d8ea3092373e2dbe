/** Sentences as users read them, from the table that all languages share. */

import type { Problem } from "../../js/src/problem.ts";
import { errors, subjects } from "../../python/tokentoss/texts/en.json";

/** What a code says, of its default subject. */
export function problem(code: string): Problem {
  const sentence = (errors as Record<string, string>)[code];
  if (!sentence) throw new Error(`the table has no code "${code}"`);
  return { code, message: sentence.replace("{subject}", (subjects as Record<string, string>)[code] ?? "") };
}

export const sentence = (code: string): string => problem(code).message;
