/** Sentences as users read them, from the table that all languages share. */

import type { Problem } from "../../js/src/problem.ts";
import table from "../../python/tokentoss/error_codes.json";

/** What a code says, of its default subject. */
export function problem(code: string): Problem {
  const row = table.find((candidate) => candidate.code === code);
  if (!row) throw new Error(`the table has no code "${code}"`);
  return { code, message: row.message.replaceAll("{subject}", row.subject_default) };
}

export const sentence = (code: string): string => problem(code).message;
